//! Pages of long lists.

use serde::Serialize;
use utoipa::ToSchema;

/// Rows on a page when the caller does not say.
pub const DEFAULT_LIMIT: u16 = 50;
/// Most rows on a page.
pub const MAX_LIMIT: u16 = 200;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Keep it: passed as `since` it later lists what has changed from here on. Present on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl<T> Page<T> {
    /// The same page with other rows.
    #[must_use]
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next_cursor: self.next_cursor, since: self.since }
    }
}
