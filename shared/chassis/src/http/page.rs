//! Pages of lists: keyset cursors that cannot be forged, and a change feed that skips nothing.
//!
//! A handler takes [`List<Filter>`](List); the store asks [`PageRequest::mode`] where to go on, fetches
//! [`PageRequest::fetch`] rows (one more than the page, so "is there more" costs nothing) and hands them to
//! [`PageRequest::finish`]:
//!
//! ```no_run
//! # use chrono::{DateTime, Utc};
//! # use steward_chassis::{Result, db::Tx, http::page::{Key, Mode, PageRequest}};
//! # use steward_kernel::page::Page;
//! # use uuid::Uuid;
//! type Row = (DateTime<Utc>, Uuid, i64);
//!
//! async fn list(tx: &mut Tx, page: PageRequest) -> Result<Page<Row>> {
//!     let (tenant, fetch) = (tx.tenant().get(), page.fetch());
//!     // Before the rows are read: what commits later is listed later.
//!     let horizon = page.horizon(tx).await?;
//!     let rows: Vec<Row> = match page.mode {
//!         Mode::Newest { after } => {
//!             let (at, id) = after.unzip();
//!             sqlx::query_as(
//!                 "SELECT opened_at, case_id, changed_xid FROM case_view
//!                  WHERE tenant_id = $1 AND ($2::timestamptz IS NULL OR (opened_at, case_id) < ($2, $3))
//!                  ORDER BY opened_at DESC, case_id DESC LIMIT $4",
//!             )
//!             .bind(tenant).bind(at).bind(id).bind(fetch).fetch_all(tx.conn()).await?
//!         }
//!         Mode::Changed { after: (xid, id) } => {
//!             sqlx::query_as(
//!                 "SELECT opened_at, case_id, changed_xid FROM case_view
//!                  WHERE tenant_id = $1 AND (changed_xid, case_id) > ($2, $3) AND changed_xid < $4
//!                  ORDER BY changed_xid, case_id LIMIT $5",
//!             )
//!             .bind(tenant).bind(xid).bind(id).bind(horizon).bind(fetch).fetch_all(tx.conn()).await?
//!         }
//!     };
//!     Ok(page.finish(rows, horizon, |(at, id, changed_xid)| Key { at: *at, id: *id, changed_xid: *changed_xid }))
//! }
//! ```
//!
//! `changed_xid bigint` is written by every change as `pg_current_xact_id()::text::bigint`. Transactions commit in
//! another order than they begin; therefore the feed only shows what lies below the oldest transaction still running.
//! (So a writing transaction that is left open anywhere in the database server holds up the feed, but not the list.)
//!
//! A database that is restored to an earlier moment counts its transactions from there once more. What was given out before would skip
//! changes without notice; therefore each mark carries the epoch of the data, and one of another epoch is refused: the app lists anew.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use axum::extract::FromRequestParts;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use http::request::Parts;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256, Sha512};
use steward_kernel::{
    ProblemKind,
    page::{DEFAULT_LIMIT, MAX_LIMIT, Page},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{HttpContext, extract, problem};
use crate::{
    Error, FieldError, Result,
    config::Secret,
    db::{Tx, epoch},
};

/// Bytes of the seal in front of a cursor.
const SEAL_BYTES: usize = 16;
/// How long the secret's file is not read again because of a mark that does not fit.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Longest cursor that is looked at, in characters.
const MAX_CURSOR: usize = 512;

/// The parameters that every list has beside its filters, for the API document.
#[derive(Debug, Clone, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Rows on a page, 1 to 200.
    #[param(default = 50, minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", max_length = 512)]
    pub cursor: Option<String>,
    /// `since` of an earlier last page: lists what has changed from there on, oldest change first.
    #[param(pattern = "^[A-Za-z0-9_-]+$", max_length = 512)]
    pub since: Option<String>,
}

