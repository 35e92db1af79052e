//! The binary of the complaint service.

fn main() -> std::process::ExitCode {
    steward_chassis::run::main::<steward_complaint::Complaint>()
}
