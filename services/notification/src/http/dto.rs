//! Requests and answers.

mod digests;

pub use digests::{AlertQuery, AlertView, CauseCount, DigestQuery, DigestView, PriorityCount};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Error, FieldError, Result};
use steward_kernel::{
    Actor, ActorId, Version, era,
    ids::{CaseId, EstateId, ResidentId},
    text::{Line, Words},
    vocabulary::{CaseKind, Language},
    word::{TakenDown, WordNote},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        DeliveryStatus, Message, MessageId, Notice, NoticeContent, NoticeId, NoticeStatus, OutChannel, Preference,
        Reason, SuppressionReason, SurveyId, Template,
    },
    store::{MessageFilter, NoticeFilter},
};

/// Most estates of one notice.
const MAX_ESTATES: usize = 200;

/// A command that needs no words.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct Nothing {}

/// Which messages to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// To this resident.
    pub resident_id: Option<ResidentId>,
    /// About this case.
    pub case_id: Option<CaseId>,
    /// That stand so in the app inbox; `delivered` is what is unread.
    pub status: Option<DeliveryStatus>,
}

impl From<MessageQuery> for MessageFilter {
    fn from(query: MessageQuery) -> Self {
        let MessageQuery { resident_id, case_id, status } = query;
        Self { resident: resident_id, case: case_id, status }
    }
}

/// How far a message has come on one channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The channel.
    pub channel: OutChannel,
    /// How far.
    pub status: DeliveryStatus,
    /// Why it is not sent, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<SuppressionReason>,
}

/// A message about a milestone of a case.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "message_id": "6f0c2c1e-5b8e-5d52-9c3e-0d8f0f4b8a11",
    "case_id": "0199f3a0-0000-7000-8000-00000000c001",
    "reference": "C-261123-7K3QD4",
    "kind": "complaint",
    "estate_id": "0199f3a0-0000-7000-8000-00000000e001",
    "resident_id": "0199f3a0-0000-7000-8000-00000000a001",
    "template": "received",
    "language": "zh-Hans",
    "title": "已收到您的投诉",
    "body": "您好，您的投诉已登记，编号 C-261123-7K3QD4。我们会尽快答复您，进展随时可以在这里查看。",
    "happened_at": "2026-11-23T08:00:00Z",
    "created_at": "2026-11-23T08:00:00Z",
    "deliveries": [{"channel": "app_inbox", "status": "delivered"}],
    "version": 2
}))]
pub struct MessageView {
    /// The message.
    pub message_id: MessageId,
    /// The case it is about.
    pub case_id: CaseId,
    /// The reference of the case.
    pub reference: String,
    /// The kind of the case.
    pub kind: CaseKind,
    /// The estate of the case.
    pub estate_id: EstateId,
    /// Who is told; absent when nobody knows whose matter it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_id: Option<ResidentId>,
    /// The survey it invites to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survey_id: Option<SurveyId>,
    /// Which text it is.
    pub template: Template,
    /// The language it is in.
    pub language: Language,
    /// One line.
    pub title: String,
    /// A few sentences.
    pub body: String,
    /// When that happened of which it tells.
    pub happened_at: DateTime<Utc>,
    /// When the message was made.
    pub created_at: DateTime<Utc>,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<DateTime<Utc>>,
    /// How far it has come, by channel.
    pub deliveries: Vec<DeliveryView>,
    /// Version, as in `ETag`.
    pub version: i32,
}

impl MessageView {
    /// The view of a message.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was never due.
    pub fn of(message: Message, version: Version) -> Result<Self> {
        let Message { id, letter, status, suppressed, created_at, read_at } = message;
        let (Some(letter), Some(created_at)) = (letter, created_at) else { return Err(Error::NotFound) };
        Ok(Self {
            message_id: id,
            case_id: letter.case,
            reference: letter.reference,
            kind: letter.kind,
            estate_id: letter.estate,
            resident_id: letter.resident,
            survey_id: letter.survey,
            template: letter.template,
            language: letter.language,
            title: letter.title,
            body: letter.body,
            happened_at: letter.happened_at,
            created_at,
            read_at,
            deliveries: vec![DeliveryView { channel: OutChannel::AppInbox, status, reason: suppressed }],
            version: version.get(),
        })
    }
}

/// A text for the households of some estates.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "estate_ids": ["0199f3a0-0000-7000-8000-00000000e001"],
    "title": "4号楼二次供水水箱清洗通知",
    "body": "因清洗消毒二次供水水箱，4号楼明天9:00至16:00停水，请提前蓄水。",
    "language": "zh-Hans",
    "expires_at": "2026-11-25T00:00:00+08:00"
}))]
pub struct WriteNotice {
    /// The estates whose households may read it, 1 to 200.
    #[schema(min_items = 1, max_items = 200)]
    pub estate_ids: Vec<EstateId>,
    /// One line.
    pub title: Line,
    /// The text.
    pub body: Words,
    /// Its language; `zh-Hans` when absent.
    pub language: Option<Language>,
    /// When its time is over; never when absent.
    #[serde(default, deserialize_with = "era::read")]
    pub expires_at: Option<DateTime<Utc>>,
}

