//! Refusals of estates, articles, desk checks, files and imports as problems.

use steward_kernel::{ProblemKind, Refuses};

use super::at;
use crate::domain::{article, desk_check, estate, file, import, staff};

const NO_SUCH_ESTATE: ProblemKind = ProblemKind::not_found("intake/no-such-estate", "There is no such estate");
const ESTATE_CODE: ProblemKind =
    ProblemKind::conflict("intake/estate-code-fixed", "The code of an estate never changes");
const NO_SUCH_ARTICLE: ProblemKind = ProblemKind::not_found("intake/no-such-article", "There is no such article");
const CODE_TAKEN: ProblemKind = ProblemKind::conflict("intake/article-code-taken", "Another article has this code");
const ARTICLE_CODE: ProblemKind =
    ProblemKind::unprocessable("intake/article-code-fixed", "The code of an article never changes");
const NOT_YOUR_ESTATE: ProblemKind =
    ProblemKind::unprocessable("intake/article-not-your-estate", "You write for your own estates only");
const ITEM_COUNT: ProblemKind =
    ProblemKind::unprocessable("intake/desk-check-item-count", "A desk check has 1 to 50 items");
const ITEM_TWICE: ProblemKind =
    ProblemKind::unprocessable("intake/desk-check-item-twice", "An item of the desk check stands there twice");
const IN_THE_FUTURE: ProblemKind =
    ProblemKind::unprocessable("intake/desk-check-in-the-future", "The day of the desk check has not come yet");
const CHECK_TOO_LONG_AGO: ProblemKind =
    ProblemKind::unprocessable("intake/desk-check-too-long-ago", "A desk check is written down within three days");
const FILE_EMPTY: ProblemKind = ProblemKind::unprocessable("intake/file-empty", "There is nothing in the file");
const TYPE_MISMATCH: ProblemKind =
    ProblemKind::unprocessable("intake/file-type-mismatch", "The content is not of the type that Content-Type says");
const FILE_STORED: ProblemKind = ProblemKind::conflict("intake/file-already-stored", "The file is stored already");
const IMPORTED: ProblemKind = ProblemKind::conflict("intake/already-imported", "This import was carried out before");

/// Their titles in zh-Hans and zh-Hant.
pub(super) const TITLES: &[(ProblemKind, [&str; 2])] = &[
    (NO_SUCH_ESTATE, ["没有这个小区", "沒有這個小區"]),
    (ESTATE_CODE, ["小区编码不能更改", "小區編碼不能更改"]),
    (NO_SUCH_ARTICLE, ["没有这个手册条目", "沒有這個手冊條目"]),
    (CODE_TAKEN, ["已有使用此编码的条目", "已有使用此編碼的條目"]),
    (ARTICLE_CODE, ["条目编码不能更改", "條目編碼不能更改"]),
    (NOT_YOUR_ESTATE, ["只能为您自己的小区编写", "只能為您自己的小區編寫"]),
    (ITEM_COUNT, ["服务台检查须有 1 至 50 项", "服務台檢查須有 1 至 50 項"]),
    (ITEM_TWICE, ["服务台检查中有重复的项目", "服務台檢查中有重複的項目"]),
    (IN_THE_FUTURE, ["检查日期尚未到来", "檢查日期尚未到來"]),
    (CHECK_TOO_LONG_AGO, ["服务台检查须在三天内登记", "服務台檢查須在三天內登記"]),
    (FILE_EMPTY, ["文件是空的", "檔案是空的"]),
    (TYPE_MISMATCH, ["文件内容与 Content-Type 不符", "檔案內容與 Content-Type 不符"]),
    (FILE_STORED, ["文件已经保存", "檔案已經儲存"]),
    (IMPORTED, ["此次导入已经完成", "此次匯入已經完成"]),
];

impl Refuses for estate::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchEstate => NO_SUCH_ESTATE,
            Self::CodeIsFixed => ESTATE_CODE,
        }
    }
}

impl Refuses for article::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchArticle => NO_SUCH_ARTICLE,
            Self::CodeTaken => CODE_TAKEN,
            Self::CodeIsFixed => ARTICLE_CODE,
            Self::NotYourEstate => NOT_YOUR_ESTATE,
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::NoSuchArticle => None,
            Self::CodeTaken => at("/code", "must be one that no article has; or revise that article"),
            Self::CodeIsFixed => at("/code", "must stay as it is"),
            Self::NotYourEstate => at("/estate_id", "must be one of your estates"),
        }
    }
}

impl Refuses for desk_check::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchEstate => NO_SUCH_ESTATE,
            Self::ItemCount => ITEM_COUNT,
            Self::ItemTwice(_) => ITEM_TWICE,
            Self::InTheFuture => IN_THE_FUTURE,
            Self::TooLongAgo => CHECK_TOO_LONG_AGO,
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::NoSuchEstate => None,
            Self::ItemCount => at("/items", "must have 1 to 50 items"),
            Self::ItemTwice(place) => at(&format!("/items/{place}/item"), "must stand there once"),
            Self::InTheFuture => at("/on", "must be today in the estate, or a day before"),
            Self::TooLongAgo => at("/on", "must be at most three days back"),
        }
    }
}

impl Refuses for file::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::Empty => FILE_EMPTY,
            Self::TypeMismatch => TYPE_MISMATCH,
            Self::AlreadyStored => FILE_STORED,
        }
    }
}

impl Refuses for import::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::AlreadyImported => IMPORTED,
        }
    }
}

impl Refuses for staff::Refusal {
    fn problem(&self) -> ProblemKind {
        match *self {}
    }
}
