//! Who may do what.

steward_chassis::permissions! {
    /// Reading suggestions: staff those of their estates, owners their own.
    ReadSuggestions = "suggestion.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Looking into suggestions, planning and delivering what was accepted.
    HandleSuggestions = "suggestion.handle": [Handler, Supervisor, Manager, Admin];
    /// Saying yes, no or not now.
    DecideSuggestions = "suggestion.decide": [Supervisor, Manager, Admin];
    /// Saying, as who suggested it, that it is there.
    ConfirmSuggestions = "suggestion.confirm": [Owner];
    /// Reading surveys: staff those of their estates, owners their own.
    ReadSurveys = "survey.read":
        [Owner, Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
    /// Answering a survey; nobody else answers for an owner.
    AnswerSurveys = "survey.answer": [Owner];
    /// Reading figures, their definitions and summaries.
    ReadMetrics = "metrics.read": [Receptionist, Handler, Technician, Supervisor, Manager, Analyst, Admin, Integration];
}
