//! Public events: what the services tell each other, a contract for ever.
//!
//! One module per service holds the types made of its `.proto` file. The table at the end of this file is the list of
//! all public events: what is not in it cannot be published, and a test finds a message without a line here.

use prost::Name;
use steward_kernel::message::{Contract, Undecodable};

/// Events of intake: the register, cases and their progress, visits at the desk, files.
pub mod intake {
    include!(concat!(env!("OUT_DIR"), "/steward.intake.v1.rs"));
}

/// Events of the complaint service.
pub mod complaint {
    include!(concat!(env!("OUT_DIR"), "/steward.complaint.v1.rs"));
}

/// Events of dispatch: service requests and work orders.
pub mod dispatch {
    include!(concat!(env!("OUT_DIR"), "/steward.dispatch.v1.rs"));
}

/// Events of notification: messages and notices.
pub mod notification {
    include!(concat!(env!("OUT_DIR"), "/steward.notification.v1.rs"));
}

/// Events of feedback-analytics: suggestions and surveys.
pub mod feedback_analytics {
    include!(concat!(env!("OUT_DIR"), "/steward.feedback_analytics.v1.rs"));
}

/// All `.proto` files with their comments, as an encoded `FileDescriptorSet`.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));

/// What a contract says about itself, for documents and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractInfo {
    /// Package of the message: `steward.complaint.v1`.
    pub package: &'static str,
    /// Name of the message: `ComplaintDecided`.
    pub message: &'static str,
    /// The service that publishes it: `complaint`.
    pub service: &'static str,
    /// Name of the event in the subject: `complaint-decided`.
    pub name: &'static str,
    /// Version of the contract.
    pub version: u16,
    /// The only service that receives it; `None` is heard by all.
    pub receiver: Option<&'static str>,
}

impl ContractInfo {
    const fn of<C: Contract + Name>() -> Self {
        Self {
            package: C::PACKAGE,
            message: <C as Name>::NAME,
            service: C::SERVICE,
            name: <C as Contract>::NAME,
            version: C::VERSION,
            receiver: C::RECEIVER,
        }
    }

    /// The subject it is published on: `steward.<tenant>.complaint.complaint-decided.v1`, with the receiver behind it
    /// when it is for one service only.
    #[must_use]
    pub fn subject(&self, prefix: &str, tenant: &str) -> String {
        let Self { service, name, version, receiver, .. } = self;
        let subject = format!("{prefix}.{tenant}.{service}.{name}.v{version}");
        receiver.map_or_else(|| subject.clone(), |receiver| format!("{subject}.{receiver}"))
    }
}

/// Makes a contract of every line `Message = "name-in-subject"`; `=> "receiver"` is the only service that receives it.
macro_rules! contracts {
    ($($service:literal in $module:ident { $($message:ident = $name:literal $(=> $receiver:literal)?),+ $(,)? })+) => {
        $($(
            impl Contract for $module::$message {
                const SERVICE: &'static str = $service;
                const NAME: &'static str = $name;
                const VERSION: u16 = 1;
                const RECEIVER: Option<&'static str> = receiver!($($receiver)?);

                fn encode(&self) -> Vec<u8> {
                    prost::Message::encode_to_vec(self)
                }

                fn decode(bytes: &[u8]) -> Result<Self, Undecodable> {
                    // The decoder names the field and what is wrong with it, never the content.
                    <Self as prost::Message>::decode(bytes)
                        .map_err(|error| Undecodable { name: $name, reason: error.to_string() })
                }
            }
        )+)+

        /// All public events.
        pub const ALL: &[ContractInfo] = &[$($(ContractInfo::of::<$module::$message>()),+),+];
    };
}

macro_rules! receiver {
    () => {
        None
    };
    ($receiver:literal) => {
        Some($receiver)
    };
}

