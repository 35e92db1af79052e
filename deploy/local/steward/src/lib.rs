//! The list of services, for everything that knows all five: the process that runs them together, the gateway, the merged API
//! document, end-to-end tests.

pub mod services;
