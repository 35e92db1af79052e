//! The dictionary of figures: each has one id, one formula, one population, one clock. Every screen and every
//! answer uses these.
//!
//! The id is the place of the figure in the answer of `GET /v1/metrics`. When a formula, population or clock
//! changes, the figure's version rises, and with it [`VERSION`], which rises for new figures, too.

use steward_kernel::vocabulary::Language;

/// Version of the dictionary as a whole.
pub const VERSION: u32 = 4;

/// One text in three languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    zh_hans: &'static str,
    zh_hant: &'static str,
    en: &'static str,
}

impl Words {
    /// In that language.
    #[must_use]
    pub const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::ZhHans => self.zh_hans,
            Language::ZhHant => self.zh_hant,
            Language::En => self.en,
        }
    }
}

const fn words(zh_hans: &'static str, zh_hant: &'static str, en: &'static str) -> Words {
    Words { zh_hans, zh_hant, en }
}

/// What a figure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its place in the answer: `satisfaction.mean`.
    pub id: &'static str,
    /// What people call it.
    pub name: Words,
    /// How it is calculated.
    pub formula: Words,
    /// Of what.
    pub population: Words,
    /// Which time is measured, or by which time something belongs to a period.
    pub clock: Words,
    /// Its version.
    pub version: u32,
}

const SAID: Words = words(
    "按业主说出之日计入(小区当地日期)，补录的按实际说出时间",
    "按業主說出之日計入(小區當地日期)，補錄的按實際說出時間",
    "Counted on the day the owner said it (local day of the estate), however late it was entered",
);
const EVENT_DAY: Words = words(
    "按事情发生之日计入(小区当地日期)；事项重新打开时收回",
    "按事情發生之日計入(小區當地日期)；事項重新打開時收回",
    "Counted on the day it happened (local day of the estate); taken back when the case comes back",
);
const NOW: Words = words("查询时的状况", "查詢時的狀況", "As it is when asked");
const SENT: Words = words(
    "按发出调查之日计入(小区当地日期)",
    "按發出調查之日計入(小區當地日期)",
    "Counted on the day the survey was sent (local day of the estate)",
);
const FROM_SAID: Words = words(
    "自然时间(7×24)，自业主说出时起，以秒计；分桶误差不超过 3.2%",
    "自然時間(7×24)，自業主說出時起，以秒計；分桶誤差不超過 3.2%",
    "Wall clock (24×7) from the owner's words, in seconds; buckets make it at most 3.2 % off",
);
const CASES: Words = words("本期说出的全部事项", "本期說出的全部事項", "All cases said in the period");
const NOT_GIVEN_UP: Words = words(
    "本期说出的事项；未办到即取消的与未予受理的报修除外，仍在等待的计入",
    "本期說出的事項；未辦到即取消的與未予受理的報修除外，仍在等待的計入",
    "Cases said in the period; without those called off before and requests that were declined, with those still waiting",
);
const NOT_CANCELLED: Words = words(
    "本期说出的事项；未办到即取消的除外，仍在等待的计入",
    "本期說出的事項；未辦到即取消的除外，仍在等待的計入",
    "Cases said in the period; without those called off before, with those still waiting",
);
const ALL_CASES: Words =
    words("小区全部事项，不限日期", "小區全部事項，不限日期", "All cases of the estate, of any day");
