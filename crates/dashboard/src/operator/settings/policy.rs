//! What is demanded of endpoints: of all of them, and of those that get messages of some event
//! types.

use super::{CHANGE, Last, Part, answer};
use crate::Shared;
use crate::parts::{self, Field, form_token};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::environment::PolicyInput;
use app::{AppError, Violation};
use axum::extract::State;
use maud::{Markup, html};
use model::policy::{Demand, Policy};
use std::collections::BTreeMap;

/// What each demand means to people.
fn meaning(demand: Demand) -> &'static str {
    match demand {
        Demand::Encryption => "payloads are encrypted",
        Demand::Auth => "requests carry a credential, an access token or a client certificate",
        Demand::Pins => "the receiver's certificate is a pinned one",
        Demand::Verification => "the receiver has said that it wants to be called",
        Demand::Redaction => "something is taken from payloads by rules of the endpoint's own",
    }
}

pub(super) fn part(seat: &Seat, policy: &Policy, last: &Last<'_>) -> Markup {
    html! {
        h2 { "What is demanded of endpoints" }
        p.quiet { "An endpoint that lacks something of it gets nothing, and says why." }
        @if seat.may(CHANGE) { (form(seat, policy, last)) } @else { (shown(policy)) }
    }
}

fn shown(policy: &Policy) -> Markup {
    let everywhere = match policy.require.is_empty() {
        true => "Nothing is demanded of all endpoints.".to_owned(),
        false => format!("Of all endpoints: {}.", policy.require),
    };
    let rows = policy.event_types.iter();
    let rows = rows.map(|(name, own)| vec![html! { code { (name) } }, html! { (own) }]);
    html! {
        p { (everywhere) }
        (parts::table(
            "Of endpoints that get messages of these event types, besides",
            &["Event type", "Demanded"],
            rows.collect(),
            "Nothing more is demanded for any event type.",
        ))
    }
}

fn form(seat: &Seat, policy: &Policy, last: &Last<'_>) -> Markup {
    let (refused, sent) = (last.refused(Part::Policy), last.fields(Part::Policy));
    let is_ticked = |demand: Demand| match sent {
        Some(fields) => fields.all("require").any(|word| word == demand.as_str()),
        None => policy.require.contains(demand),
    };
    let written = || {
        let own = policy.event_types.iter();
        let lines = own.map(|(name, own)| format!("{name}: {own}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let lines = sent.map_or_else(written, |fields| fields.raw("eventTypes").to_owned());
    let types = Field {
        name: "eventTypes",
        label: "Of endpoints that get messages of these event types, besides",
        value: &lines,
        hint: "One event type in a line, and behind a colon what is demanded for it: \
               order.paid: encryption, pins",
        required: false,
    };
    html! {
        (parts::refusal(refused))
        form.panel method="post" action="/dashboard/settings/policy" {
            (form_token(seat))
            fieldset {
                legend { "Of all endpoints" }
                @for demand in Demand::ALL {
                    label.tick {
                        input type="checkbox" name="require" value=(demand.as_str())
                            checked[is_ticked(demand)];
                        span { code { (demand.as_str()) } ": " (meaning(demand)) }
                    }
                }
            }
            (types.lines(4, refused))
            button.primary type="submit"
                data-sure="Endpoints that lack something of this get nothing from now on. Save it?" {
                "Save what is demanded"
            }
        }
    }
}

pub(super) async fn set(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let set = async {
        let input = input(&posted.fields)?;
        rooms.app.set_policy(&posted.seat.caller, input).await?;
        Ok(())
    };
    let outcome = set.await;
    answer(&rooms, (&posted, Part::Policy), outcome).await
}

fn input(fields: &Fields) -> Result<PolicyInput, Refused> {
    let require: Result<_, _> = fields
        .all("require")
        .map(|word| demand("require", word))
        .collect();
    let mut event_types = BTreeMap::new();
    let lines = fields.text("eventTypes").lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty()) {
        let Some((name, words)) = line.split_once(':') else {
            let text = format!("`{line}` has no colon behind the event type");
            return Err(wrong("eventTypes", text));
        };
        let words = words
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let demands: Result<Vec<_>, _> = words.map(|word| demand("eventTypes", word)).collect();
        event_types.insert(name.trim().to_owned(), demands?);
    }
    Ok(PolicyInput {
        require: require?,
        event_types,
    })
}

fn demand(field: &str, word: &str) -> Result<Demand, Refused> {
    Demand::named(word).ok_or_else(|| {
        let words = Demand::ALL.map(Demand::as_str).join(", ");
        wrong(field, format!("`{word}` is none of {words}"))
    })
}

fn wrong(field: &str, text: String) -> Refused {
    AppError::from(Violation::body(&[field], text)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(types: &str) -> Fields {
        Fields::from(vec![
            ("require".to_owned(), "pins".to_owned()),
            ("eventTypes".to_owned(), types.to_owned()),
        ])
    }

    #[test]
    fn a_line_has_an_event_type_and_what_is_demanded_for_it() {
        let read =
            input(&fields(" order.paid : encryption,auth\r\n\r\nz:\n")).expect("they are fine");
        assert_eq!(read.require, [Demand::Pins]);
        let expected = [
            (
                "order.paid".to_owned(),
                vec![Demand::Encryption, Demand::Auth],
            ),
            ("z".to_owned(), Vec::new()),
        ];
        assert_eq!(read.event_types, BTreeMap::from(expected));
    }

    #[test]
    fn a_line_that_can_not_be_read_is_told_with_what_would_be_right() {
        for (types, expected) in [
            ("order.paid", "no colon"),
            ("order.paid: love", "none of encryption, auth, pins"),
        ] {
            let refused = input(&fields(types)).expect_err("it is no line");
            let (field, text) = &refused.violations()[0];
            assert_eq!(field, "eventTypes");
            assert!(text.contains(expected), "{text}");
        }
    }
}
