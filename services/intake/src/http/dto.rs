//! What commands and answers have in common.

use serde::Deserialize;
use steward_chassis::{Error, FieldError, Result, http::Versioned};
use steward_kernel::{Version, text::Line, word::TakenDown};
use utoipa::ToSchema;

/// A command that needs nothing said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct Nothing {}

/// A command that needs a reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "问题已自行解决" }))]
pub struct WithReason {
    /// Why; 1 to 200 characters.
    pub reason: Line,
}

/// That the owner needs nothing more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct CloseInquiry {
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// That the owner asks again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "还是不明白" }))]
pub struct ReopenInquiry {
    /// Why; 1 to 200 characters.
    pub reason: Line,
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// That a case is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "问题已自行解决" }))]
pub struct CallOffCase {
    /// Why; 1 to 200 characters.
    pub reason: Line,
    /// For staff, when the owner asked for it: how the owner said so. Left out when the company calls it off by itself.
    pub taken_down: Option<TakenDown>,
}

/// What the commands of a resource answer.
pub(super) fn answer<R, V: From<R>>(row: Option<R>, version: Version, replayed: bool) -> Result<Versioned<V>> {
    let row = row.ok_or(Error::NotFound)?;
    Ok(Versioned::ok(V::from(row), version).replayed(replayed))
}

/// What a pure check found, as faults of fields.
///
/// * `under`: JSON Pointer to what was checked.
pub(super) fn check(under: &str, findings: Vec<(String, String)>) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let fault = |(pointer, remedy): (String, String)| FieldError::new(format!("{under}{pointer}"), "invalid", remedy);
    Err(Error::Invalid(findings.into_iter().map(fault).collect()))
}
