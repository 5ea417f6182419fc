//! One message: what it is, how it stands with each endpoint, and every attempt.

use super::{MANAGE, RESEND, above_message, is_operators, place, tenant};
use crate::Shared;
use crate::layout::Content;
use crate::live::View;
use crate::parts::{self, done, duration, facts, id, pager, short, table, time, time_or};
use crate::posted::Posted;
use crate::problem::Answer;
use crate::seat::Seat;
use crate::words::{self, name_or_none, names};
use app::attempts::{AttemptView, AttemptsInput};
use app::messages::MessageView;
use app::standings::{MessageEndpointView, MessageEndpointsInput};
use app::{AppError, ListInput, Tenant};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use maud::{Markup, html};
use model::endpoint::Endpoint;
use model::message::{Message, PayloadForm};
use std::collections::HashMap;

/// A longer payload is not shown whole.
const SHOWN_BYTES_MAX: usize = 64 * 1024;
/// Nor is it laid out, where that makes it longer than this.
const LAID_OUT_BYTES_MAX: usize = 4 * SHOWN_BYTES_MAX;
/// A list of endpoints is read as far as this.
const ENDPOINTS_MAX: u64 = 250;

pub(super) async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let tenant = tenant(&rooms, &seat).await?;
    let (caller, application, named) = place(&seat);
    let at = (application.as_str(), named);
    let app = &rooms.app;
    let MessageView { message, .. } = app.message(caller, at, false).await?;
    let payload = payload_of(&rooms, &seat).await?;
    let input = MessageEndpointsInput {
        list: ListInput {
            limit: Some(ENDPOINTS_MAX),
            ..ListInput::default()
        },
        expanded: true,
    };
    let standings = app.message_endpoints(caller, at, &input).await?;
    let input = AttemptsInput {
        list: crate::search::list(&crate::search::asked(&seat))?,
        expanded: true,
        ..AttemptsInput::default()
    };
    let attempts = app.attempts_by_message(caller, at, None, &input).await?;
    let endpoints = Endpoints::of(&rooms, &tenant, &standings.data)?;
    let others = if standings.done {
        endpoints.without(&standings.data)
    } else {
        Vec::new()
    };
    let can_send = seat.may(RESEND) && is_json(payload.as_ref());
    let body = html! {
        (told(&seat, &message))
        h2 { "Payload" }
        (shown(&seat, &message, payload.as_ref()))
        h2 { "Deliveries" }
        (deliveries(&seat, &message, (&standings.data, &others, can_send)))
        h2 { "Attempts" }
        (attempt_table(&seat, &attempts.data, &endpoints))
        (pager(&seat, &attempts))
    };
    let title = format!("Message {}", message.id);
    Ok(Content::new(title, body).below(above_message(&seat, &tenant)))
}

fn told(seat: &Seat, message: &Message) -> Markup {
    let kind = match &message.form {
        PayloadForm::Json => html! { "JSON" },
        PayloadForm::Raw { content_type } => html! {
            (short(content_type.as_deref().unwrap_or("application/json")))
        },
    };
    let mut list = vec![
        ("Id", id(message.id)),
        ("Event type", short(message.event_type.as_str())),
        ("Event id", name_or_none(message.event_id.as_ref())),
        ("Accepted", time(message.id.key().time())),
        ("First due", time(message.first_due())),
        ("Payload kept until", time(message.expires_at)),
        ("Content type", kind),
        ("Channels", names(&message.channels)),
        ("Tags", names(&message.tags)),
    ];
    if is_operators(seat) {
        list.push(("Deliveries that it came through", html! { (message.hops) }));
    }
    facts(list)
}

