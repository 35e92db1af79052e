//! Who may do what.

steward_chassis::permissions! {
    /// Read complaints: staff those of their estates, owners their own.
    Read = "complaint.read": [
        Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration
    ];
    /// Handle complaints.
    Handle = "complaint.handle": [Handler, Supervisor, Manager, Admin];
    /// Call the owner back about the decision.
    CallBack = "complaint.call_back": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// Give the owner's word: owners on their own complaints, the desk for an owner who has said so.
    Speak = "complaint.speak": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
}
