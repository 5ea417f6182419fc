//! What kinds of security events and rules of detection mean, and what to do: beside an event, and
//! all of them on a page of their own.

use super::{kinds, severity_badge, trail};
use crate::Shared;
use crate::config::RuleExplained;
use crate::layout::Content;
use crate::live::still;
use crate::parts::{Tone, badge, facts, table};
use crate::seat::Seat;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use model::security::SecurityKind;

pub(super) async fn show(State(rooms): State<Shared>, seat: Seat) -> Response {
    let kinds = SecurityKind::ALL.iter().map(|kind| {
        let (means, advice) = kinds::explained(*kind);
        vec![
            html! { code { (kind.as_str()) } },
            severity_badge(kind.severity()),
            html! { (means) },
            html! { (advice) },
        ]
    });
    let heads = ["Kind", "Severity", "What happened", "What to do"];
    let body = html! {
        h2 { "Kinds of events" }
        (table("Kinds of security events", &heads, kinds.collect(), ""))
        h2 { "Rules of detection" }
        p {
            "What is far from usual is found by these rules, and told as "
            code { (SecurityKind::TrafficAnomaly.as_str()) }
            ". They are set in the configuration file."
        }
        @for rule in &rooms.config.rules { (whole(rule)) }
    };
    let content = Content::new("What is looked for, and what to do", body).below(trail());
    still(&rooms, &seat, &content)
}

/// What an event of this kind means, and what to do. Where a rule has found it, its description
/// begins with the rule's name.
pub(super) fn of(rules: &[RuleExplained], kind: SecurityKind, description: &str) -> Markup {
    if let Some(rule) = found_by(rules, kind, description) {
        return html! {
            h2 { "What this means" }
            p { "The rule " code { (rule.name) } " has found it. " (rule.finds) }
            h2 { "What to do" }
            p { (rule.advice) }
            (thresholds(rule))
        };
    }
    let (means, advice) = kinds::explained(kind);
    html! {
        h2 { "What this means" }
        p { (sentence(means)) }
        h2 { "What to do" }
        p { (sentence(advice)) }
    }
}

fn found_by<'r>(
    rules: &'r [RuleExplained],
    kind: SecurityKind,
    description: &str,
) -> Option<&'r RuleExplained> {
    let (name, _) = description.split_once(':')?;
    let mut rules = rules.iter();
    rules.find(|rule| kind == SecurityKind::TrafficAnomaly && rule.name == name)
}

/// All of a rule.
fn whole(rule: &RuleExplained) -> Markup {
    let responses = match rule.responses.as_slice() {
        [] => "nothing".to_owned(),
        some => some.join(", "),
    };
    let state = match rule.enabled {
        true => badge(Tone::Good, "on"),
        false => badge(Tone::Waiting, "off"),
    };
    html! {
        section.panel id=(rule.name) {
            h3 { (rule.name) " " (state) }
            p { (rule.finds) }
            p { strong { "What to do. " } (rule.advice) }
            (facts(vec![("Done by itself", html! { (responses) })]))
            (thresholds(rule))
        }
    }
}

fn thresholds(rule: &RuleExplained) -> Markup {
    let rows = rule.thresholds.iter().map(|threshold| {
        vec![
            html! { code { (threshold.name) } },
            html! { (threshold.value) },
            html! { (threshold.meaning) },
        ]
    });
    let caption = format!("Thresholds of {}", rule.name);
    let heads = ["Threshold", "Set to", "What it means"];
    table(&caption, &heads, rows.collect(), "It has none.")
}

/// A cell of the documents as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let text: String = first.chain(letters).collect();
    format!("{text}.")
}