/// The filter of a list that has none.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// A list's filters and the page that is asked for.
///
/// `F` has the filters alone, with `deny_unknown_fields`; `limit`, `cursor` and `since` are taken out before.
#[derive(Debug)]
pub struct List<F> {
    /// What to list.
    pub filter: F,
    /// Which page of it.
    pub page: PageRequest,
}

impl<F: DeserializeOwned, S: Sync> FromRequestParts<S> for List<F> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let context = HttpContext::of(parts)?;
        let query = parts.uri.query().unwrap_or_default();
        let (params, filters) = split(query)?;
        let filter = extract::from_form(&filters)?;
        let page = PageRequest::parse(&params, &format!("{}?{filters}", parts.uri.path()), context.seal())?;
        Ok(Self { filter, page })
    }
}

/// The list's own parameters, and the filters in one canonical text.
fn split(query: &str) -> Result<(ListParams, String)> {
    let malformed = |name: &str, detail: &str| Error::Malformed(vec![FieldError::new(name, "invalid", detail)]);
    let mut pairs: Vec<(String, String)> =
        serde_html_form::from_str(query).map_err(|_| malformed("query", "must be name=value pairs"))?;
    pairs.sort();
    if let Some(name) =
        ["limit", "cursor", "since"].iter().find(|name| pairs.iter().filter(|pair| pair.0 == **name).count() > 1)
    {
        return Err(malformed(name, "stands there twice"));
    }
    let mut params = ListParams::default();
    let mut filters = Vec::new();
    for (name, value) in pairs {
        match name.as_str() {
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                params.limit = Some(limit.ok_or_else(|| malformed("limit", "must be a number from 1 to 200"))?);
            }
            "cursor" => params.cursor = Some(value),
            "since" => params.since = Some(value),
            _ => filters.push((name, value)),
        }
    }
    if params.cursor.is_some() && params.since.is_some() {
        return Err(malformed("since", "cannot stand beside cursor; the cursor knows it"));
    }
    let filters = serde_html_form::to_string(filters).map_err(|cause| Error::internal("writing filters", cause))?;
    Ok((params, filters))
}

/// Seals cursors, so that what comes back is what was given out. While the secret is being changed, the marks of both are good.
/// Cheap to clone.
#[derive(Clone)]
pub struct Seal(Arc<Keys>);

struct Keys {
    secret: Secret,
    /// When we started: by the secret in use, which seals, and by those that still count.
    first: Vec<Hmac<Sha256>>,
    later: Mutex<Later>,
}

/// As the secret was read last.
#[derive(Default)]
struct Later {
    at: Option<Instant>,
    keys: Vec<Hmac<Sha256>>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// A seal that all replicas with the same secret share.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(Arc::new(Keys { secret: secret.clone(), first: keys(secret), later: Mutex::default() }))
    }

    fn write(&self, token: &Token) -> String {
        let body = serde_json::to_vec(token).unwrap_or_default();
        let key = self.0.first.first().cloned();
        let mac = key.map(|key| key.chain_update(&body).finalize().into_bytes()).unwrap_or_default();
        let mut bytes = mac.get(..SEAL_BYTES).unwrap_or_default().to_vec();
        bytes.extend(body);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(&self, text: &str) -> Option<Token> {
        if text.len() > MAX_CURSOR {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (seal, body) = bytes.split_at_checked(SEAL_BYTES)?;
        let sealed = |key: &Hmac<Sha256>| key.clone().chain_update(body).verify_truncated_left(seal).is_ok();
        if self.0.first.iter().any(sealed) || self.0.is_of_later(sealed) {
            serde_json::from_slice(body).ok()
        } else {
            None
        }
    }
}

impl Keys {
    /// A replica that was started later may already seal with a secret that came after our start. Its file is read at most once in a while,
    /// whatever marks come in.
    fn is_of_later(&self, sealed: impl Fn(&Hmac<Sha256>) -> bool) -> bool {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        if later.keys.iter().any(&sealed) {
            return true;
        }
        if later.at.is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
            return false;
        }
        *later = Later { at: Some(Instant::now()), keys: keys(&self.secret) };
        later.keys.iter().any(sealed)
    }
}

