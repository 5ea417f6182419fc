//! Sending to an endpoint again, in the background: what failed for good, what it never got, or all
//! that it was meant to get; how far that has come; and ending what is on its way.

use super::super::place::{below_endpoint, endpoint, of_endpoint, wrong};
use super::CHANGE;
use super::one::sure;
use crate::layout::Content;
use crate::live::{View, again, still};
use crate::parts::{self, Field, Tone, badge, done, time};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::{Shared, search};
use app::Tenant;
use app::endpoints::EndpointView;
use app::recover::RecoverInput;
use app::replay::BulkReplayInput;
use app::status::Status;
use app::tasks::{Task, TaskKind, TaskState};
use axum::extract::State;
use axum::response::IntoResponse as _;
use jiff::Timestamp as Time;
use maud::{Markup, html};
use model::Timestamp;
use std::time::Duration;

/// From when on, unless somebody says something else.
const USUALLY: Duration = Duration::from_secs(86_400);

/// What is sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Failed,
    Missing,
    All,
}

pub(super) async fn forms(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let since = written(rooms.app.clock.now().minus(USUALLY));
    let fields = Fields::from(vec![("since".to_owned(), since)]);
    let content = page(&seat, (&tenant, &view), (&fields, None));
    Ok(still(&rooms, &seat, &content))
}

pub(super) async fn recover(rooms: State<Shared>, posted: Posted) -> Answer {
    begin(rooms, posted, What::Failed).await
}

pub(super) async fn missing(rooms: State<Shared>, posted: Posted) -> Answer {
    begin(rooms, posted, What::Missing).await
}

pub(super) async fn bulk(rooms: State<Shared>, posted: Posted) -> Answer {
    begin(rooms, posted, What::All).await
}

