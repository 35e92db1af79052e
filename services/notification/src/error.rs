//! The problems of this service, with their titles.

use steward_kernel::{ProblemKind, Refuses, word};

use crate::domain::{digests, messages, notices, preferences};

/// Every refusal as a problem with its titles in zh-Hans and zh-Hant.
#[must_use]
pub fn problems() -> Vec<(ProblemKind, [&'static str; 2])> {
    let messages = messages::Refusal::ALL.iter().map(|refusal| (refusal.problem(), message_titles(*refusal)));
    let notices = notices::Refusal::ALL.into_iter().map(|refusal| (refusal.problem(), notice_titles(&refusal)));
    let preferences = PREFERENCES.iter().map(|(refusal, titles)| (refusal.problem(), *titles));
    let digests = digests::Refusal::ALL.iter().map(|refusal| (refusal.problem(), digest_titles(*refusal)));
    let words = word::PROBLEMS.iter().copied();
    messages.chain(notices).chain(preferences).chain(digests).chain(words).collect()
}

fn message_titles(refusal: messages::Refusal) -> [&'static str; 2] {
    use messages::Refusal as R;
    match refusal {
        R::NoSuchMessage => ["没有这条消息", "沒有這條訊息"],
        R::NotAddressee => ["只有收件人可以标记已读", "只有收件人可以標記已讀"],
        R::NotDelivered => ["这条消息没有送达", "這條訊息沒有送達"],
    }
}

fn notice_titles(refusal: &notices::Refusal) -> [&'static str; 2] {
    use notices::Refusal as R;
    match refusal {
        R::NoSuchNotice => ["没有这份公告", "沒有這份公告"],
        R::NotAllowedNow(_) => ["公告当前状态不允许此操作", "公告目前狀態不允許此操作"],
        R::SamePerson => ["公告须由撰写人以外的人审核", "公告須由撰寫人以外的人審核"],
        R::ExpiredBefore => ["公告在发布前已过期", "公告在發布前已過期"],
        R::UnknownEstate(_) => ["没有这个小区", "沒有這個小區"],
        R::NotAllYours => ["处理公告须负责其全部小区", "處理公告須負責其全部小區"],
        R::ExpiresInThePast => ["公告的截止时间已过", "公告的截止時間已過"],
    }
}

/// Those of the owner's word have theirs where they are.
const PREFERENCES: [(preferences::Refusal, [&str; 2]); 2] = [
    (preferences::Refusal::NoSuchResident, ["没有这位住户", "沒有這位住戶"]),
    (preferences::Refusal::NotConnected(0), ["消息还不能经由此渠道发送", "訊息還不能經由此渠道發送"]),
];

fn digest_titles(refusal: digests::Refusal) -> [&'static str; 2] {
    match refusal {
        digests::Refusal::NoSuchDigest => ["没有这份汇总提醒", "沒有這份彙總提醒"],
    }
}
