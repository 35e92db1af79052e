//! Who may do what in intake.

steward_chassis::permissions! {
    /// To open a case.
    OpenCase = "case.open": [Owner, Receptionist, Handler, Supervisor, Manager, Admin, Integration];
    /// To read cases: staff those of their estates, owners their own.
    ReadCases = "case.read": [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin,
        Integration];
    /// To make a case more or less urgent.
    PrioritiseCase = "case.prioritise": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// To hand a case over to somebody else, and to take it over.
    HandOverCase = "case.hand-over": [Receptionist, Handler, Technician, Supervisor, Manager, Admin];
    /// To read clocks: staff those of their estates, owners what the company owes them.
    ReadClocks = "clock.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// To count clocks.
    SummariseClocks = "clock.summarise":
        [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// To object to a pause: the owner, or the desk for the owner.
    ContestPauses = "clock.contest": [Owner, Receptionist, Handler, Supervisor, Manager, Admin];
    /// To decide on objections.
    DecideObjections = "clock.decide": [Supervisor, Manager, Admin];
    /// To put a deadline off.
    ExtendDeadlines = "clock.extend": [Handler, Supervisor, Manager, Admin];
    /// To let open cases follow what was changed after they were opened.
    RebaseClocks = "clock.rebase": [Manager, Admin];
    /// To read promises: staff those of their estates, owners their own.
    ReadPromises = "promise.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// To count promises.
    SummarisePromises = "promise.summarise": [Handler, Supervisor, Manager, Analyst, Admin];
    /// To make promises, to keep and to move them.
    MakePromises = "promise.make": [Receptionist, Handler, Supervisor, Manager, Admin];
    /// To read escalations.
    ReadEscalations = "escalation.read":
        [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// To take in hand what was escalated.
    AcknowledgeEscalations = "escalation.acknowledge":
        [Receptionist, Handler, Technician, Supervisor, Manager, Admin];
    /// To read calendars and public holidays.
    ReadCalendars = "calendar.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
    /// To write calendars and to load public holidays: for all estates who sees all.
    WriteCalendars = "calendar.write": [Manager, Admin];
    /// To read clock policies.
    ReadClockPolicies = "clock-policy.read":
        [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
    /// To publish clock policies: for more than one estate who sees all.
    WriteClockPolicies = "clock-policy.write": [Manager, Admin];
    /// To read who holds which post.
    ReadPosts = "post.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
    /// To appoint to posts: for more than one estate who sees all.
    AppointPosts = "post.appoint": [Manager, Admin];
    /// To read who is away.
    ReadAbsences = "absence.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
    /// To record that one is away, and leads that their people are.
    RecordAbsences = "absence.record": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin];
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