const RESOLVED_CASES: Words = words(
    "本期解决的事项；未予受理的报修不算解决",
    "本期解決的事項；未予受理的報修不算解決",
    "Cases resolved in the period; a request that was declined is not resolved",
);
const SURVEYS: Words = words(
    "本期发出的调查；未能告知业主的不算发出",
    "本期發出的調查；未能告知業主的不算發出",
    "Surveys sent in the period; one that its owner could not be told of was not sent",
);
const ANSWERS: Words = words(
    "本期发出的调查中已给出该项评分的；不足 5 份不显示",
    "本期發出的調查中已給出該項評分的；不足 5 份不顯示",
    "Surveys sent in the period whose answer gives this score; not shown under 5",
);
const CONFIRMABLE: Words = words(
    "本期说出、现已解决或关闭的投诉与报修，未予受理的除外；不足 5 件不显示比例",
    "本期說出、現已解決或關閉的投訴與報修，未予受理的除外；不足 5 件不顯示比例",
    "Complaints and service requests said in the period that are resolved or closed, without those declined; no share under 5",
);
const CLOCKS: Words = words(
    "本期停止或超时的时限，每个只计一次；补录时已超时的另计",
    "本期停止或超時的時限，每個只計一次；補錄時已超時的另計",
    "Clocks that stopped in the period or passed their due time in it, each once; late entries apart",
);
const CLOCKS_SHARE: Words = words(
    "本期按时或超时的时限，每个只计一次；补录时已超时的另计；不足 5 个不显示",
    "本期按時或超時的時限，每個只計一次；補錄時已超時的另計；不足 5 個不顯示",
    "Clocks met or missed in the period, each once; late entries apart; not shown under 5",
);
const CLOCK_DAY: Words = words(
    "超时的按超时之日计入，其余按停止之日计入(小区当地日期)；停止后以停止时的结果为准，此前所计随之更正",
    "超時的按超時之日計入，其餘按停止之日計入(小區當地日期)；停止後以停止時的結果為準，此前所計隨之更正",
    "Counted on the day the due time passed when missed, else on the day it stopped (local day of the estate); how it \
     stopped is final and corrects what was counted before",
);
const COMPANY_CLOCKS: Words = words(
    "本期停止的公司时限(对业主的时限)，不论结果",
    "本期停止的公司時限(對業主的時限)，不論結果",
    "Clocks of the company (what owners were promised) that stopped in the period, however they came out",
);
const CLOCK_TIME: Words = words(
    "各时限自己的日历(营业时间或 7×24)，以秒计；按停止之日计入(小区当地日期)",
    "各時限自己的日曆(營業時間或 7×24)，以秒計；按停止之日計入(小區當地日期)",
    "The calendar of each clock (business time or 24×7), in seconds; counted on the day it stopped (local day)",
);
const CLOCK_PARTS: Words = words(
    "按时、超时、作废、按时率与区间，同总数",
    "按時、超時、作廢、按時率與區間，同總數",
    "Met, missed, void, share and interval as for all",
);
const ESCALATIONS: Words = words(
    "本期发出的升级，每一级计一次",
    "本期發出的升級，每一級計一次",
    "Escalations raised in the period, once for each rung",
);
const PROMISES_ENDED: Words = words(
    "本期有结果的承诺，不论何时作出",
    "本期有結果的承諾，不論何時作出",
    "Promises that ended in the period, whenever they were made",
);
const PROMISES_SHARE: Words = words(
    "本期兑现或失约的承诺；不足 5 个不显示",
    "本期兌現或失約的承諾；不足 5 個不顯示",
    "Promises kept or broken in the period; not shown under 5",
);
const HAPPENED: Words = words(
    "按事情发生之日计入(小区当地日期)；失约的按到期之日计入，事后得知其实已按时兑现的随之更正",
    "按事情發生之日計入(小區當地日期)；失約的按到期之日計入，事後得知其實已按時兌現的隨之更正",
    "Counted on the day it happened (local day of the estate); a broken promise on the day it fell due, and no longer when \
     it turns out that it was kept in time",
);
const CAUSES: Words = words(
    "件数；原因：时限将尽或已过(share)、无人负责(unowned)、被退回(returned)、暂停过久(long_paused)、业主说没解决(reopened)、承诺未兑现(promise)、登记时已逾期(late_entry)",
    "件數；原因：時限將盡或已過(share)、無人負責(unowned)、被退回(returned)、暫停過久(long_paused)、業主說沒解決(reopened)、承諾未兌現(promise)、登記時已逾期(late_entry)",
    "Count; causes: a share of the time used up (share), nobody has it (unowned), given back (returned), paused too long (long_paused), not \
     solved, says the owner (reopened), a promise broken (promise), overdue when it was entered (late_entry)",
);
const RAISED: Words = words(
    "按发出升级之日计入(小区当地日期)",
    "按發出升級之日計入(小區當地日期)",
    "Counted on the day it was raised (local day of the estate)",
);
const COUNT: Words = words("件数", "件數", "Count");
const MEDIAN: Words = words(
    "最近秩第 50 百分位；仍在等待的视为慢于所有已办到的，若落在其中则为空",
    "最近秩第 50 百分位；仍在等待的視為慢於所有已辦到的，若落在其中則為空",
    "50th percentile, nearest rank; those waiting count as slower than all that are done, absent when it lies among them",
);
const NINETIETH: Words = words(
    "最近秩第 90 百分位；仍在等待的视为慢于所有已办到的，若落在其中则为空",
    "最近秩第 90 百分位；仍在等待的視為慢於所有已辦到的，若落在其中則為空",
    "90th percentile, nearest rank; those waiting count as slower than all that are done, absent when it lies among them",
);
const MEAN: Words = words("1 至 5 分的算术平均", "1 至 5 分的算術平均", "Arithmetic mean of scores from 1 to 5");
const SATISFIED: Words =
    words("4 分及以上的份数 ÷ 答复份数", "4 分及以上的份數 ÷ 答覆份數", "Answers with 4 or 5 ÷ answers");