/// The payload, unless it is gone.
async fn payload_of(rooms: &Shared, seat: &Seat) -> Answer<Option<Bytes>> {
    let (caller, application, named) = place(seat);
    let at = (application.as_str(), named);
    match rooms.app.message_payload(caller, at).await {
        Ok(payload) => Ok(Some(payload)),
        Err(AppError::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn is_json(payload: Option<&Bytes>) -> bool {
    payload.is_some_and(|text| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok())
}

fn shown(seat: &Seat, message: &Message, payload: Option<&Bytes>) -> Markup {
    let base = seat.within(&format!("/messages/{}", message.id));
    let Some(payload) = payload else {
        return html! {
            p.empty { "The payload is gone: its time was over, or it was expunged." }
        };
    };
    let is_text = std::str::from_utf8(payload).is_ok();
    html! {
        @if !is_text { p { "The payload is " (payload.len()) " bytes that are no text." } }
        @else if payload.len() > SHOWN_BYTES_MAX {
            p {
                "The payload has " (parts::count(payload.len() as u64))
                " bytes: this is how it begins."
            }
            (parts::excerpt(&payload[..SHOWN_BYTES_MAX]))
        } @else { (parts::excerpt(&laid_out(payload))) }
        div.actions {
            a.button href={ (base) "/payload" } download { "Download" }
            @if seat.may(MANAGE) {
                form.inline method="post" action={ (base) "/expunge" }
                    data-sure="Remove this payload for good? What waits is not sent then." {
                    (parts::form_token(seat))
                    button.danger type="submit" { "Expunge the payload" }
                }
            }
        }
    }
}

/// JSON with its lines laid out for people; what is nested too deep for that stays as it is: it
/// would be white space for the most part, and a page that is live is kept and made each second.
fn laid_out(payload: &[u8]) -> Vec<u8> {
    let pretty = pretty(payload).filter(|text| text.len() <= LAID_OUT_BYTES_MAX);
    pretty.unwrap_or_else(|| payload.to_vec())
}

/// White space alone is changed: numbers and names stay as they were written, and in their order.
fn pretty(payload: &[u8]) -> Option<Vec<u8>> {
    serde_json::from_slice::<serde::de::IgnoredAny>(payload).ok()?;
    let mut out = Vec::with_capacity(payload.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut rest = payload.iter().copied().peekable();
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * depth.min(32)));
    };
    while let Some(byte) = rest.next() {
        if in_text {
            out.push(byte);
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b'{' | b'[' => {
                out.push(byte);
                while rest.next_if(u8::is_ascii_whitespace).is_some() {}
                if let Some(end) = rest.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend(b": "),
            b'"' => {
                in_text = true;
                out.push(byte);
            }
            other => out.push(other),
        }
    }
    Some(out)
}

/// Endpoints by what attempts call them.
pub(super) struct Endpoints(HashMap<String, Endpoint>, Vec<Endpoint>);

impl Endpoints {
    /// Those that a message went to, which may be deleted, and those that are there.
    fn of(rooms: &Shared, tenant: &Tenant, known: &[MessageEndpointView]) -> Answer<Self> {
        let list = ListInput {
            limit: Some(ENDPOINTS_MAX),
            ..ListInput::default()
        };
        let live = rooms.app.endpoints(tenant, &list)?.data;
        let live: Vec<Endpoint> = live.into_iter().map(|view| view.endpoint).collect();
        let known = known.iter().map(|view| view.endpoint.clone());
        let all = known.chain(live.iter().cloned());
        let all = all.map(|endpoint| (endpoint.id.to_string(), endpoint));
        Ok(Self(all.collect(), live))
    }

    /// Those that are there, and that the message did not go to.
    fn without(&self, known: &[MessageEndpointView]) -> Vec<Endpoint> {
        let is_known = |own: &Endpoint| known.iter().any(|other| other.endpoint.id == own.id);
        let others = self.1.iter().filter(|own| !is_known(own));
        others.cloned().collect()
    }

    fn is_live(&self, id: &str) -> bool {
        self.1.iter().any(|endpoint| endpoint.id.to_string() == id)
    }
}

/// An endpoint with the way to its page, and where it leads.
fn named(seat: &Seat, endpoint: &Endpoint) -> Markup {
    let to = seat.within(&format!("/endpoints/{}", endpoint.id));
    html! { a href=(to) { code { (endpoint.id) } } br; span.quiet { (short(&endpoint.url)) } }
}

type Standings<'a> = (&'a [MessageEndpointView], &'a [Endpoint], bool);

fn deliveries(
    seat: &Seat,
    message: &Message,
    (standings, others, can_send): Standings<'_>,
) -> Markup {
    let action = seat.within(&format!("/messages/{}/resend", message.id));
    let button = |endpoint: &Endpoint, text: &str| {
        html! {
            @if can_send && !endpoint.disabled {
                form.inline method="post" action=(action) {
                    (parts::form_token(seat))
                    button type="submit" name="endpoint" value=(endpoint.id) { (text) }
                }
            } @else if endpoint.disabled { span.quiet { "The endpoint is disabled" } }
        }
    };
    let mut rows: Vec<Vec<Markup>> = standings
        .iter()
        .map(|view| {
            vec![
                named(seat, &view.endpoint),
                words::standing(view.status),
                time_or(view.next_attempt, "none"),
                button(&view.endpoint, "Send again"),
            ]
        })
        .collect();
    rows.extend(others.iter().map(|endpoint| {
        vec![
            named(seat, endpoint),
            html! { span.quiet { "not sent to it" } },
            html! { span.quiet { "none" } },
            button(endpoint, "Send"),
        ]
    }));
    let heads = ["Endpoint", "State", "Next attempt", "Send"];
    let none = "It went to no endpoint, and there is none.";
    table("Where it goes", &heads, rows, none)
}

fn attempt_table(seat: &Seat, attempts: &[AttemptView], endpoints: &Endpoints) -> Markup {
    let rows = attempts.iter().map(|view| {
        let mut row = attempt_row(seat, view);
        let id = view.attempt.endpoint.to_string();
        let cell = match endpoints.0.get(&id) {
            Some(endpoint) if endpoints.is_live(&id) => named(seat, endpoint),
            _ => html! { code { (id) } },
        };
        row.insert(1, cell);
        row
    });
    let heads = [
        "Begun",
        "Endpoint",
        "Result",
        "Status code",
        "Took",
        "Why",
        "Number",
    ];
    let none = "Nothing was tried yet.";
    table("Attempts, the newest first", &heads, rows.collect(), none)
}

/// An attempt in a list, without where it went.
pub(super) fn attempt_row(seat: &Seat, view: &AttemptView) -> Vec<Markup> {
    let attempt = &view.attempt;
    let to = format!("/messages/{}/attempts/{}", attempt.message, attempt.id);
    vec![
        html! { a href=(seat.within(&to)) { (time(attempt.started_at)) } },
        words::result(view.status),
        words::code(attempt.status_code),
        html! { (duration(attempt.duration)) },
        html! { (words::trigger(attempt.trigger)) },
        html! { (attempt.number) },
    ]
}

/// The payload as a file, whatever it is.
pub(super) async fn payload(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let (caller, application, named) = place(&seat);
    let at = (application.as_str(), named);
    let id = rooms.app.message(caller, at, false).await?.message.id;
    let payload = rooms.app.message_payload(caller, at).await?;
    Ok(as_file(&format!("{id}.payload"), payload))
}

/// Others' bytes as a file: nothing that a browser would show, or run.
pub(super) fn as_file(name: &str, bytes: Bytes) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&disposition).expect("an id is plain text");
    let headers = [
        (CONTENT_DISPOSITION, disposition),
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'"),
        ),
    ];
    (headers, bytes).into_response()
}

