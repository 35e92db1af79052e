//! Everything that can go wrong while serving, for any service.

use std::{panic::Location, time::Duration};

use steward_kernel::{ProblemKind, Refuses, Version};

/// What services return.
pub type Result<T> = std::result::Result<T, Error>;

/// Any error as a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A field at fault and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON Pointer into the body (`/points/0/text`), or the name of a parameter or header.
    #[schema(example = "/words")]
    pub pointer: String,
    /// Stable word for programs.
    #[schema(example = "too_long")]
    pub code: String,
    /// What to mend, for people; never repeats what was sent.
    #[schema(example = "must have at most 4000 characters")]
    pub detail: String,
}

impl FieldError {
    /// A field at fault.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() }
    }
}

/// Why a request, message or timer was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain refuses.
    #[error("refused: {}", kind.slug)]
    Refused {
        /// Kind of problem.
        kind: ProblemKind,
        /// Commands that are legal now.
        allowed: Vec<&'static str>,
        /// Field at fault (JSON Pointer) and remedy.
        field: Option<(String, String)>,
    },
    /// Cannot be read: 400.
    #[error("malformed request")]
    Malformed(Vec<FieldError>),
    /// Can be read, but against a rule: 422.
    #[error("invalid request")]
    Invalid(Vec<FieldError>),
    /// A register file with faults: 422, by row and column.
    #[error("register file with {} faults", .0.len())]
    Sheet(Vec<crate::sheet::CellError>),
    /// There is no such thing, or it is not for the caller to see: 404.
    #[error("not found")]
    NotFound,
    /// No token, or a bad one: 401; the reason is a short word for the log and the header.
    #[error("unauthenticated: {0}")]
    Unauthenticated(&'static str),
    /// The role does not suffice: 403.
    #[error("forbidden: needs {0}")]
    Forbidden(&'static str),
    /// The company is closed: 403.
    #[error("the company is closed")]
    TenantClosed,
    /// Somebody else changed it meanwhile: 412.
    #[error("stale: expected {expected:?}, is {actual:?}")]
    Stale {
        /// What the caller has seen.
        expected: Version,
        /// What it is.
        actual: Version,
    },
    /// Two people edit this; the caller must say which version it has seen: 428.
    #[error("If-Match is required")]
    PreconditionRequired,
    /// The key was used for another request: 422.
    #[error("command key reused")]
    KeyReused,
    /// Somebody works on it right now: 409 with `Retry-After`.
    #[error("busy")]
    Busy,
    /// Too many requests: 429.
    #[error("too many requests")]
    TooManyRequests {
        /// When to come back.
        retry_after: Duration,
    },
    /// The body is too large: 413, with the limit in bytes.
    #[error("body over {0} bytes")]
    TooLarge(usize),
    /// Not a media type we read here: 415, with what would be.
    #[error("unsupported media type; expected {0}")]
    UnsupportedMediaType(&'static str),
    /// It took too long: 503 with `Retry-After`.
    #[error("timed out")]
    TimedOut,
    /// A neighbour (database, message server) is away: 503 with `Retry-After`.
    #[error("{what} is unavailable")]
    Unavailable {
        /// Which neighbour.
        what: &'static str,
        /// Why, for the log.
        #[source]
        cause: BoxError,
    },
    /// A fault of ours: 500. The cause is logged, never shown.
    #[error("internal: {what}")]
    Internal {
        /// What we were doing.
        what: &'static str,
        /// Why it failed.
        #[source]
        cause: BoxError,
        /// Where.
        at: &'static Location<'static>,
    },
}

impl Error {
    /// A refusal of the domain.
    #[must_use]
    pub fn refused(refusal: &impl Refuses) -> Self {
        Self::Refused { kind: refusal.problem(), allowed: refusal.allowed(), field: refusal.field() }
    }

    /// One field against a rule (422).
    #[must_use]
    pub fn field(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, code, detail)])
    }

    /// A fault of ours.
    #[track_caller]
    #[must_use]
    pub fn internal(what: &'static str, cause: impl Into<BoxError>) -> Self {
        Self::Internal { what, cause: cause.into(), at: Location::caller() }
    }

    /// Whether it is this refusal of the domain.
    #[must_use]
    pub fn is(&self, refusal: &impl Refuses) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind.slug == refusal.problem().slug)
    }

    /// Whether there is no such thing for the caller.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound | Self::Refused { kind: ProblemKind { status: 404, .. }, .. })
    }

    /// Whether trying again later may help without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::TimedOut | Self::Unavailable { .. } | Self::TooManyRequests { .. })
    }
}

impl From<sqlx::Error> for Error {
    #[track_caller]
    fn from(cause: sqlx::Error) -> Self {
        match cause {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable { what: "database", cause: Box::new(cause) },
            sqlx::Error::Database(ref problem) => match problem.code().as_deref() {
                // lock_not_available, serialization_failure, deadlock_detected: somebody else is at it.
                Some("55P03" | "40001" | "40P01") => Self::Busy,
                // query_canceled: it took longer than it may.
                Some("57014") => Self::TimedOut,
                Some(code) if is_away(code) => Self::Unavailable { what: "database", cause: Box::new(cause) },
                // character_not_in_repertoire, untranslatable_character, datetime_field_overflow: U+0000 in a text, or
                // a time long before all history. Nothing of ours makes these, so the caller has sent it.
                Some("22021" | "22P05" | "22008") => {
                    let detail = "a text has U+0000 or a time is out of range";
                    Self::Malformed(vec![FieldError::new("", "not_storable", detail)])
                }
                _ => Self::internal("database", cause),
            },
            other => Self::internal("database", other),
        }
    }
}

/// An error with everything behind it, for the log and for the reason of a parked message.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.0, f)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// Whether the database says that it cannot serve now, and will later without anybody changing the program.
fn is_away(code: &str) -> bool {
    // Whole classes: connection exceptions; passwords, which may be changing; resources that have run out; operators and failovers.
    matches!(code.get(..2), Some("08" | "28" | "53" | "57"))
        // read_only_sql_transaction: this one is a standby now. idle_in_transaction_session_timeout, transaction_timeout: the session
        // is gone. io_error.
        || matches!(code, "25006" | "25P03" | "25P04" | "58030")
}
