//! Who may do what.

use steward_kernel::Role;

/// Who may be the second person of a notice, and so is told of one that waits.
pub const APPROVERS: &[Role] = <ApproveNotices as steward_chassis::Permission>::ROLES;

steward_chassis::permissions! {
    /// Reading messages: owners their own, staff those of their estates.
    ReadMessages = "message.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Saying that one has read a message.
    MarkMessages = "message.mark": [Owner];
    /// Reading the texts of messages and the channels.
    ReadTexts = "text.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Reading and setting how a resident wants to be told: owners for themselves, the desk for those it serves.
    SetPreferences = "preference.set": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
    /// Reading notices: owners what was published for their estates.
    ReadNotices = "notice.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Writing, submitting, publishing and recalling notices.
    WriteNotices = "notice.write": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// Being the second person of a notice.
    ApproveNotices = "notice.approve": [Supervisor, Manager, Admin];
    /// Reading one's own digests and alerts.
    ReadDigests = "digest.read": [Receptionist, Handler, Technician, Supervisor, Manager, Admin];
    /// Saying that one has read a digest.
    MarkDigests = "digest.mark": [Receptionist, Handler, Technician, Supervisor, Manager, Admin];
}