const LOW: Words = words(
    "95% Wilson 区间下限",
    "95% Wilson 區間下限",
    "Lower end of the 95 % Wilson interval, without continuity correction",
);
const HIGH: Words = words(
    "95% Wilson 区间上限",
    "95% Wilson 區間上限",
    "Upper end of the 95 % Wilson interval, without continuity correction",
);

/// One line of the dictionary, in its first version.
const fn define(id: &'static str, name: Words, formula: Words, population: Words, clock: Words) -> Definition {
    Definition { id, name, formula, population, clock, version: 1 }
}

impl Definition {
    /// Its formula, population or clock was changed.
    const fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }
}

/// All figures.
pub const ALL: &[Definition] = &[
    define("cases.opened", words("新增事项", "新增事項", "Cases opened"), COUNT, CASES, SAID),
    define("cases.resolved", words("解决事项", "解決事項", "Cases resolved"), COUNT, RESOLVED_CASES, EVENT_DAY).version(2),
    define(
        "cases.closed",
        words("关闭事项", "關閉事項", "Cases closed"),
        COUNT,
        words("本期关闭的事项", "本期關閉的事項", "Cases closed in the period"),
        EVENT_DAY,
    ),
    define(
        "cases.declined",
        words("未予受理的报修", "未予受理的報修", "Requests declined"),
        COUNT,
        words(
            "本期因不属公司职责而未予受理的报修；不算解决，也不算等待",
            "本期因不屬公司職責而未予受理的報修；不算解決，也不算等待",
            "Service requests declined in the period as not the company's to do; neither resolved nor waiting",
        ),
        EVENT_DAY,
    ),
    define(
        "cases.cancelled",
        words("取消事项", "取消事項", "Cases called off"),
        COUNT,
        words("本期取消的事项", "本期取消的事項", "Cases called off in the period"),
        EVENT_DAY,
    ),
    define(
        "cases.reopened",
        words("重新打开的事项", "重新打開的事項", "Cases that came back"),
        words(
            "解决后至少重新打开一次的件数",
            "解決後至少重新打開一次的件數",
            "Count of those that came back at least once after they were settled",
        ),
        CASES,
        SAID,
    ),
    define("cases.open_now", words("在办事项", "在辦事項", "Open now"), COUNT, ALL_CASES, NOW),
    define("cases.by_kind", words("按类型", "按類型", "By kind"), COUNT, CASES, SAID),
    define("cases.by_status", words("按当前状态", "按目前狀態", "By status now"), COUNT, CASES, SAID),
    define("cases.by_priority", words("按优先级", "按優先級", "By priority"), COUNT, CASES, SAID),
    define(
        "first_human_answer_seconds.p50",
        words("首次人工响应中位时长", "首次人工回應中位時長", "Median time to the first human answer"),
        MEDIAN,
        NOT_CANCELLED,
        FROM_SAID,
    ),
    define(
        "first_human_answer_seconds.p90",
        words(
            "首次人工响应 90 分位时长",
            "首次人工回應 90 分位時長",
            "90th percentile of the time to the first human answer",
        ),
        NINETIETH,
        NOT_CANCELLED,
        FROM_SAID,
    ),
    define(
        "first_human_answer_seconds.n",
        words("已有人工响应", "已有人工回應", "Answered by a person"),
        words(
            "工作人员做过业主可见步骤的件数；自动回执、取消，以及业主自己的步骤(含代为记录的)不算",
            "工作人員做過業主可見步驟的件數；自動回執、取消，以及業主自己的步驟(含代為記錄的)不算",
            "Count of those where staff took a step the owner can see; receipts, calling off and the owner's own steps, also those that \
             were taken down for the owner, are none",
        ),
        NOT_CANCELLED,
        SAID,
    )
    .version(2),
    define(
        "first_human_answer_seconds.waiting",
        words("尚无人工响应", "尚無人工回應", "Not yet answered by a person"),
        COUNT,
        NOT_CANCELLED,
        SAID,
    ),
    define(
        "resolution_seconds.p50",
        words("解决中位时长", "解決中位時長", "Median time to resolution"),
        MEDIAN,
        NOT_GIVEN_UP,
        FROM_SAID,
    )
    .version(2),
    define(
        "resolution_seconds.p90",
        words("解决 90 分位时长", "解決 90 分位時長", "90th percentile of the time to resolution"),
        NINETIETH,
        NOT_GIVEN_UP,
        FROM_SAID,
    )
    .version(2),
    define(
        "resolution_seconds.n",
        words("已解决", "已解決", "Resolved"),
        words(
            "现为已解决或已关闭的件数；重新打开的回到等待",
            "現為已解決或已關閉的件數；重新打開的回到等待",
            "Count of those resolved or closed now; one that comes back waits again",
        ),
        NOT_GIVEN_UP,
        SAID,
    )
    .version(2),
    define("resolution_seconds.waiting", words("尚未解决", "尚未解決", "Not yet resolved"), COUNT, NOT_GIVEN_UP, SAID)
        .version(2),
    define("satisfaction.asked", words("已邀请评价", "已邀請評價", "Owners asked"), COUNT, SURVEYS, SENT).version(2),
    define(
        "satisfaction.not_asked",
        words("无法邀请评价", "無法邀請評價", "Owners who could not be asked"),
        words(
            "业主不明，或未能告知业主(拒收、无联系方式、未送达)的件数",
            "業主不明，或未能告知業主(拒收、無聯絡方式、未送達)的件數",
            "Count of those whose owner is not known, or could not be told (opted out, no contact point, not delivered)",
        ),
        RESOLVED_CASES,
        EVENT_DAY,
    )
    .version(2),
    define("satisfaction.n", words("答复份数", "答覆份數", "Answers"), COUNT, SURVEYS, SENT).version(2),
    define(
        "satisfaction.response_rate",
        words("答复率", "答覆率", "Response rate"),
        words("答复份数 ÷ 邀请份数", "答覆份數 ÷ 邀請份數", "Answers ÷ owners asked"),
        SURVEYS,
        SENT,
    ).version(2),
    define(
        "satisfaction.rated",
        words("结果评分份数", "結果評分份數", "Scores of the result given"),
        words(
            "答复中给出结果评分的份数",
            "答覆中給出結果評分的份數",
            "Answers with a score of the result; one may be left out",
        ),
        SURVEYS,
        SENT,
    ),
    define("satisfaction.mean", words("结果评分均值", "結果評分均值", "Mean score of the result"), MEAN, ANSWERS, SENT).version(2),
    define(
        "satisfaction.satisfied_share",
        words("结果满意率", "結果滿意率", "Share satisfied with the result"),
        SATISFIED,
        ANSWERS,
        SENT,
    ).version(2),
    define(
        "satisfaction.wilson_low",
        words("结果满意率下限", "結果滿意率下限", "At least satisfied"),
        LOW,
        ANSWERS,
        SENT,
    ).version(2),
    define(
        "satisfaction.wilson_high",
        words("结果满意率上限", "結果滿意率上限", "At most satisfied"),
        HIGH,
        ANSWERS,
        SENT,
    ).version(2),
    define("satisfaction.ratings", words("结果评分分布", "結果評分分佈", "Scores of the result"), COUNT, ANSWERS, SENT).version(2),
    define(
        "satisfaction.handling",
        words("办理过程评分", "辦理過程評分", "Scores of how it was handled"),
        words(
            "份数、均值、满意率与区间，同结果评分，各自计数",
            "份數、均值、滿意率與區間，同結果評分，各自計數",
            "Count, mean, share and interval as for the result, each of the scores that were given",
        ),
        ANSWERS,
        SENT,
    ).version(2),
    define(
        "satisfaction.courtesy",
        words("服务态度评分", "服務態度評分", "Scores of the manner"),
        words(
            "份数、均值、满意率与区间，同结果评分，各自计数",
            "份數、均值、滿意率與區間，同結果評分，各自計數",
            "Count, mean, share and interval as for the result, each of the scores that were given",
        ),
        ANSWERS,
        SENT,
    ).version(2),
    define(
        "confirmed_by_owner.n",
        words("可由业主确认", "可由業主確認", "Owners could confirm"),
        COUNT,
        CONFIRMABLE,
        SAID,
    ).version(2),
    define(
        "confirmed_by_owner.confirmed",
        words("业主确认解决", "業主確認解決", "Confirmed solved by the owner"),
        words(
            "业主本人最后表示已解决的件数；未表态不算，工作人员代记的另计",
            "業主本人最後表示已解決的件數；未表態不算，工作人員代記的另計",
            "Count of those whose owner said last, by themselves, that it is solved; silence is no yes, and what staff took \
             down is counted apart",
        ),
        CONFIRMABLE,
        SAID,
    ).version(3),
    define(
        "confirmed_by_owner.taken_down",
        words("代记的业主确认", "代記的業主確認", "Confirmations taken down by staff"),
        words(
            "工作人员代记业主最后表示已解决的件数；不计入确认解决率",
            "工作人員代記業主最後表示已解決的件數；不計入確認解決率",
            "Count of those of which staff took down that the owner said last that it is solved; in no share",
        ),
        CONFIRMABLE,
        SAID,
    ),
    define(
        "confirmed_by_owner.share",
        words("业主确认解决率", "業主確認解決率", "Share confirmed solved by the owner"),
        words("本人确认解决 ÷ 可确认", "本人確認解決 ÷ 可確認", "Confirmed by themselves ÷ could be confirmed"),
        CONFIRMABLE,
        SAID,
    ).version(3),
    define(
        "confirmed_by_owner.wilson_low",
        words("确认率下限", "確認率下限", "At least confirmed"),
        LOW,
        CONFIRMABLE,
        SAID,
    ).version(2),
    define(
        "confirmed_by_owner.wilson_high",
        words("确认率上限", "確認率上限", "At most confirmed"),
        HIGH,
        CONFIRMABLE,
        SAID,
    ).version(2),
    define(
        "deadlines.met",
        words("按时的时限", "按時的時限", "Deadlines met"),
        words(
            "公司按时办到所计之事的个数；回访以联系上业主为准",
            "公司按時辦到所計之事的個數；回訪以聯絡上業主為準",
            "Count of those whose measured step a person of the company did in time; a call-back by reaching the owner",
        ),
        CLOCKS,
        CLOCK_DAY,
    )
    .version(2),
    define(
        "deadlines.missed",
        words("超时的时限", "超時的時限", "Deadlines missed"),
        words(
            "所计之事办到时已超时的、回访逾期而始终未联系上的，以及已超时仍在走的个数",
            "所計之事辦到時已超時的、回訪逾期而始終未聯絡上的，以及已超時仍在走的個數",
            "Count of those whose measured step came too late or, for call-backs, reached nobody until too late, and of those that are \
             overdue and still run",
        ),
        CLOCKS,
        CLOCK_DAY,
    )
    .version(2),
    define(
        "deadlines.void",
        words("作废的时限", "作廢的時限", "Deadlines without object"),
        words(
            "公司未办到所计之事即停止的个数：取消、撤回、关闭、转出、重新打开、未予受理、期内回访未联系上；不论当时是否已超时，不算按时，也不算超时",
            "公司未辦到所計之事即停止的個數：取消、撤回、關閉、轉出、重新打開、未予受理、期內回訪未聯絡上；不論當時是否已超時，不算按時，也不算超時",
            "Count of those that stopped without the company having done what they measured: called off, withdrawn, closed, passed \
             on, begun anew, declined, called back in vain within the time; overdue or not, neither met nor missed",
        ),
        CLOCKS,
        CLOCK_DAY,
    )
    .version(2),
    define(
        "deadlines.void_overdue",
        words("作废时已超时的时限", "作廢時已超時的時限", "Overdue deadlines without object"),
        words(
            "作废的时限中当时已超时的个数；取消一件已超时的事，会在这里看到",
            "作廢的時限中當時已超時的個數；取消一件已超時的事，會在這裡看到",
            "Count of those void that were overdue by then; who calls off what is overdue is seen here",
        ),
        CLOCKS,
        words(
            "按停止之日计入(小区当地日期)",
            "按停止之日計入(小區當地日期)",
            "Counted on the day it stopped (local day of the estate)",
        ),
    ),
    define(
        "deadlines.met_share",
        words("按时率", "按時率", "Share of deadlines met"),
        words("按时 ÷ (按时 + 超时)", "按時 ÷ (按時 + 超時)", "Met ÷ (met + missed)"),
        CLOCKS_SHARE,
        CLOCK_DAY,
    ).version(2),
    define("deadlines.wilson_low", words("按时率下限", "按時率下限", "At least met"), LOW, CLOCKS_SHARE, CLOCK_DAY).version(2),
    define("deadlines.wilson_high", words("按时率上限", "按時率上限", "At most met"), HIGH, CLOCKS_SHARE, CLOCK_DAY).version(2),
    define(
        "deadlines.late_entries",
        words("补录时已超时的时限", "補錄時已超時的時限", "Deadlines overdue when entered"),
        COUNT,
        words(
            "事项补录时即已超时的时限；不计入按时、超时与作废",
            "事項補錄時即已超時的時限；不計入按時、超時與作廢",
            "Clocks that were overdue when their case was entered late; not among those met, missed or void",
        ),
        CLOCK_DAY,
    )
    .version(2),
    define(
        "deadlines.elapsed_seconds",
        words("计入的时间", "計入的時間", "Time that counted"),
        words("计入时间之和", "計入時間之和", "Sum of the time that counted"),
        COMPANY_CLOCKS,
        CLOCK_TIME,
    ),
    define(
        "deadlines.paused_seconds",
        words("暂停的时间", "暫停的時間", "Time paused"),
        words(
            "因暂停而未计入的时间之和",
            "因暫停而未計入的時間之和",
            "Sum of the time that did not count because of pauses",
        ),
        COMPANY_CLOCKS,
        CLOCK_TIME,
    ),
    define(
        "deadlines.paused_share",
        words("暂停占比", "暫停佔比", "Share of time paused"),
        words(
            "暂停 ÷ (计入 + 暂停)；没有时间则为空",
            "暫停 ÷ (計入 + 暫停)；沒有時間則為空",
            "Paused ÷ (counted + paused); absent when there is neither",
        ),
        COMPANY_CLOCKS,
        CLOCK_TIME,
    ),
    define(
        "deadlines.by_measure",
        words("按所计环节", "按所計環節", "By what they measure"),
        CLOCK_PARTS,
        CLOCKS,
        CLOCK_DAY,
    ).version(2),
    define(
        "deadlines.by_priority",
        words("按优先级", "按優先級", "By priority"),
        words(
            "按时、超时、作废、按时率与区间，同总数；优先级为停止时的，仍在走的为现在的",
            "按時、超時、作廢、按時率與區間，同總數；優先級為停止時的，仍在走的為現在的",
            "Met, missed, void, share and interval as for all; by the priority when it stopped, of those that still run by that of now",
        ),
        CLOCKS,
        CLOCK_DAY,
    ).version(2),
    define("deadlines.by_party", words("按责任方", "按責任方", "By whose clock it is"), CLOCK_PARTS, CLOCKS, CLOCK_DAY).version(2),
    define("escalations.raised", words("升级", "升級", "Escalations"), COUNT, ESCALATIONS, RAISED),
    define(
        "escalations.acknowledged",
        words("已接手的升级", "已接手的升級", "Escalations taken in hand"),
        COUNT,
        words(
            "本期有人接手的升级，不论何时发出",
            "本期有人接手的升級，不論何時發出",
            "Escalations that somebody took in hand in the period, whenever they were raised",
        ),
        words(
            "按接手之日计入(小区当地日期)",
            "按接手之日計入(小區當地日期)",
            "Counted on the day somebody took it in hand (local day of the estate)",
        ),
    ),
    define("escalations.by_level", words("按层级", "按層級", "By level reached"), COUNT, ESCALATIONS, RAISED),
    define("escalations.by_cause", words("按原因", "按原因", "By cause"), CAUSES, ESCALATIONS, RAISED),
    define(
        "promises.made",
        words("作出的承诺", "作出的承諾", "Promises made"),
        COUNT,
        words(
            "本期告知业主的每个时间",
            "本期告知業主的每個時間",
            "Every time that was given to an owner in the period",
        ),
        HAPPENED,
    ),
    define("promises.kept", words("兑现的承诺", "兌現的承諾", "Promises kept"), COUNT, PROMISES_ENDED, HAPPENED).version(2),
    define("promises.broken", words("失约的承诺", "失約的承諾", "Promises broken"), COUNT, PROMISES_ENDED, HAPPENED).version(2),
    define(
        "promises.moved",
        words("改期的承诺", "改期的承諾", "Promises moved"),
        words(
            "到期前经业主知悉而改期的个数；不算兑现，也不算失约",
            "到期前經業主知悉而改期的個數；不算兌現，也不算失約",
            "Count of those moved in time and with the owner's knowledge; neither kept nor broken",
        ),
        PROMISES_ENDED,
        HAPPENED,
    ).version(2),
    define(
        "promises.void",
        words("作废的承诺", "作廢的承諾", "Promises without object"),
        words(
            "所承诺之事已不存在的个数；不算兑现，也不算失约",
            "所承諾之事已不存在的個數；不算兌現，也不算失約",
            "Count of those that lost their object; neither kept nor broken",
        ),
        PROMISES_ENDED,
        HAPPENED,
    ).version(2),
    define(
        "promises.kept_share",
        words("守约率", "守約率", "Share of promises kept"),
        words("兑现 ÷ (兑现 + 失约)", "兌現 ÷ (兌現 + 失約)", "Kept ÷ (kept + broken)"),
        PROMISES_SHARE,
        HAPPENED,
    ).version(2),
    define("promises.wilson_low", words("守约率下限", "守約率下限", "At least kept"), LOW, PROMISES_SHARE, HAPPENED).version(2),
    define("promises.wilson_high", words("守约率上限", "守約率上限", "At most kept"), HIGH, PROMISES_SHARE, HAPPENED).version(2),
    define(
        "promises.by_team",
        words("按部门", "按部門", "By team"),
        words(
            "作出、兑现、失约、改期、作废、守约率与区间，同总数；键为部门编码，空为公司整体",
            "作出、兌現、失約、改期、作廢、守約率與區間，同總數；鍵為部門編碼，空為公司整體",
            "Made, kept, broken, moved, void, share and interval as for all; keys are codes of departments, '' = the company",
        ),
        words(
            "本期作出的和本期有结果的承诺",
            "本期作出的和本期有結果的承諾",
            "Promises made in the period, and those that ended in it",
        ),
        HAPPENED,
    ).version(2),
];

