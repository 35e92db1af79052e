//! What befalls a company, and how it passes.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_testkit::eventually;

use super::{
    company::{Company, SERVICES},
    schedule::Weather,
};

impl Company {
    /// It begins.
    pub(super) async fn befalls(&self, weather: Weather) {
        match weather {
            Weather::Fair => {}
            Weather::Deaf(service) => self.listens(service, Some(Duration::from_secs(3600))).await,
            Weather::Away(service) => self.wires.databases[service].cut(),
            Weather::Silent => self.wires.messages.cut(),
            Weather::Lost(service) => self.loses(service).await,
            Weather::Policy(way) => self.policy(way).await,
            Weather::Absence(way) => {
                let from = self.now() + TimeDelta::minutes(5);
                let to = from + TimeDelta::days(i64::try_from(way % 12).unwrap_or(0) + 1);
                let away = json!({"account": "desk-1", "from": from, "to": to, "cover_account": "desk-2"});
                drop(self.manager.post("/v1/absences", away).await);
            }
        }
    }

    /// It is over.
    pub(super) async fn clears_up(&self, weather: Weather) {
        match weather {
            Weather::Deaf(service) => self.listens(service, None).await,
            Weather::Away(service) => self.wires.databases[service].mend(),
            Weather::Silent => self.wires.messages.mend(),
            Weather::Fair | Weather::Lost(_) | Weather::Policy(_) | Weather::Absence(_) => {}
        }
    }

    /// Loses the stream of a service, which its relay makes anew.
    async fn loses(&self, service: &str) {
        let name = self.stream(service);
        drop(self.nats.delete_stream(&name).await);
        eventually("the stream is made anew", || async { self.nats.get_stream(&name).await.ok() }).await;
    }

    /// Lets a service hear nothing for a while, or again.
    async fn listens(&self, listener: &str, pause: Option<Duration>) {
        let until = pause.map(|pause| steward_chassis::Clock::System.now() + pause);
        for source in SERVICES {
            let subject = format!("CONSUMER.PAUSE.{}.{listener}--{source}", self.stream(source));
            let body = until.map_or_else(|| json!({}), |until| json!({"pause_until": until}));
            let answer: Result<Value, _> = self.nats.request(subject, &body).await;
            drop(answer);
        }
    }

    /// A policy of an estate: shorter or longer times.
    async fn policy(&self, way: usize) {
        let place = &self.places[way % self.places.len()];
        let within = ["2h", "9h", "3d"][way % 3];
        let targets = ["finish", "decide", "acknowledge"]
            .map(|measure| json!({"measure": measure, "within": within, "hours": "always"}));
        let body = json!({"scope": "estate", "estate_id": place.id, "policy": {"targets": targets}});
        let first = self.manager.post("/v1/clock-policies", body.clone()).await;
        if first.status == 428 {
            for version in 1..40 {
                let again = self.manager.post("/v1/clock-policies", body.clone()).if_match(version).await;
                if again.status < 300 {
                    return;
                }
            }
        }
    }
}
