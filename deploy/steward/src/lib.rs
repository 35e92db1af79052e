//! The list of services, for everything that knows all five: the process that runs them together, the gateway, the merged API
//! document, the rights in the message server, the operator's command, end-to-end tests.

pub mod accounts;
pub mod keyring;
pub mod services;
