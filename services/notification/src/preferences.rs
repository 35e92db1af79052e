//! What follows from a preference: its resident is told when staff set it for them.

use steward_chassis::{Call, Executed, Result, Work};
use steward_kernel::ids::ResidentId;
use uuid::Uuid;

use crate::{
    app::App,
    domain::{
        Letter, Message, Preference, Scribe, TakenDownWord, Template, Variables,
        messages::Command as Planned,
        preferences::{Command, Facts},
    },
    store,
};

/// Sets a preference, and tells the resident when staff did.
///
/// # Errors
/// Refusals of the preference; what the engine says.
pub async fn set(
    app: &App,
    call: &Call,
    resident: ResidentId,
    command: Command,
    facts: Facts,
) -> Result<Executed<Preference>> {
    let app_again = app.clone();
    app.engine
        .transact(call, move |work| {
            let (app, command, facts) = (app_again.clone(), command.clone(), facts.clone());
            Box::pin(async move {
                let known = work.find::<Preference>(resident).await?;
                let before = work.version_of::<Preference>(resident).await?;
                let done = work.execute::<Preference>(resident, &command, &facts).await?;
                if !done.replayed && done.version != before && done.state.taken_down.is_some() {
                    // Who notes other wishes than those that the resident, or a colleague, has set, knows of these.
                    if known.is_some_and(|known| known.is_set) {
                        work.call.must_have_read()?;
                    }
                    tell(&app, work, &done).await?;
                }
                Ok(done)
            })
        })
        .await
}

/// With the case that was told last: by that we know the resident. Also when no messages are wanted from now on, since that may be
/// what the resident never said.
async fn tell(app: &App, work: &mut Work, done: &Executed<Preference>) -> Result<()> {
    let wishes = &done.state;
    let Some(note) = &wishes.taken_down else { return Ok(()) };
    let actor = work.call.actor.clone();
    let Some(known) = store::latest_letter(&mut work.tx, &actor, wishes.resident).await? else { return Ok(()) };
    let by = store::post_of(&mut work.tx, actor.id.as_str()).await?.map_or(Scribe::Staff, Scribe::of);
    let template = Template::PreferenceTakenDown;
    let language = wishes.language.or(known.register_language).unwrap_or(known.language);
    let variables = Variables {
        taken_down: Some(TakenDownWord { noted: None, how: note.how, by }),
        ..Variables::of(&known.reference, known.kind)
    };
    let text = app.templates.render(template, language, &variables);
    let letter = Letter {
        template,
        template_version: app.templates.version(),
        language,
        title: text.title,
        body: text.body,
        survey: None,
        happened_at: work.clock().now(),
        ..known
    };
    let occasion = Uuid::new_v5(&wishes.resident.get(), done.version.get().to_string().as_bytes());
    let id = template.message_about(letter.case.get(), occasion);
    let facts = app.message_facts(&work.call, true);
    work.execute::<Message>(id, &Planned::Plan(Box::new(letter)), &facts).await.map(drop)
}
