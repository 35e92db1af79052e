//! Problems as data: what can go wrong, in words that never change.

/// One kind of problem (RFC 9457): its slug is stable for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// `complaint/nobody-assigned`; the problem's `type` is `/problems/<slug>`.
    pub slug: &'static str,
    /// HTTP status.
    pub status: u16,
    /// One sentence in English; the other languages stand in the message catalogue of `chassis`.
    pub title: &'static str,
}

impl ProblemKind {
    /// 404: there is no such thing, or it is not for the caller to see.
    #[must_use]
    pub const fn not_found(slug: &'static str, title: &'static str) -> Self {
        Self { slug, status: 404, title }
    }
    /// 409: the state does not allow it.
    #[must_use]
    pub const fn conflict(slug: &'static str, title: &'static str) -> Self {
        Self { slug, status: 409, title }
    }
    /// 403: not with this role.
    #[must_use]
    pub const fn forbidden(slug: &'static str, title: &'static str) -> Self {
        Self { slug, status: 403, title }
    }
    /// 422: well formed, but against a rule.
    #[must_use]
    pub const fn unprocessable(slug: &'static str, title: &'static str) -> Self {
        Self { slug, status: 422, title }
    }
}

/// What a refusal tells the caller.
pub trait Refuses {
    /// Its kind of problem.
    fn problem(&self) -> ProblemKind;
    /// The commands that are legal now, for a 409; empty when that is not the question.
    fn allowed(&self) -> Vec<&'static str> {
        Vec::new()
    }
    /// The field at fault (JSON Pointer into the body) and what to do about it, for a 422.
    fn field(&self) -> Option<(String, String)> {
        None
    }
}
