//! Who may do what in intake.

steward_chassis::permissions! {
    /// To open a case.
    OpenCase = "case.open": [Owner, Receptionist, Handler, Supervisor, Manager, Admin, Integration];
    /// To read cases: staff those of their estates, owners their own.
    ReadCases = "case.read": [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin,
        Integration];
    /// To call a case off.
    CancelCase = "case.cancel": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
    /// To read inquiries: staff those of their estates, owners their own.
    ReadInquiries = "inquiry.read": [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin,
        Integration];
    /// To answer inquiries and to call back.
    AnswerInquiries = "inquiry.answer": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// To close an inquiry or to ask again.
    CloseInquiries = "inquiry.close": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
    /// To receive people at the desk.
    ReceiveVisits = "visit.receive": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// To read visits.
    ReadVisits = "visit.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
    /// To import register files.
    ImportRegister = "register.import": [Admin];
    /// To read estates, units and staff.
    ReadRegister = "register.read":
        [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// To search residents, with their names and telephone numbers; who does is written down.
    ReadResidents = "resident.read": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// To read one resident: the desk those of its estates, owners themselves (their app asks which units are theirs).
    ReadResident = "resident.read-one": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
    /// To read the handbook.
    ReadArticles = "article.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// To write the handbook.
    WriteArticles = "article.write": [Manager, Admin];
    /// To check a desk.
    RecordDeskChecks = "desk-check.record": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// To read the checks of desks.
    ReadDeskChecks = "desk-check.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
    /// To store photos and documents.
    StoreFiles = "file.store": [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Admin, Integration];
    /// To read photos and documents: staff those of their estates, owners their own.
    ReadFiles = "file.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
}
