//! What must be true of every case of a company at rest: one rule each.

mod agree;
mod doors;
mod ends;
mod outcomes;
mod replays;
mod told;

use crate::Picture;

/// Something that must be true of every case.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// In words.
    pub says: &'static str,
    /// What is not so; nothing when it holds.
    pub broken: fn(&Picture) -> Vec<String>,
}

const fn rule(name: &'static str, says: &'static str, broken: fn(&Picture) -> Vec<String>) -> Rule {
    Rule { name, says, broken }
}

/// All of them.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("born", "A case has the complaint, service request, inquiry or suggestion that it is.", agree::born),
    rule("status-follows-stage", "The status that the owner sees is what the stage of the work makes of it.", agree::status),
    rule("one-stage", "The stage of a case is the stage of what was born from it.", agree::stage),
    rule("allowed-where-it-stands", "What one service allows fits where the case stands in another: the word that is waited for, and after the end only coming back and commitments.", agree::allowed),
    rule("same-matter", "Everything that belongs to a case says the same of place, person, urgency, category and reference.", agree::matter),
    rule("request-follows-orders", "A service request knows each of its work orders as far as it has come.", agree::request_orders),
    rule("remedies-follow-orders", "A complaint knows the work orders of each remedy as far as they have come; none is open without an order.", agree::remedies),
    rule("one-appointment", "The window of a request is the one that stands as promise.", agree::appointment),
    rule("commitments-are-promises", "What a decision commits to is promised, and kept in both books or in none.", agree::commitments),

    rule("nothing-runs-after-the-end", "No clock runs and no promise but a commitment is open on what has ended; while a case is resolved only its call-back is measured.", ends::nothing_runs),
    rule("no-order-outlives-its-case", "No work order is open on what has ended.", ends::orders),
    rule("nobody-climbs-after-the-end", "No escalation is open on what has ended.", ends::escalations),
    rule("no-alert-after-the-end", "Nothing of what has ended waits in anybody's inbox, but for its work orders, its commitments and what looks back: a bad rating, an objection.", ends::alerts),
    rule("no-reminder-after-the-end", "Nothing is scheduled any more for what has ended, but for its commitments and what looks back.", ends::reminders),
    rule("survey-of-what-is-resolved", "How it went is asked once in each episode, and not of one that is over or called off.", ends::surveys),
    rule("paused-for-a-reason", "A clock is paused only while the case waits for its owner or its work order is on hold.", ends::paused),
    rule("waiting-pauses", "While a case waits for its owner, what the company can wait with does not run, but beyond the cap.", ends::waiting),
    rule("somebody-answers", "Every open case has exactly one person who answers for it.", ends::accountable),
    rule("a-clock-or-a-reason", "Every open case has a clock that runs, or a reason why none does.", ends::clock),
    rule("a-next-step", "Every open case has a next legal step for somebody.", ends::next_step),

    rule("clocks-tell-the-truth", "A clock is met when what it measures was done in time, missed when it was done late, void when it was not done; a running one that is overdue is breached.", outcomes::clocks),
    rule("met-by-a-deed", "A clock is met or missed by a step that does what it measures, at that time.", outcomes::deeds),
    rule("promises-tell-the-truth", "A promise is kept in time, broken when its time has passed, open only before.", outcomes::promises),
    rule("appointments-are-kept-on-the-spot", "An appointment is kept by a technician who arrives inside its window.", outcomes::appointments),
    rule("dates-are-kept-by-clocks", "A date that was put off is kept when its clock is met by then.", outcomes::put_off),
    rule("answers-are-the-owners", "A survey is answered once for each step that says so.", outcomes::answers),

    rule("timeline-ends-where-the-case-is", "The last step of a timeline leaves the case where it stands.", told::last_step),
    rule("every-step-is-told-once", "What happens in a service that the owner is to see is one step of the timeline.", told::steps),
    rule("every-message-once", "Every step that deserves a message has one, to the owner of the case, unless it is heard after the end; no other message is sent.", told::messages),
    rule("in-their-language", "All messages of a case that were sent in one language setting speak that language.", told::language),
    rule("no-message-after-the-end", "Nothing is told of an ended case but its end, its survey and its coming back.", told::pointless),

    rule("lists-and-singles-agree", "A row of a list says what the thing itself says; of messages and surveys the newest is looked at.", doors::lists),
    rule("clocks-of-the-case", "The clocks in a case are those of the list of clocks.", doors::clocks),
    rule("case-replays", "A case is what replaying its log makes of it.", replays::case),
    rule("stages-replay", "A complaint, service request, inquiry or suggestion stands where its log leaves it.", replays::stages),
    rule("work-replays", "Work orders and surveys stand where their logs leave them.", replays::work),
    rule("clocks-replay", "Clocks and promises are those of their log, and came out as it says.", replays::outcomes),
    rule("escalations-replay", "Escalations are those of their log, and were taken up and settled as it says.", replays::escalations),
    rule("messages-replay", "A message was delivered, read or held back as its log says.", replays::messages),
    rule("histories-are-whole", "Histories count from one without a gap.", replays::histories),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::RULES;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_stands_in_the_readme() {
        let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        let rows: Vec<_> = RULES.iter().map(|rule| format!("| `{}` | {} |", rule.name, rule.says)).collect();
        let (figures, says) = crate::accountant::FIGURES;
        assert!(!names.contains(figures));
        let rows: Vec<_> = rows.into_iter().chain([format!("| `{figures}` | {says} |")]).collect();
        let table = format!("| rule | what must be so |\n|---|---|\n{}\n", rows.join("\n"));
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(place).unwrap();
        let (head, rest) = readme.split_once("made of src/rules/mod.rs -->\n").unwrap();
        let (shown, tail) = rest.split_once("<!-- end -->").unwrap();
        if std::env::var("GOLDEN").is_ok_and(|word| word == "overwrite") && std::env::var_os("CI").is_none() {
            let whole = format!("{head}made of src/rules/mod.rs -->\n{table}<!-- end -->{tail}");
            std::fs::write(place, whole).unwrap();
            return;
        }
        assert_eq!(shown, table, "run it with GOLDEN=overwrite");
    }
}
