//! What is asked of payloads before they are accepted.

use super::{CHANGE, Last, Part, answer};
use crate::Shared;
use crate::parts::{self, Field, form_token};
use crate::posted::Posted;
use crate::problem::Answer;
use crate::seat::Seat;
use app::environment::{ENFORCE_SCHEMAS, Extent, SCAN_PAYLOADS, Settings};
use axum::extract::State;
use maud::{Markup, html};
use serde_json::{Map, Value};

const SCHEMAS: &[(&str, &str)] = &[
    ("false", "Messages are accepted whether or not they match"),
    (
        "true",
        "Messages that don't match their event type's schema are refused",
    ),
];
const SCANS: &[(&str, &str)] = &[
    ("off", "Payloads are not looked through"),
    ("report", "What should not be there is a security event"),
    ("refuse", "Messages with it are refused"),
];

pub(super) fn part(seat: &Seat, settings: &Settings, last: &Last<'_>) -> Markup {
    let mut all = settings.all();
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let schemas = text(all.remove(ENFORCE_SCHEMAS));
    let scan = text(all.remove(SCAN_PAYLOADS));
    html! {
        h2 { "Payloads" }
        @if seat.may(CHANGE) { (form(seat, (&schemas, &scan), last)) }
        @else {
            ul {
                li { (meaning(SCHEMAS, &schemas)) "." }
                li { (meaning(SCANS, &scan)) "." }
            }
        }
    }
}

fn meaning<'a>(words: &[(&str, &'a str)], value: &'a str) -> &'a str {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map_or(value, |(_, text)| text)
}

fn form(seat: &Seat, (schemas, scan): (&str, &str), last: &Last<'_>) -> Markup {
    let refused = last.refused(Part::Payloads);
    let schemas = Field {
        name: ENFORCE_SCHEMAS,
        label: "Schemas",
        value: schemas,
        hint: "An event type that has no schema takes any payload.",
        required: false,
    };
    let scan = Field {
        name: SCAN_PAYLOADS,
        label: "What should not be in payloads",
        value: scan,
        hint: "Secrets, and what an event type says is sensitive.",
        required: false,
    };
    html! {
        (parts::refusal(refused))
        form.panel method="post" action="/dashboard/settings/payloads" {
            (form_token(seat))
            (schemas.choice(SCHEMAS, refused))
            (scan.choice(SCANS, refused))
            button.primary type="submit" { "Save what is asked of payloads" }
        }
    }
}

pub(super) async fn set(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let schemas = match posted.fields.text(ENFORCE_SCHEMAS) {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        other => Value::String(other.to_owned()),
    };
    let scan = Value::String(posted.fields.text(SCAN_PAYLOADS).to_owned());
    let input = Map::from_iter([
        (ENFORCE_SCHEMAS.to_owned(), schemas),
        (SCAN_PAYLOADS.to_owned(), scan),
    ]);
    let caller = &posted.seat.caller;
    let set = rooms
        .app
        .set_environment_settings(caller, input, Extent::Some);
    let outcome = set.await.map(drop).map_err(Into::into);
    answer(&rooms, (&posted, Part::Payloads), outcome).await
}
