//! When failed deliveries of an event type's messages are tried again: by the installation's
//! schedule, or by one of the event type's own, which is written here and taken away.

use super::{above_one, removal};
use crate::Shared;
use crate::catalogue::{CHANGE, address};
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, done};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::tenant::place::wrong;
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use model::duration;
use model::event_type::EventType;
use model::retry::RetrySchedule;
use std::time::Duration;

const HERE: &str = "/dashboard/event-types/{type}/retry-schedule";

/// The field of the waits, as the API has it.
const WAITS: &str = "retrySchedule";
/// The field that says whether there are any.
const TRIES: &str = "tries";
const ONCE: &str = "once";
const CHOICES: [(&str, &str); 2] = [
    ("waits", "After the waits below"),
    (ONCE, "Not at all: one attempt is all"),
];

pub(super) fn routes() -> Routes {
    Routes::default()
        .page(HERE, CHANGE, form)
        .action(HERE, CHANGE, save)
        .action(
            "/dashboard/event-types/{type}/retry-schedule/remove",
            CHANGE,
            remove,
        )
}

/// On the event type's page.
pub(super) async fn part(rooms: &Shared, seat: &Seat, one: &EventType) -> Answer<Markup> {
    let name = one.name.as_str();
    let own = rooms.app.retry_schedule(&seat.caller, name).await?;
    Ok(html! {
        h2 { "When failed deliveries are tried again" }
        p { (told(own.as_ref())) }
        @if seat.may(CHANGE) {
            p.actions {
                a.button href=(address(seat, name, "/retry-schedule")) { "Change when" }
            }
        }
    })
}

fn told(own: Option<&RetrySchedule>) -> String {
    match own {
        None => "By the schedule of the installation.".to_owned(),
        Some(own) if own.waits().is_empty() => "Not at all: one attempt is all.".to_owned(),
        Some(own) => {
            let waits = own.waits().iter().copied().map(written);
            let waits = waits.collect::<Vec<_>>().join(", then ");
            format!("By a schedule of its own: after {waits}.")
        }
    }
}

async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let name = seat.named("type");
    let one = rooms.app.event_type_to_change(&seat.caller, name).await?;
    let name = one.name.as_str();
    let own = rooms.app.retry_schedule(&seat.caller, name).await?;
    let fields = own.as_ref().map(filled).unwrap_or_default();
    let content = page(&seat, name, (&fields, None));
    Ok(still(&rooms, &seat, &content))
}

async fn save(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let name = seat.named("type");
    let one = rooms.app.event_type_to_change(&seat.caller, name).await?;
    let name = one.name.as_str();
    let saved = async {
        let waits = Some(read(fields)?);
        let set = rooms.app.set_retry_schedule(&seat.caller, name, waits);
        Ok::<_, Refused>(set.await?)
    };
    match saved.await {
        Ok(_) => Ok(done(&address(seat, name, ""), "saved").into_response()),
        Err(refused) => {
            let refused = refused.in_form()?;
            let content = page(seat, name, (fields, Some(&refused)));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn remove(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (seat, name) = (&posted.seat, posted.seat.named("type"));
    let removed = rooms.app.set_retry_schedule(&seat.caller, name, None);
    removed.await?;
    Ok(done(&address(seat, name, ""), "saved").into_response())
}

/// The form of a schedule as it is.
fn filled(own: &RetrySchedule) -> Fields {
    let waits: Vec<_> = own.waits().iter().copied().map(written).collect();
    let tries = if waits.is_empty() { ONCE } else { "waits" };
    Fields::from(vec![
        (TRIES.to_owned(), tries.to_owned()),
        (WAITS.to_owned(), waits.join(", ")),
    ])
}

/// The API takes parts of a second, which no form does: they are shown, and refused when they come
/// back, rather than changed unseen.
fn written(wait: Duration) -> String {
    match wait.subsec_nanos() {
        0 => duration::write(wait),
        _ => format!("{wait:?}"),
    }
}

fn read(fields: &Fields) -> Answer<Vec<Duration>> {
    if fields.text(TRIES) == ONCE {
        return Ok(Vec::new());
    }
    let words = fields.list(WAITS);
    if words.is_empty() {
        let text = "must name at least one wait, such as 5s, where there is to be another attempt";
        return Err(wrong(WAITS, text));
    }
    let waits = words.iter().map(|word| duration::parse(word));
    let waits: Result<_, _> = waits.collect();
    waits.map_err(|error| wrong(WAITS, error.to_string()))
}

fn page(seat: &Seat, name: &str, (fields, refused): (&Fields, Option<&Refused>)) -> Content {
    let to = |rest| address(seat, name, rest);
    let tries = Field {
        name: TRIES,
        label: "Failed deliveries are tried again",
        value: fields.text(TRIES),
        hint: "",
        required: false,
    };
    let waits = Field {
        name: WAITS,
        label: "Waits between attempts",
        value: fields.text(WAITS),
        hint: "Apart by commas, such as 5s, 10m, 2h, 1d: at most 50, of at most 7 days.",
        required: false,
    };
    let body = html! {
        p {
            "It holds from each delivery's next failure on, also of messages that were accepted \
             before. A time that is set already stays."
        }
        (parts::refusal(refused))
        form method="post" action=(to("/retry-schedule")) {
            (parts::form_token(seat))
            (tries.choice(&CHOICES, refused))
            (waits.line(refused))
            div.actions { button.primary type="submit" { "Save" } }
        }
        h2 { "Take the schedule away" }
        p { "The schedule of the installation holds then: it is among the settings." }
        (removal(seat, &to("/retry-schedule/remove"), (
            "Remove", "Try again by the schedule of the installation?",
        )))
    };
    Content::new("When failed deliveries are tried again", body).below(above_one(seat, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(tries: &str, waits: &str) -> Fields {
        let pairs = [(TRIES, tries), (WAITS, waits)];
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Fields::from(pairs.to_vec())
    }

    #[test]
    fn a_schedule_is_read_as_it_is_shown() {
        for seconds in [&[5, 90, 600, 7_200, 86_400][..], &[0], &[]] {
            let waits: Vec<_> = seconds.iter().copied().map(Duration::from_secs).collect();
            let own = RetrySchedule::new(waits.clone()).expect("it can be kept");
            assert_eq!(read(&filled(&own)).expect("it is a schedule"), waits);
        }
    }

    #[test]
    fn what_is_no_schedule_is_told_with_what_would_be_right() {
        for (waits, expected) in [
            ("", "at least one wait"),
            ("5s, soon", "`soon` is not a duration"),
            ("1.5s", "`1.5s` is not a duration"),
        ] {
            let refused = read(&fields("waits", waits)).expect_err("it is no schedule");
            let (field, text) = &refused.violations()[0];
            assert_eq!(field, WAITS);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn parts_of_a_second_are_not_changed_unseen() {
        let half = RetrySchedule::new(vec![Duration::from_millis(1_500)]).expect("it can be kept");
        assert!(read(&filled(&half)).is_err());
        assert!(told(Some(&half)).contains("after 1.5s"));
    }
}
