//! What handlers, consumers and timers share.

use std::sync::Arc;

use steward_chassis::{Call, Clock, Core, Engine, Result, db::Db};
use steward_kernel::{ids::ResidentId, vocabulary::Language};

use crate::{
    config::Config,
    domain::{NoticeContent, Pace, Templates, digests, messages, notices, preferences},
    store,
};

/// What handlers, consumers and timers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Changes messages, notices, preferences and digests.
    pub engine: Engine,
    /// For reading.
    pub db: Db,
    /// Time and ids.
    pub clock: Clock,
    /// The texts of messages.
    pub templates: Arc<Templates>,
    /// The language of a message when nobody says one.
    pub default_language: Language,
    /// In how many days owners can come back on what staff took down for them.
    pub come_back_days: u64,
    /// How long a digest collects.
    pub pace: Pace,
}

impl App {
    /// Puts it together.
    ///
    /// # Errors
    /// When the templates that ship with the product are broken.
    pub fn new(core: Core, config: &Config) -> anyhow::Result<Self> {
        let Core { engine, db, clock } = core;
        let templates = Arc::new(Templates::parse(Templates::SHIPPED)?);
        let (default_language, pace) = (config.default_language, config.pace());
        let come_back_days = config.come_back_days();
        Ok(Self { engine, db, clock, templates, default_language, come_back_days, pace })
    }

    /// What a message's decision needs; the addressee's wishes matter only when it is planned.
    #[must_use]
    pub fn message_facts(&self, call: &Call, inbox_wanted: bool) -> messages::Facts {
        messages::Facts { now: self.clock.now(), actor: call.actor.clone(), inbox_wanted }
    }

    /// What a digest's decision needs, but when a timer looks at it.
    #[must_use]
    pub fn digest_facts(&self, call: &Call) -> digests::Facts {
        let (tallies, shown) = (Vec::new(), Vec::new());
        digests::Facts { now: self.clock.now(), actor: call.actor.clone(), pace: self.pace, tallies, shown }
    }

    /// What a notice's decision needs after it was written.
    #[must_use]
    pub fn notice_facts(&self, call: &Call) -> notices::Facts {
        notices::Facts { now: self.clock.now(), actor: call.actor.clone(), estates: Vec::new() }
    }

    /// What is needed to write a notice: which of its estates are in the register.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn new_notice_facts(&self, call: &Call, content: &NoticeContent) -> Result<notices::Facts> {
        let mut tx = self.db.begin(call.tenant()).await?;
        let estates = store::known_estates(&mut tx, &content.estates).await?;
        tx.rollback().await?;
        Ok(notices::Facts { estates, ..self.notice_facts(call) })
    }

    /// What a preference's decision needs: whether we know the resident.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn preference_facts(&self, call: &Call, resident: ResidentId) -> Result<preferences::Facts> {
        let (now, actor) = (self.clock.now(), call.actor.clone());
        if actor.is_only_owner() {
            return Ok(preferences::Facts { now, actor, known: false });
        }
        let mut tx = self.db.begin(call.tenant()).await?;
        let known = store::is_known_resident(&mut tx, &actor, resident).await?;
        tx.rollback().await?;
        Ok(preferences::Facts { now, actor, known })
    }
}
