//! Who may do what.

steward_chassis::permissions! {
    /// Following service requests; owners their own.
    Follow = "dispatch.follow":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Reading work orders and the roster.
    Read = "dispatch.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Saying the owner's word: the owner, or the desk on it.
    Speak = "dispatch.speak": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
    /// Handling service requests; opening, assigning, transferring and calling off work orders.
    Handle = "dispatch.handle": [Handler, Supervisor, Manager, Admin];
    /// Doing work orders: technicians their own.
    Work = "dispatch.work": [Technician, Supervisor, Manager, Admin];
    /// Finding work good.
    Lead = "dispatch.lead": [Supervisor, Manager, Admin];
    /// Importing the roster.
    Import = "dispatch.import": [Admin];
}
