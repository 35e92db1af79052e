//! The words of DOMAIN.md that every service speaks: kinds, priorities, channels, statuses, categories, languages.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares an enum whose variants have one word each, the same in JSON, in the database, in events and in documents.
///
/// A word is matched as a `tt`: a `literal` reaches the derives in a group, in which utoipa does not see it.
#[macro_export]
macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$doc])*
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one with that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

word_enum! {
    /// What a case is (事項的種類).
    CaseKind {
        /// 諮詢: a question.
        Inquiry = "inquiry",
        /// 投訴: something is wrong with the service or with how it was done.
        Complaint = "complaint",
        /// 報修與服務: something is to be done.
        ServiceRequest = "service_request",
        /// 建議: something could be better.
        Suggestion = "suggestion",
    }
}

impl CaseKind {
    /// First letter of references of this kind.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Inquiry => 'Q',
            Self::Complaint => 'C',
            Self::ServiceRequest => 'S',
            Self::Suggestion => 'G',
        }
    }
}

word_enum! {
    /// How urgent (DOMAIN.md §4).
    Priority {
        /// Emergency: life, fire, gas, entrapment, burst pipe.
        P1 = "P1",
        /// Urgent: no power, water, heat or lift.
        P2 = "P2",
        /// Normal.
        P3 = "P3",
        /// Low.
        P4 = "P4",
    }
}

word_enum! {
    /// The way by which an owner said something.
    Channel {
        /// At the desk.
        Desk = "desk",
        /// On the phone.
        Phone = "phone",
        /// In the owners' app.
        App = "app",
        /// In WeChat.
        Wechat = "wechat",
        /// By email.
        Email = "email",
        /// On the web.
        Web = "web",
        /// By a QR code on the spot.
        Qr = "qr",
    }
}

impl Channel {
    /// Whether owners use it by themselves; what comes by the others is taken down by staff.
    #[must_use]
    pub const fn is_of_owners(self) -> bool {
        match self {
            Self::App | Self::Wechat | Self::Web | Self::Qr => true,
            Self::Desk | Self::Phone | Self::Email => false,
        }
    }
}

word_enum! {
    /// What the owner sees of a case, the same for every kind (DOMAIN.md §3).
    CaseStatus {
        /// We have it.
        Received = "received",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// We wait for the owner.
        AwaitingOwner = "awaiting_owner",
        /// We believe it is done; the owner has the word.
        Resolved = "resolved",
        /// Done, with the owner's word or after its time.
        Closed = "closed",
        /// Withdrawn by the owner or called off.
        Cancelled = "cancelled",
    }
}

word_enum! {
    /// What was promised.
    PromiseKind {
        /// Somebody comes within a window.
        Appointment = "appointment",
        /// An action of a decision.
        Commitment = "commitment",
        /// A decision by a date that was put off.
        Decision = "decision",
        /// It is finished by a date that was put off.
        Finish = "finish",
        /// Something else, until then.
        Other = "other",
    }
}

word_enum! {
    /// Why a matter is escalated. What stands first comes first.
    EscalationCause {
        /// Nobody has it.
        Unowned = "unowned",
        /// Whoever had it gave it back.
        Returned = "returned",
        /// It was paused for longer than is allowed.
        LongPaused = "long_paused",
        /// Its owner says that it is not solved.
        Reopened = "reopened",
        /// A promise was broken.
        Promise = "promise",
        /// It was overdue when it was entered.
        LateEntry = "late_entry",
        /// A share of a clock is used up.
        Share = "share",
    }
}

