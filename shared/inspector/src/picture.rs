//! One case as everybody sees it: all that the API says of it, and all that happened to it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::source::{Company, Logs, all};

/// Something that happened, from an event log.
#[derive(Debug, Clone)]
pub struct Happened {
    /// In whose log it stands.
    pub service: &'static str,
    /// Kind of the thing that it happened to.
    pub aggregate: String,
    /// Which.
    pub id: String,
    /// How many happened to it until then, this one included.
    pub version: i32,
    /// What happened, in a word.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When it was written down: later, where it followed from something that was heard late.
    pub recorded_at: DateTime<Utc>,
    /// All of it.
    pub body: Value,
}

/// A case with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// When it was read.
    pub now: DateTime<Utc>,
    /// The case, and its row on the list.
    pub case: Value,
    pub(crate) listed_case: Value,
    /// Steps, oldest first.
    pub timeline: Vec<Value>,
    /// The complaint, service request, inquiry or suggestion that the case is, and its row on the list.
    pub work: Value,
    pub(crate) listed_work: Value,
    /// Its work orders.
    pub orders: Vec<Value>,
    pub(crate) listed_orders: Vec<Value>,
    /// Its clocks.
    pub clocks: Vec<Value>,
    /// Its promises.
    pub promises: Vec<Value>,
    /// Its escalations.
    pub escalations: Vec<Value>,
    /// Surveys that ask how it went, newest first, and the newest by itself.
    pub surveys: Vec<Value>,
    pub(crate) survey: Value,
    /// Messages about it, newest first, and the newest by itself.
    pub messages: Vec<Value>,
    pub(crate) message: Value,
    /// What people of the company have in their inboxes of it, once it is over.
    pub alerts: Vec<Value>,
    /// All that happened to it and to what belongs to it, by service and in order.
    pub events: Vec<Happened>,
}

/// A text field; '' when it is not there.
pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// A field that is a time.
pub(crate) fn time(value: &Value, field: &str) -> Option<DateTime<Utc>> {
    value[field].as_str()?.parse().ok()
}

/// Where things of that kind are in the API.
pub(crate) fn collection(kind: &str) -> &'static str {
    match kind {
        "complaint" => "complaints",
        "service_request" => "service-requests",
        "suggestion" => "suggestions",
        _ => "inquiries",
    }
}

impl Picture {
    /// Reads it.
    ///
    /// # Errors
    /// When somebody does not answer.
    pub async fn read(company: &dyn Company, logs: &Logs, id: &str) -> anyhow::Result<Self> {
        let case = company.get(&format!("/v1/cases/{id}")).await?;
        let (collection, reference) = (collection(text(&case, "kind")), text(&case, "reference"));
        let of_case = async |list: &str| all(company, &format!("/v1/{list}?case_id={id}")).await;
        let row = async |list: &str| -> anyhow::Result<Value> {
            let rows = all(company, &format!("/v1/{list}?reference={reference}")).await?;
            Ok(rows.into_iter().find(|row| row["case_id"] == id).unwrap_or_default())
        };
        let timeline = company.get(&format!("/v1/cases/{id}/timeline")).await?;
        let listed_orders = of_case("work-orders").await?;
        let mut orders = Vec::new();
        for order in &listed_orders {
            orders.push(company.get(&format!("/v1/work-orders/{}", text(order, "work_order_id"))).await?);
        }
        let (surveys, messages) = (of_case("surveys").await?, of_case("messages").await?);
        let newest = async |list: &str, rows: &[Value], id: &str| -> anyhow::Result<Value> {
            match rows.first() {
                Some(row) => company.get(&format!("/v1/{list}/{}", text(row, id))).await,
                None => Ok(Value::Null),
            }
        };
        let mut picture = Self {
            now: company.now(),
            listed_case: row("cases").await?,
            timeline: timeline["items"].as_array().cloned().unwrap_or_default(),
            work: company.get(&format!("/v1/{collection}/{id}")).await?,
            listed_work: row(collection).await?,
            orders,
            listed_orders,
            clocks: of_case("clocks").await?,
            promises: of_case("promises").await?,
            escalations: of_case("escalations").await?,
            survey: newest("surveys", &surveys, "survey_id").await?,
            message: newest("messages", &messages, "message_id").await?,
            surveys,
            messages,
            alerts: Vec::new(),
            events: Vec::new(),
            case,
        };
        if picture.is_over() {
            picture.alerts = company.alerts(id).await?;
        }
        picture.events = logs.of(&picture.ids()).await?;
        Ok(picture)
    }

    /// The ids under which events of it stand in the logs.
    fn ids(&self) -> Vec<Uuid> {
        let of = |values: &[Value], field: &str| -> Vec<Uuid> {
            values.iter().filter_map(|value| text(value, field).parse().ok()).collect()
        };
        let mut ids = of(std::slice::from_ref(&self.case), "case_id");
        ids.extend(of(&self.orders, "work_order_id"));
        ids.extend(of(&self.surveys, "survey_id"));
        ids.extend(of(&self.messages, "message_id"));
        ids
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        text(&self.case, "case_id")
    }

    /// What people quote.
    #[must_use]
    pub fn reference(&self) -> &str {
        text(&self.case, "reference")
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        text(&self.case, "kind")
    }

    /// Where the owner sees it.
    #[must_use]
    pub fn status(&self) -> &str {
        text(&self.case, "status")
    }

    /// Where the service that works on it sees it.
    #[must_use]
    pub fn stage(&self) -> &str {
        text(&self.work, "stage")
    }

    /// Whether somebody still has to do something for it.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        ["received", "in_progress", "awaiting_owner"].contains(&self.status())
    }

    /// Whether it has come to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        ["closed", "cancelled"].contains(&self.status())
    }

    /// Work orders that somebody still has to do.
    pub fn open_orders(&self) -> impl Iterator<Item = &Value> {
        self.orders.iter().filter(|order| !["completed", "verified", "cancelled"].contains(&text(order, "status")))
    }

    /// What happened to things of that kind, in order.
    pub fn of<'p>(&'p self, aggregate: &'p str) -> impl DoubleEndedIterator<Item = &'p Happened> {
        self.events.iter().filter(move |event| event.aggregate == aggregate)
    }

    /// Steps of the timeline with one of these codes.
    pub fn steps<'p>(&'p self, codes: &'p [&'p str]) -> impl DoubleEndedIterator<Item = &'p Value> {
        self.timeline.iter().filter(move |step| codes.contains(&text(step, "code")))
    }

    /// How often it was opened: once, and once more each time that its owner came back.
    #[must_use]
    pub fn episode(&self) -> usize {
        let again = self.of("stewardship").filter(|event| event.kind == "reopened");
        again
            .filter_map(|event| event.body["episode"].as_u64())
            .next_back()
            .map_or(1, |episode| usize::try_from(episode).unwrap_or(1))
    }
}