/// What is said when a score is not shown.
pub const WITHHELD: Words = words(
    "少于 5 份(件、个)时不显示评分和比例：样本太小，且可能识别出个人",
    "少於 5 份(件、個)時不顯示評分和比例：樣本太小，且可能識別出個人",
    "Scores and shares are not shown under 5 answers, cases, deadlines or promises: too few to mean anything, and \
     somebody could be recognised",
);

/// What the owner is asked: the result, how it was handled, the manner.
pub const QUESTIONS: [(&str, Words); 3] = [
    ("outcome", words("您对处理结果满意吗？", "您對處理結果滿意嗎？", "How satisfied are you with the result?")),
    (
        "handling",
        words("您对办理过程满意吗？", "您對辦理過程滿意嗎？", "How satisfied are you with how it was handled?"),
    ),
    ("courtesy", words("您对服务态度满意吗？", "您對服務態度滿意嗎？", "How satisfied are you with our manner?")),
];

#[cfg(test)]
mod tests {
    use steward_kernel::vocabulary::EscalationCause;

    use super::CAUSES;

    #[test]
    fn the_figure_by_cause_names_every_cause() {
        for cause in EscalationCause::ALL {
            for text in [CAUSES.zh_hans, CAUSES.zh_hant, CAUSES.en] {
                assert!(text.contains(&format!("({cause})")), "{cause}: {text}");
            }
        }
    }
}