impl TryFrom<WriteNotice> for NoticeContent {
    type Error = Error;

    fn try_from(body: WriteNotice) -> Result<Self> {
        let WriteNotice { estate_ids: mut estates, title, body, language, expires_at } = body;
        if estates.is_empty() || estates.len() > MAX_ESTATES {
            let fault = FieldError::new("/estate_ids", "wrong_number", format!("must be 1 to {MAX_ESTATES} estates"));
            return Err(Error::Invalid(vec![fault]));
        }
        let mut seen = std::collections::BTreeSet::new();
        estates.retain(|estate| seen.insert(*estate));
        Ok(Self { estates, title, body, language: language.unwrap_or(Language::ZhHans), expires_at })
    }
}

/// Why a notice is taken back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "停水改期，另行通知"}))]
pub struct RecallNotice {
    /// For the households that have read it, 1 to 500 characters.
    pub reason: Reason,
}

/// Which notices to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoticeQuery {
    /// For this estate.
    pub estate_id: Option<EstateId>,
    /// In this state.
    pub status: Option<NoticeStatus>,
}

impl From<NoticeQuery> for NoticeFilter {
    fn from(query: NoticeQuery) -> Self {
        let NoticeQuery { estate_id, status } = query;
        Self { estate: estate_id, status }
    }
}

/// A notice.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "notice_id": "0199f3a0-0000-7000-8000-00000000b001",
    "estate_ids": ["0199f3a0-0000-7000-8000-00000000e001"],
    "title": "4号楼二次供水水箱清洗通知",
    "body": "因清洗消毒二次供水水箱，4号楼明天9:00至16:00停水，请提前蓄水。",
    "language": "zh-Hans",
    "status": "sent",
    "channels": ["bulletin_board"],
    "created_at": "2026-11-23T08:00:00Z",
    "published_at": "2026-11-23T09:00:00Z",
    "expires_at": "2026-11-24T16:00:00Z",
    "allowed": [],
    "version": 4
}))]
pub struct NoticeView {
    /// The notice.
    pub notice_id: NoticeId,
    /// The estates whose households may read it.
    pub estate_ids: Vec<EstateId>,
    /// One line.
    pub title: Line,
    /// The text.
    pub body: Words,
    /// Its language.
    pub language: Language,
    /// Where it stands.
    pub status: NoticeStatus,
    /// By which it is told.
    pub channels: Vec<OutChannel>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<DateTime<Utc>>,
    /// When its time is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall_reason: Option<Reason>,
    /// The account that wrote it; for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<ActorId>,
    /// The account of the second person; for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<ActorId>,
    /// The commands that are legal now; for staff.
    pub allowed: Vec<&'static str>,
    /// Version, as in `ETag`.
    pub version: i32,
}

impl NoticeView {
    /// The view of a notice for that reader.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was never written.
    pub fn of(notice: Notice, version: Version, reader: &Actor) -> Result<Self> {
        let staff = !reader.is_only_owner();
        let allowed = if staff { notice.allowed() } else { Vec::new() };
        let Notice { id, status, content, author, approver, created_at, published_at, recall_reason } = notice;
        let (Some(status), Some(content), Some(created_at)) = (status, content, created_at) else {
            return Err(Error::NotFound);
        };
        let NoticeContent { estates, title, body, language, expires_at } = content;
        Ok(Self {
            notice_id: id,
            estate_ids: estates,
            title,
            body,
            language,
            status,
            channels: vec![OutChannel::BulletinBoard],
            created_at,
            published_at,
            expires_at,
            recall_reason,
            author: author.filter(|_| staff),
            approver: approver.filter(|_| staff),
            allowed,
            version: version.get(),
        })
    }
}

/// How a resident wants to be told.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "en", "channels": ["app_inbox"]}))]
pub struct SetPreference {
    /// The language of all messages; that of each case when absent.
    pub language: Option<Language>,
    /// The channels for messages; none means no messages.
    #[schema(max_items = 8)]
    pub channels: Vec<OutChannel>,
    /// For staff, who take down what the resident said: how the resident gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// How a resident wants to be told.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "resident_id": "0199f3a0-0000-7000-8000-00000000a001",
    "language": "en",
    "channels": ["app_inbox"],
    "version": 1
}))]
pub struct PreferenceView {
    /// The resident.
    pub resident_id: ResidentId,
    /// The language of all messages; absent: that of each case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The channels for messages.
    pub channels: Vec<OutChannel>,
    /// How staff took down what holds; absent when the resident set it, or nobody did. Who took it down is shown to staff alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
    /// Version, as in `ETag`; 0 when it was never set.
    pub version: i32,
}

impl PreferenceView {
    /// The view of a preference.
    #[must_use]
    pub fn of(preference: Preference, version: Version, actor: &Actor) -> Self {
        let Preference { resident, language, channels, is_set: _, taken_down } = preference;
        let taken_down = taken_down.map(|note| note.shown_to(actor));
        Self { resident_id: resident, language, channels, taken_down, version: version.get() }
    }
}
