//! `intake serve | migrate | openapi | check-config | …`

fn main() -> std::process::ExitCode {
    steward_chassis::run::main::<steward_intake::Intake>()
}