contracts! {
    "intake" in intake {
        EstateRegistered = "estate-registered",
        CaseOpened = "case-opened",
        CaseProgressed = "case-progressed",
        CaseCancelled = "case-cancelled",
        CaseLinked = "case-linked",
        ComplaintReceived = "complaint-received" => "complaint",
        ServiceRequestReceived = "service-request-received" => "dispatch",
        SuggestionReceived = "suggestion-received" => "feedback-analytics",
        FileStored = "file-stored",
        VisitFinished = "visit-finished",
        CasePrioritised = "case-prioritised",
        ClockStopped = "clock-stopped",
        ClockBreached = "clock-breached",
        EscalationRaised = "escalation-raised",
        EscalationAcknowledged = "escalation-acknowledged",
        AccountablePersonChanged = "accountable-person-changed",
        HandOverOffered = "hand-over-offered",
        HandOverEnded = "hand-over-ended",
        PromiseMade = "promise-made",
        PromiseAtRisk = "promise-at-risk",
        PromiseEnded = "promise-ended",
        ObjectionDecided = "objection-decided",
        TaskGiven = "task-given",
        TaskEnded = "task-ended",
        LadderEnded = "ladder-ended",
        StaffRegistered = "staff-registered",
    }
    "complaint" in complaint {
        ComplaintAcknowledged = "complaint-acknowledged",
        ComplaintAssessed = "complaint-assessed",
        ComplaintConsulted = "complaint-consulted",
        ConsultationAnswered = "consultation-answered",
        ComplaintPlanned = "complaint-planned",
        ComplaintAwaitingOwner = "complaint-awaiting-owner",
        ComplaintResumed = "complaint-resumed",
        ComplaintDecided = "complaint-decided",
        ComplaintConfirmed = "complaint-confirmed",
        ComplaintClosed = "complaint-closed",
        ComplaintWithdrawn = "complaint-withdrawn",
        CommitmentKept = "commitment-kept",
        RemedyRequested = "remedy-requested" => "dispatch",
        RemedyCompleted = "remedy-completed",
        RemedyCalledOff = "remedy-called-off",
        ComplaintWorkResumed = "complaint-work-resumed",
        ComplaintCalledBack = "complaint-called-back",
    }
    "dispatch" in dispatch {
        DepartmentRegistered = "department-registered",
        RemedyRefused = "remedy-refused",
        AppointmentSet = "appointment-set",
        ServiceRequestConfirmed = "service-request-confirmed",
        InfoRequested = "info-requested",
        InfoProvided = "info-provided",
        ServiceRequestDeclined = "service-request-declined",
        ServiceRequestCancelled = "service-request-cancelled",
        ServiceRequestVerified = "service-request-verified",
        ServiceRequestClosed = "service-request-closed",
        ServiceRequestStageChanged = "service-request-stage-changed",
        FurtherNeedRaised = "further-need-raised" => "intake",
        WorkOrderOpened = "work-order-opened",
        WorkOrderAssigned = "work-order-assigned",
        WorkOrderAccepted = "work-order-accepted",
        WorkOrderReturned = "work-order-returned",
        WorkOrderTransferred = "work-order-transferred",
        WorkOrderDeparted = "work-order-departed",
        WorkOrderArrived = "work-order-arrived",
        WorkOrderMadeSafe = "work-order-made-safe",
        WorkOrderStarted = "work-order-started",
        WorkOrderHeld = "work-order-held",
        WorkOrderResumed = "work-order-resumed",
        WorkOrderCompleted = "work-order-completed",
        WorkOrderProofMissed = "work-order-proof-missed",
        WorkOrderProofArrived = "work-order-proof-arrived",
        WorkOrderVerified = "work-order-verified",
        WorkOrderCancelled = "work-order-cancelled",
    }
    "notification" in notification {
        MessageCreated = "message-created",
        MessageSuppressed = "message-suppressed",
        MessageRead = "message-read",
        NoticePublished = "notice-published",
        NoticeRecalled = "notice-recalled",
    }
    "feedback-analytics" in feedback_analytics {
        SuggestionConsidered = "suggestion-considered",
        SuggestionAccepted = "suggestion-accepted",
        SuggestionDeclined = "suggestion-declined",
        SuggestionDeferred = "suggestion-deferred",
        SuggestionPlanned = "suggestion-planned",
        SuggestionDelivered = "suggestion-delivered",
        SuggestionConfirmed = "suggestion-confirmed",
        SuggestionReopened = "suggestion-reopened",
        SuggestionWithdrawn = "suggestion-withdrawn",
        SurveyInvited = "survey-invited",
        SurveyAnswered = "survey-answered",
        SurveyExpired = "survey-expired",
    }
}
