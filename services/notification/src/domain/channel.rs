//! The ways out of the house.

use serde::Serialize;
use steward_kernel::word_enum;
use utoipa::ToSchema;

word_enum! {
    /// A way by which we say something (DOMAIN.md §2, channels out).
    OutChannel {
        /// The inbox in the owners' app.
        AppInbox = "app_inbox",
        /// The bulletin board of the estate, in the app and on its screens.
        BulletinBoard = "bulletin_board",
        /// A robot in a WeCom group.
        WecomRobot = "wecom_robot",
        /// A WeCom message to one person.
        WecomMessage = "wecom_message",
        /// The WeChat official account.
        WechatOfficialAccount = "wechat_official_account",
        /// A text message to a phone.
        Sms = "sms",
        /// Email.
        Email = "email",
        /// A call to another system of the company.
        Webhook = "webhook",
    }
}

/// How much fits into one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelLimits {
    /// Most characters of the title.
    pub title_characters: u16,
    /// Most characters of the body.
    pub body_characters: u16,
}

impl OutChannel {
    /// What fits into it; `None` when it is not connected.
    #[must_use]
    pub const fn limits(self) -> Option<ChannelLimits> {
        match self {
            Self::AppInbox => Some(ChannelLimits { title_characters: 60, body_characters: 500 }),
            Self::BulletinBoard => Some(ChannelLimits { title_characters: 200, body_characters: 4000 }),
            Self::WecomRobot
            | Self::WecomMessage
            | Self::WechatOfficialAccount
            | Self::Sms
            | Self::Email
            | Self::Webhook => None,
        }
    }

    /// Whether messages to one resident can go this way now.
    #[must_use]
    pub const fn carries_messages(self) -> bool {
        matches!(self, Self::AppInbox)
    }

    /// Whether notices for many can go this way now.
    #[must_use]
    pub const fn carries_notices(self) -> bool {
        matches!(self, Self::BulletinBoard)
    }
}
