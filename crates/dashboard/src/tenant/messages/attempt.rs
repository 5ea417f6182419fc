//! One attempt: what was sent and signed, what came back, how long it took, and whom the connection
//! showed.

mod headers;
mod wire;

use super::one::as_file;
use super::{EXPUNGE_ANSWER, above_message, place, tenant};
use crate::Shared;
use crate::layout::Content;
use crate::live::View;
use crate::parts::{self, done, duration, facts, id, short, time};
use crate::posted::Posted;
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::words;
use app::attempts::{Answered, AttemptView, WholeAttempt};
use app::{AppError, Tenant};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use model::Pin;
use model::attempt::{Attempt, AttemptResult};

pub(super) async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let tenant = tenant(&rooms, &seat).await?;
    let (caller, application, named) = place(&seat);
    let (at, attempt) = ((application.as_str(), named), seat.named("attempt"));
    let app = &rooms.app;
    let message = app.message(caller, at, false).await?.message;
    let WholeAttempt {
        view,
        answered,
        observed,
    } = app.whole_attempt(caller, at, attempt).await?;
    let told_headers = app.attempt_headers(caller, at, attempt).await?;
    let pins = pins(&rooms, &tenant, &view.attempt).await?;
    let was_sent = !matches!(view.attempt.result, AttemptResult::Cancelled(_));
    let body = html! {
        (told(&seat, &view))
        @if was_sent {
            h2 { "Request" }
            (headers::sent(&told_headers.sent))
            h3 { "What was signed" }
            (headers::signed(&view.attempt, &message))
        }
        h2 { @if view.attempt.status_code == 0 { "Why there is no response" } @else { "Response" } }
        (answer(&seat, &view.attempt, &answered))
        @if let Some(head) = &told_headers.response { (headers::answered(head)) }
        (wire::phases(&observed.phases))
        (wire::certificates(&observed, pins.as_deref()))
    };
    let mut trail = above_message(&seat, &tenant);
    let to = seat.within(&format!("/messages/{}", message.id));
    trail.push((to, message.id.to_string()));
    let title = format!("Attempt {}", view.attempt.number);
    Ok(Content::new(title, body).below(trail))
}

fn told(seat: &Seat, view: &AttemptView) -> Markup {
    let attempt = &view.attempt;
    let endpoint = seat.within(&format!("/endpoints/{}", attempt.endpoint));
    facts(vec![
        ("Id", id(attempt.id)),
        ("Result", words::result(view.status)),
        ("Status code", words::code(attempt.status_code)),
        ("In words", html! { (in_words(attempt)) }),
        ("Begun", time(attempt.started_at)),
        ("Recorded", time(attempt.id.key().time())),
        (
            "Until the response's head, or the failure",
            html! { (duration(attempt.duration)) },
        ),
        ("Why", html! { (words::trigger(attempt.trigger)) }),
        ("Number", html! { (attempt.number) }),
        (
            "Endpoint",
            html! { a href=(endpoint) { code { (attempt.endpoint) } } },
        ),
        ("URL", html! { code { (short(&attempt.url)) } }),
    ])
}

/// What the status means for the delivery.
fn in_words(attempt: &Attempt) -> &'static str {
    match (attempt.result, attempt.status_code) {
        (AttemptResult::Success, _) => "The receiver took it.",
        (AttemptResult::Cancelled(_), _) => "No request was made.",
        (_, 0) => "No response came.",
        (_, 300..=399) => "The receiver points elsewhere, and redirects are not followed.",
        (_, 401 | 403) => "The receiver does not let it in.",
        (_, 404) => "The receiver knows nothing at this URL.",
        (_, 410) => "The receiver says that it is gone for good.",
        (_, 429) => "The receiver wants less at a time.",
        (_, 400..=499) => "The receiver refused it.",
        (_, 500..=599) => "The receiver failed.",
        _ => "The receiver did not take it.",
    }
}

fn answer(seat: &Seat, attempt: &Attempt, answered: &Answered) -> Markup {
    let path = format!("/messages/{}/attempts/{}", attempt.message, attempt.id);
    let base = seat.within(&path);
    let can_expunge = seat.may(EXPUNGE_ANSWER);
    html! {
        @match answered {
            Answered::NotSent(reason) => p { (reason) },
            Answered::Nothing => p.empty { "Nothing of its body is kept: it was empty." },
            Answered::Expunged => p.empty { "It was expunged." },
            Answered::Bytes(bytes) => {
                @if is_text(bytes) { (parts::excerpt(bytes)) }
                @else { p { "It begins with " (bytes.len()) " bytes that are no text." } }
                div.actions {
                    a.button href={ (base) "/response" } download { "Download" }
                    @if can_expunge {
                        form.inline method="post" action={ (base) "/expunge" }
                            data-sure="Remove this answer for good?" {
                            (parts::form_token(seat))
                            button.danger type="submit" { "Expunge the answer" }
                        }
                    }
                }
            },
        }
    }
}

/// Whether it is text as far as it goes: an answer is kept up to a length, which may lie within a
/// character.
fn is_text(bytes: &[u8]) -> bool {
    let wrong = std::str::from_utf8(bytes).err();
    wrong.is_none_or(|wrong| wrong.error_len().is_none())
}

/// The pins that the endpoint has now, if it is still there and has any.
async fn pins(rooms: &Shared, tenant: &Tenant, attempt: &Attempt) -> Answer<Option<Vec<Pin>>> {
    let found = rooms.app.pins(tenant, &attempt.endpoint.to_string()).await;
    match found {
        Ok(view) => Ok(Some(view.pins)),
        Err(AppError::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// What was answered, as a file.
pub(super) async fn response(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let (caller, application, named) = place(&seat);
    let at = (application.as_str(), named);
    let found = rooms.app.whole_attempt(caller, at, seat.named("attempt"));
    let WholeAttempt { view, answered, .. } = found.await?;
    match answered {
        Answered::Bytes(bytes) => {
            let name = format!("{}.response", view.attempt.id);
            Ok(as_file(&name, bytes.into()).into_response())
        }
        _ => Err(Refused::no_page()),
    }
}

/// Removes what was answered.
pub(super) async fn expunge(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (caller, application, named) = place(&posted.seat);
    let (at, attempt) = ((application.as_str(), named), posted.seat.named("attempt"));
    rooms.app.expunge_attempt(caller, at, attempt).await?;
    let to = posted
        .seat
        .within(&format!("/messages/{named}/attempts/{attempt}"));
    Ok(done(&to, "deleted").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_within_a_character_is_text() {
        for (bytes, expected) in [
            ("naïve ☃".as_bytes(), true),
            (&"naïve ☃".as_bytes()[..9], true),
            (b"", true),
            (b"\xff\xfe<html>", false),
            (b"caf\xe9 au lait", false),
        ] {
            assert_eq!(is_text(bytes), expected, "{bytes:?}");
        }
    }
}