/// A key for each secret that counts: never the secret itself, a key of its own for this purpose.
fn keys(secret: &Secret) -> Vec<Hmac<Sha256>> {
    // SHA-512 gives 64 bytes, just what HMAC with SHA-256 takes.
    let key = |line: &Secret| {
        let key = Sha512::new().chain_update(b"steward cursor\0").chain_update(line.expose_secret()).finalize();
        Hmac::new(&key)
    };
    secret.lines().iter().map(key).collect()
}

/// What a cursor or since token says.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    /// Version of this format.
    v: u8,
    /// Digest of path and filters.
    f: String,
    /// Where to go on.
    k: Place,
    /// Epoch of the data; what was given out before there were epochs has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Place {
    /// In the list, newest first: microseconds and id of the last row; where the feed starts afterwards.
    #[serde(rename = "n")]
    Newest(i64, Uuid, i64),
    /// In the feed.
    #[serde(rename = "c")]
    Changed(i64, Uuid),
}

/// In which order, and from where on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Newest first by (at, id).
    Newest {
        /// The last row of the page before.
        after: Option<(DateTime<Utc>, Uuid)>,
    },
    /// What has changed, oldest change first by (`changed_xid`, id), below the horizon.
    Changed {
        /// The last row that is known.
        after: (i64, Uuid),
    },
}

/// Where a row stands in both orders.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// When it came into being.
    pub at: DateTime<Utc>,
    /// Its id.
    pub id: Uuid,
    /// The transaction that changed it last.
    pub changed_xid: i64,
}

/// One page that is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Rows on the page.
    pub limit: u16,
    /// Order and place.
    pub mode: Mode,
    /// Where the feed starts after a list of several pages: taken before its first page.
    started_at: Option<i64>,
    /// The parameter that holds the mark, and the epoch of the data when it was given out.
    given: Option<(&'static str, i64)>,
    /// Epoch of the data now, once that was asked for.
    epoch: OnceLock<i64>,
    digest: String,
    seal: Seal,
}

impl PageRequest {
    /// Reads it from the parameters.
    ///
    /// * `list`: path and filters; a cursor is good for the same list only.
    ///
    /// # Errors
    /// Problem `cursor-invalid` for what we have not given out, `cursor-filter-mismatch` for what belongs to another
    /// list.
    pub fn parse(params: &ListParams, list: &str, seal: &Seal) -> Result<Self> {
        let digest = Sha256::digest(list);
        let digest = BASE64_URL_SAFE_NO_PAD.encode(digest.get(..9).unwrap_or_default());
        let mut page = Self {
            limit: params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
            mode: Mode::Newest { after: None },
            started_at: None,
            given: None,
            epoch: OnceLock::new(),
            digest,
            seal: seal.clone(),
        };
        let (name, text) = match (&params.cursor, &params.since) {
            (Some(cursor), _) => ("cursor", cursor),
            (None, Some(since)) => ("since", since),
            (None, None) => return Ok(page),
        };
        let token =
            seal.read(text).filter(|token| token.v == 1).ok_or_else(|| refused(problem::CURSOR_INVALID, name))?;
        if token.f != page.digest {
            return Err(refused(problem::CURSOR_FILTER_MISMATCH, name));
        }
        page.given = token.e.map(|epoch| (name, epoch));
        page.mode = match token.k {
            Place::Newest(micros, id, started_at) if name == "cursor" => {
                page.started_at = Some(started_at);
                let at = DateTime::from_timestamp_micros(micros);
                Mode::Newest { after: Some((at.ok_or_else(|| refused(problem::CURSOR_INVALID, name))?, id)) }
            }
            Place::Newest(..) => return Err(refused(problem::CURSOR_INVALID, name)),
            Place::Changed(xid, id) => Mode::Changed { after: (xid, id) },
        };
        Ok(page)
    }