async fn begin(State(rooms): State<Shared>, posted: Posted, what: What) -> Answer {
    let Posted { seat, fields } = &posted;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    match start(&rooms, seat, ((&tenant, &view), what), fields).await {
        Ok(task) => {
            let to = of_endpoint(seat, &view, &format!("/tasks/{}", task.id));
            Ok(done(&to, "started").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let content = page(seat, (&tenant, &view), (fields, Some((what, &refused))));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn start(
    rooms: &Shared,
    seat: &Seat,
    ((tenant, view), what): ((&Tenant, &EndpointView), What),
    fields: &Fields,
) -> Answer<Task> {
    let id = view.endpoint.id.to_string();
    let (at, by, app) = ((tenant, id.as_str()), &seat.caller, &rooms.app);
    let reach = RecoverInput {
        since: search::time(fields, "since")?.ok_or_else(|| wrong("since", "must be given"))?,
        until: search::time(fields, "until")?,
    };
    let begun = match what {
        What::Failed => app.recover(by, at, reach).await,
        What::Missing => app.replay_missing(by, at, reach).await,
        What::All => {
            let input = BulkReplayInput {
                reach,
                event_types: Some(fields.list("eventTypes")).filter(|types| !types.is_empty()),
                channel: fields.some("channel"),
                tag: fields.some("tag"),
                status: status(fields.text("status"))?,
                status_code_class: class(fields.text("statusCodeClass"))?,
            };
            app.bulk_replay(by, at, input).await
        }
    };
    Ok(begun?)
}

fn status(word: &str) -> Answer<Option<Status>> {
    Ok(Some(match word {
        "" => return Ok(None),
        "success" => Status::Success,
        "fail" => Status::Fail,
        "cancelled" => Status::Cancelled,
        _ => return Err(wrong("status", "must be one of the choices")),
    }))
}

fn class(word: &str) -> Answer<Option<u16>> {
    match word {
        "" => Ok(None),
        "100" | "200" | "300" | "400" | "500" => Ok(word.parse().ok()),
        _ => Err(wrong("statusCodeClass", "must be one of the choices")),
    }
}

/// A time as browsers have it in a field.
fn written(at: Timestamp) -> String {
    let time = Time::from_microsecond(at.micros()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M").to_string()
}

fn page(
    seat: &Seat,
    (tenant, view): (&Tenant, &EndpointView),
    (fields, refused): (&Fields, Option<(What, &Refused)>),
) -> Content {
    let to = |rest| of_endpoint(seat, view, rest);
    let of = |what| refused.filter(|(own, _)| *own == what).map(|(_, one)| one);
    let body = html! {
        p { "Times are in UTC, and reach 14 days at the most." }
        section.panel {
            h2 { "What failed" }
            p { "Sends again, once, all that failed for good and never succeeded." }
            (form(seat, (&to("/recover"), "recover"), (fields, of(What::Failed)), html! {}))
        }
        section.panel {
            h2 { "What it never got" }
            p {
                "Sends what the endpoint wants and was never on its way to it: as it was made later, \
                 or was disabled then, or wanted other messages."
            }
            (form(seat, (&to("/replay-missing"), "missing"), (fields, of(What::Missing)), html! {}))
        }
        section.panel {
            h2 { "All of it" }
            p { "Sends again all that it was meant to get, whatever became of it." }
            (form(
                seat, (&to("/bulk-replay"), "bulk"), (fields, of(What::All)),
                filters(fields, of(What::All)),
            ))
        }
        @if seat.may(CHANGE) {
            section.panel {
                h2 { "What is on its way" }
                p { "Ends what is waiting to be sent to this endpoint. It can be replayed later." }
                (sure(seat, &to("/cancel"), (
                    "Cancel what is on its way", "Send nothing of what is waiting?",
                )))
            }
        }
    };
    Content::new("Replay", body).below(below_endpoint(seat, tenant, view))
}

/// Ids are unique in a page: of the fields of one form they end in its name.
fn form(
    seat: &Seat,
    (action, name): (&str, &str),
    (fields, refused): (&Fields, Option<&Refused>),
    more: Markup,
) -> Markup {
    let span = |field, label, hint, required| {
        Field {
            name: field,
            label,
            value: fields.text(field),
            hint,
            required,
        }
        .moment(name, refused)
    };
    html! {
        (parts::refusal(refused))
        form method="post" action=(action) {
            (parts::form_token(seat))
            (span("since", "Accepted since", "", true))
            (span("until", "Accepted before", "Empty: until now.", false))
            (more)
            div.actions { button.primary type="submit" { "Start" } }
        }
    }
}

fn filters(fields: &Fields, refused: Option<&Refused>) -> Markup {
    let field = |name, label, hint| Field {
        name,
        label,
        value: fields.text(name),
        hint,
        required: false,
    };
    let states = [
        ("", "any"),
        ("success", "it was delivered"),
        ("fail", "it failed"),
        ("cancelled", "it was cancelled"),
    ];
    let classes = [
        ("", "anything"),
        ("200", "2xx"),
        ("300", "3xx"),
        ("400", "4xx"),
        ("500", "5xx"),
        ("100", "1xx"),
    ];
    html! {
        (field("eventTypes", "Event types", "Apart by commas. Empty: all.").line(refused))
        (field("channel", "Channel", "").line(refused))
        (field("tag", "Tag", "").line(refused))
        (field("status", "How it stands", "").choice(&states, refused))
        (field("statusCodeClass", "What the last request was answered with", "")
            .choice(&classes, refused))
    }
}

pub(super) async fn cancel(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let seat = &posted.seat;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let at = (&tenant, id.as_str());
    // Until now, whatever the clock says.
    let before = Timestamp::MAX;
    let cancelled = rooms.app.cancel_deliveries(&seat.caller, at, before);
    cancelled.await?;
    Ok(done(&of_endpoint(seat, &view, ""), "cancelled").into_response())
}

/// How far background work has come.
pub(super) async fn progress(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let id = view.endpoint.id.to_string();
    let at = (&tenant, id.as_str());
    let task = rooms.app.endpoint_task(at, seat.named("task")).await?;
    let title = match task.kind {
        TaskKind::Recover => "Sending again what failed",
        TaskKind::Replay => "Sending what it never got",
        _ => "Sending all of it again",
    };
    let body = html! {
        (stands(&task))
        p { a.button href=(of_endpoint(&seat, &view, "")) { "Back to the endpoint" } }
    };
    Ok(Content::new(title, body).below(below_endpoint(&seat, &tenant, &view)))
}

fn stands(task: &Task) -> Markup {
    let (tone, word) = match task.state {
        TaskState::Running => (Tone::Waiting, "under way"),
        TaskState::Finished => (Tone::Good, "finished"),
        TaskState::Failed => (Tone::Bad, "failed"),
    };
    let sent = task.data.get("messagesSent").and_then(|sent| sent.as_u64());
    let error = task.data.get("error").and_then(|error| error.as_str());
    let percent = task.percent.unwrap_or_default();
    html! {
        p { (badge(tone, word)) }
        @if let Some(error) = error { p.notice.bad { (error) } }
        p {
            label for="progress" { "Looked through: " (percent) " %" }
            progress #progress max="100" value=(percent) { (percent) " %" }
        }
        (parts::facts(vec![
            ("Messages put on their way", html! { (parts::count(sent.unwrap_or_default())) }),
            ("Last moved on", time(task.updated_at)),
            ("Id", parts::id(task.id)),
        ]))
    }
}