/// Removes the payload.
pub(super) async fn expunge(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (caller, application, named) = place(&posted.seat);
    let at = (application.as_str(), named);
    rooms.app.expunge_message(caller, at).await?;
    let to = posted.seat.within(&format!("/messages/{named}"));
    Ok(done(&to, "deleted").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_otherwise_as_it_was_written() {
        for (written, shown) in [
            ("{}", "{}"),
            ("{ }", "{}"),
            (
                r#"{"b":1.00,"a":["x, y",[],"\"{"]}"#,
                "{\n  \"b\": 1.00,\n  \"a\": [\n    \"x, y\",\n    [],\n    \"\\\"{\"\n  ]\n}",
            ),
            ("{\"a\"", "{\"a\""),
            ("<b>", "<b>"),
        ] {
            let laid_out = laid_out(written.as_bytes());
            assert_eq!(String::from_utf8_lossy(&laid_out), shown);
        }
    }

    #[test]
    fn what_is_nested_too_deep_stays_as_it_is() {
        let nested = |times: usize| format!("{}{}", "[".repeat(times), "]".repeat(times));
        let few = laid_out(nested(1_000).as_bytes());
        let bare = few.iter().filter(|byte| !byte.is_ascii_whitespace());
        assert!(few.len() > 60_000 && bare.copied().eq(nested(1_000).into_bytes()));
        let many = nested(SHOWN_BYTES_MAX / 2);
        assert_eq!(laid_out(many.as_bytes()), many.as_bytes());
    }
}