    /// How many rows to fetch: one more than the page has.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Up to which transaction all is known; to be asked before the rows are read. Later pages of a list carry it in
    /// their cursor.
    ///
    /// Also has the transaction's statements planned for the values they are given. A list's statement has its filters
    /// as `$n IS NULL OR …`: a plan made for all values at once can use no filter's index and reads the whole company.
    ///
    /// # Errors
    /// Problem `cursor-invalid` for a mark from before the data was restored; when the database is away.
    pub async fn horizon(&self, tx: &mut Tx) -> Result<i64> {
        let (now, epoch) = horizon(tx).await?;
        if let Some((name, _)) = self.given.filter(|(_, given)| *given != epoch) {
            return Err(refused(problem::CURSOR_INVALID, name));
        }
        let _ = self.epoch.set(epoch);
        Ok(self.started_at.unwrap_or(now))
    }

    /// The page made of the rows that were found.
    ///
    /// * `rows`: at most [`fetch`](Self::fetch), in the order of [`mode`](Self::mode).
    /// * `horizon`: what [`horizon`](Self::horizon) said.
    #[must_use]
    pub fn finish<R>(self, mut rows: Vec<R>, horizon: i64, key: impl Fn(&R) -> Key) -> Page<R> {
        let limit = usize::from(self.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let epoch = self.epoch.get().copied();
        let token = |place| self.seal.write(&Token { v: 1, f: self.digest.clone(), k: place, e: epoch });
        let last = rows.last().map(key).filter(|_| more);
        let (next_cursor, since) = match (last, self.mode) {
            (Some(last), Mode::Newest { .. }) => {
                (Some(token(Place::Newest(last.at.timestamp_micros(), last.id, horizon))), None)
            }
            (Some(last), Mode::Changed { .. }) => (Some(token(Place::Changed(last.changed_xid, last.id))), None),
            // No row has the nil id: everything from this transaction on comes after it.
            (None, _) => (None, Some(token(Place::Changed(horizon, Uuid::nil())))),
        };
        Page { items: rows, next_cursor, since }
    }
}

fn refused(kind: ProblemKind, parameter: &str) -> Error {
    Error::Refused {
        kind,
        allowed: Vec::new(),
        field: Some((parameter.to_owned(), "start again without it".to_owned())),
    }
}

/// The oldest transaction that is still running: all before it have ended, and what they wrote can be seen. And the epoch of the data.
async fn horizon(tx: &mut Tx) -> Result<(i64, i64)> {
    let horizon = sqlx::query_as(concat!(
        "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, ",
        epoch!(),
        ", set_config('plan_cache_mode', 'force_custom_plan', true)",
    ));
    let (xid, epoch, _): (i64, i64, String) = horizon.fetch_one(tx.conn()).await?;
    Ok((xid, epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_780_000_000;

    fn seal(secret: &str) -> Seal {
        Seal::new(&Secret::from(secret))
    }

    fn key(n: &i64) -> Key {
        let at = DateTime::from_timestamp(NOON + n, 0).unwrap();
        Key { at, id: Uuid::from_u128(u128::try_from(*n).unwrap()), changed_xid: 100 + n }
    }

    fn page(params: &ListParams, list: &str) -> Result<PageRequest> {
        PageRequest::parse(params, list, &seal("s"))
    }

    fn cursor(text: &str) -> ListParams {
        ListParams { limit: Some(2), cursor: Some(text.to_owned()), since: None }
    }

    #[test]
    fn while_the_secret_is_changed_the_marks_of_both_are_good() {
        let mark =
            |seal: &Seal| seal.write(&Token { v: 1, f: String::new(), k: Place::Changed(1, Uuid::nil()), e: None });
        let (old, both, new) = (seal("old"), seal("new\nold"), seal("new"));
        assert!(both.read(&mark(&old)).is_some());
        assert!(new.read(&mark(&both)).is_some());
        assert!(new.read(&mark(&old)).is_none());
    }

    #[test]
    fn bad_marks_do_not_have_the_secret_read_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let given = serde_json::json!({ "text": "old", "file": file.path() });
        let ours = Seal::new(&serde_json::from_value(given).unwrap());
        let mark =
            |seal: &Seal| seal.write(&Token { v: 1, f: String::new(), k: Place::Changed(1, Uuid::nil()), e: None });
        std::fs::write(file.path(), "new\nold\n").unwrap();
        assert!(ours.read(&mark(&seal("new"))).is_some());
        std::fs::write(file.path(), "newer\nnew\n").unwrap();
        // Just read; what was read still counts.
        assert!(ours.read(&mark(&seal("newer"))).is_none());
        assert!(ours.read(&mark(&seal("new"))).is_some());
        ours.0.later.lock().unwrap().at = Instant::now().checked_sub(LOOK_AGAIN);
        assert!(ours.read(&mark(&seal("newer"))).is_some());
    }

    #[test]
    fn a_list_goes_on_where_it_stopped_and_ends_with_a_token_taken_at_its_start() {
        let first = page(&ListParams { limit: Some(2), ..ListParams::default() }, "/v1/cases?").unwrap();
        assert_eq!(first.fetch(), 3);
        let first = first.finish(vec![9, 8, 7], 500, key);
        assert_eq!(first.items, [9, 8]);
        assert!(first.since.is_none());

        let second = page(&cursor(&first.next_cursor.unwrap()), "/v1/cases?").unwrap();
        assert_eq!(second.mode, Mode::Newest { after: Some((key(&8).at, key(&8).id)) });
        assert_eq!(second.started_at, Some(500));
        let second = second.finish(vec![7], 500, key);
        assert!(second.next_cursor.is_none());

        let since = ListParams { since: second.since, ..ListParams::default() };
        let feed = page(&since, "/v1/cases?").unwrap();
        assert_eq!(feed.mode, Mode::Changed { after: (500, Uuid::nil()) });
        let feed = PageRequest { limit: 1, ..feed }.finish(vec![3, 4], 600, key);
        let next = page(&cursor(&feed.next_cursor.unwrap()), "/v1/cases?").unwrap();
        assert_eq!(next.mode, Mode::Changed { after: (103, key(&3).id) });
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let all = page(&ListParams { limit: Some(1), ..ListParams::default() }, "/v1/cases?").unwrap();
        let token = all.finish(vec![2, 1], 5, key).next_cursor.unwrap();
        let error = page(&cursor(&token), "/v1/cases?kind=inquiry").unwrap_err();
        assert_eq!(problem::kind_of(&error).slug, "cursor-filter-mismatch");
        // The place of a list is not a place in the feed.
        let since = ListParams { since: Some(token), ..ListParams::default() };
        assert_eq!(problem::kind_of(&page(&since, "/v1/cases?").unwrap_err()).slug, "cursor-invalid");
    }

    #[test]
    fn a_forged_cursor_is_refused() {
        let all = page(&ListParams { limit: Some(1), ..ListParams::default() }, "/v1/cases?").unwrap();
        let token = all.finish(vec![2, 1], 5, key).next_cursor.unwrap();
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        for forged in [BASE64_URL_SAFE_NO_PAD.encode(bytes), String::new(), "x".repeat(9999), "%".to_owned()] {
            let error = page(&cursor(&forged), "/v1/cases?").unwrap_err();
            assert_eq!(problem::kind_of(&error).slug, "cursor-invalid");
        }
        assert!(seal("other").read(&token).is_none());
    }

    #[test]
    fn list_parameters_are_taken_out_of_the_query_in_any_order() {
        let (params, filters) = split("status=open&limit=7&kind=a%26b").unwrap();
        assert_eq!(params.limit, Some(7));
        assert_eq!(filters, "kind=a%26b&status=open");
        for bad in ["limit=0", "limit=201", "limit=x", "cursor=a&since=b", "limit=1&limit=2", "since=a&since=b"] {
            assert!(matches!(split(bad), Err(Error::Malformed(_))), "{bad}");
        }
    }
}
