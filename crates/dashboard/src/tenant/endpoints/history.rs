//! What happened to an endpoint: how it came to stand as it does, for both its owner and the
//! operator; and for the operator, its security events.

use crate::Shared;
use crate::needs::look_within;
use crate::parts::{self, count, time};
use crate::problem::Answer;
use crate::seat::Seat;
use app::ListInput;
use app::endpoints::{EndpointHistory, EndpointView, Happening, HistoryRow, WhoDidIt};
use app::security::SecurityEventsInput;
use app::tokens::sessions::Pages;
use maud::{Markup, html};
use model::security::Subject;

/// How many security events are shown.
const EVENTS: u64 = 20;

/// Why one is disabled that nobody has.
const FAILED: &str = "its attempts kept failing, or it answered that it is gone";

/// How it came to stand as it does.
pub(super) fn table(seat: &Seat, history: &EndpointHistory) -> Markup {
    let rows = history
        .rows
        .iter()
        .map(|row| vec![time(row.at), what(row), by(seat, row)]);
    let heads = ["When", "What happened", "By whom"];
    let none = "Nothing is known any more: it was longer ago than is kept.";
    parts::table(
        "How it came to stand so, the newest first",
        &heads,
        rows.collect(),
        none,
    )
}

fn what(row: &HistoryRow) -> Markup {
    let leads = |text: &str, host: &Option<String>| {
        html! { (text) @if let Some(host) = host { ", and leads to " code { (host) } } }
    };
    match &row.what {
        Happening::Created(host) => leads("It was made", host),
        Happening::Moved(host) => leads("Its URL was changed", host),
        Happening::Disabled if row.who == WhoDidIt::Attempts => {
            html! { "It was disabled, since " (FAILED) }
        }
        Happening::Disabled => html! { "It was disabled" },
        Happening::Enabled => html! { "It was enabled" },
        Happening::SecretRotated => html! { "Its signing secret was replaced" },
        Happening::Asked => html! { "Its receiver was asked whether it wants what it is to get" },
        Happening::Proved => html! { "Its receiver said that it wants what it is to get" },
        Happening::NotProved(reason) => html! {
            "Its receiver did not say that it wants what it is to get: " (parts::short(reason))
        },
    }
}

/// Who did it; for the operator, the way to the audit log's entry.
fn by(seat: &Seat, row: &HistoryRow) -> Markup {
    let entry = row.entry.filter(|_| seat.may(look_within("audit")));
    let who = who(seat, row);
    match entry {
        None => html! { (who) },
        Some(id) => html! { a href={ "/dashboard/audit/" (id) } { (who) } },
    }
}

fn who(seat: &Seat, row: &HistoryRow) -> String {
    match (&row.who, seat.pages) {
        (WhoDidIt::Operator, _) => "the operator".to_owned(),
        (WhoDidIt::Application, Pages::Portal) => "you, or others of yours".to_owned(),
        (WhoDidIt::Application, Pages::Dashboard) => "the application".to_owned(),
        (WhoDidIt::Rule(Some(rule)), _) => format!("a rule: {rule}"),
        (WhoDidIt::Rule(None), _) => "a rule of the operator's".to_owned(),
        (WhoDidIt::Attempts, _) if row.what == Happening::Disabled => "by itself".to_owned(),
        (WhoDidIt::Attempts, _) => "the receiver".to_owned(),
    }
}

/// Why an endpoint is disabled, and since when, as far as is known.
pub(super) fn disabled(seat: &Seat, view: &EndpointView, history: &EndpointHistory) -> Markup {
    if !view.endpoint.disabled {
        return html! {};
    }
    let Some(row) = history.disabled() else {
        return html! { p.notice.waiting { "Nothing is sent to it until it is enabled." } };
    };
    html! {
        p.notice.waiting {
            "It was disabled at " (time(row.at)) ", "
            @if row.who == WhoDidIt::Attempts { "since " (FAILED) ". " }
            @else { "by " (who(seat, row)) ". " }
            @if let (WhoDidIt::Attempts, Some(since)) = (&row.who, history.failing_since) {
                "Nothing has succeeded since " (time(since)) ". "
            }
            "Nothing is sent to it until it is enabled."
        }
    }
}

/// Security events are the operator's alone.
pub(super) async fn events(rooms: &Shared, seat: &Seat, view: &EndpointView) -> Answer<Markup> {
    if !seat.may(look_within("security")) {
        return Ok(html! {});
    }
    let input = SecurityEventsInput {
        list: ListInput {
            limit: Some(EVENTS),
            ..ListInput::default()
        },
        subject: Some(Subject::endpoint(view.endpoint.id)),
        ..SecurityEventsInput::default()
    };
    let events = rooms.app.security_events(&seat.caller, &input);
    let rows = events.await?.data.into_iter().map(|row| {
        vec![
            time(row.event.last_seen),
            html! { code { (row.event.kind.as_str()) } },
            html! { (row.event.description) },
            html! { (count(row.event.count)) },
        ]
    });
    let heads = ["Last", "Kind", "What happened", "Times"];
    let none = "There was none of late.";
    Ok(html! {
        h2 { "Security events" }
        (parts::table("Security events of this endpoint", &heads, rows.collect(), none))
    })
}