word_enum! {
    /// Where a case stands in the service that works on it: the stages of inquiries, complaints, service requests and suggestions.
    CaseStage {
        /// It came in.
        Received = "received",
        /// A person took it up. Complaints.
        Acknowledged = "acknowledged",
        /// It is classified and split into its points. Complaints.
        Assessed = "assessed",
        /// Departments are asked, facts are gathered. Complaints.
        Investigating = "investigating",
        /// Something is needed from the owner. Complaints.
        AwaitingOwner = "awaiting_owner",
        /// There is a plan, and the owner was told. Complaints.
        Proposed = "proposed",
        /// Every point has its outcome. Complaints.
        Decided = "decided",
        /// Work that the decision needs was ordered. Complaints.
        Remedying = "remedying",
        /// The owner confirmed that it is solved. Complaints.
        Verified = "verified",
        /// The owner took it back. Complaints and suggestions.
        Withdrawn = "withdrawn",
        /// The owner was asked for something. Service requests.
        NeedsInfo = "needs_info",
        /// Service requests: the details are clear. Suggestions: the owner has seen that it is there.
        Confirmed = "confirmed",
        /// A department has it. Service requests.
        Routed = "routed",
        /// A technician has taken it. Service requests.
        InWork = "in_work",
        /// All work is reported done. Service requests.
        DoneReported = "done_reported",
        /// The owner finds it good. Service requests.
        OwnerVerified = "owner_verified",
        /// It will not be done. Service requests and suggestions.
        Declined = "declined",
        /// Asked. Inquiries.
        Open = "open",
        /// Answered. Inquiries.
        Answered = "answered",
        /// The owner is to be called back. Inquiries.
        FollowUpDue = "follow_up_due",
        /// The owner was called back. Inquiries.
        FollowedUp = "followed_up",
        /// Asked again. Inquiries.
        Reopened = "reopened",
        /// Somebody looks into it. Suggestions.
        Considered = "considered",
        /// We will do it. Suggestions.
        Accepted = "accepted",
        /// Not now. Suggestions.
        Later = "later",
        /// It is known what will be done. Suggestions.
        Planned = "planned",
        /// It is there, with proof. Suggestions.
        Delivered = "delivered",
        /// Done.
        Closed = "closed",
        /// Called off.
        Cancelled = "cancelled",
    }
}

word_enum! {
    /// Languages of every text that a person reads.
    Language {
        /// 简体中文
        ZhHans = "zh-Hans",
        /// 繁體中文
        ZhHant = "zh-Hant",
        /// English
        En = "en",
    }
}

impl Language {
    /// The best language for an `Accept-Language` header; `zh-Hans` when nothing fits, as most owners read it.
    ///
    /// Regions stand for scripts: TW, HK and MO read traditional characters. Weights (`q`) are honoured.
    #[must_use]
    pub fn negotiate(header: &str) -> Self {
        let mut best = (0_u16, Self::ZhHans);
        for part in header.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let tag = pieces.next().unwrap_or_default().to_ascii_lowercase();
            let weight = pieces
                .find_map(|piece| piece.strip_prefix("q="))
                .map_or(1000, |q| q.parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1000.0).round() as u16));
            if let Some(language) = Self::of_tag(&tag)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }

    fn of_tag(tag: &str) -> Option<Self> {
        match tag {
            "zh-hant" | "zh-tw" | "zh-hk" | "zh-mo" => Some(Self::ZhHant),
            tag if tag.starts_with("zh-hant-") => Some(Self::ZhHant),
            tag if tag == "zh" || tag.starts_with("zh-") => Some(Self::ZhHans),
            tag if tag == "en" || tag.starts_with("en-") => Some(Self::En),
            _ => None,
        }
    }
}

/// What a matter is about: an entry of the taxonomy that ships with the product (`taxonomy.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Category {
    /// Code, for example `lift.entrapment`.
    pub code: String,
    /// Name in simplified Chinese.
    pub zh_hans: String,
    /// Name in English.
    pub en: String,
    /// What a case of this category usually is.
    pub usual_kind: CaseKind,
    /// How urgent it usually is.
    pub priority: Priority,
    /// Who usually does it; `+` joins several.
    pub department: String,
}

static TAXONOMY: LazyLock<Vec<Category>> = LazyLock::new(|| {
    // The file is part of the program and read by a test, so a fault in it never reaches a running system.
    serde_json::from_str(include_str!("../taxonomy.json")).unwrap_or_default()
});

/// The category of a matter nobody has classified yet.
pub const OTHER: &str = "other";

/// All categories.
#[must_use]
pub fn taxonomy() -> &'static [Category] {
    &TAXONOMY
}

/// The category with that code.
#[must_use]
pub fn category(code: &str) -> Option<&'static Category> {
    taxonomy().iter().find(|category| category.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_taxonomy_is_whole() {
        assert_eq!(taxonomy().len(), 52);
        assert!(category(OTHER).is_some());
        assert_eq!(category("lift.entrapment").map(|c| c.priority), Some(Priority::P1));
    }

    #[test]
    fn the_api_document_has_the_words_that_are_sent() {
        let document = serde_json::to_value(<Language as utoipa::PartialSchema>::schema()).unwrap();
        assert_eq!(document["enum"], serde_json::to_value(Language::ALL).unwrap());
        assert_eq!(document["enum"][0], "zh-Hans");
    }

    #[test]
    fn languages_are_negotiated_by_weight_and_region() {
        assert_eq!(Language::negotiate("en;q=0.5, zh-TW"), Language::ZhHant);
        assert_eq!(Language::negotiate("fr, en-GB;q=0.8"), Language::En);
        assert_eq!(Language::negotiate("fr"), Language::ZhHans);
        assert_eq!(Language::negotiate("zh-Hant-HK"), Language::ZhHant);
    }
}
