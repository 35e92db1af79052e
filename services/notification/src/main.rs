//! `notification serve | migrate | openapi | check-config | replay-parked | republish`

fn main() -> std::process::ExitCode {
    steward_chassis::run::main::<steward_notification::Notification>()
}
