//! The first page: how the installation does. What this node counts itself is shown from its
//! memory, each second; what is everyone's, from what all nodes have counted in the store.
//!
//! Map: `figures` (what a node's counts mean) · `glance` (what is read for the whole installation).

mod figures;
mod glance;

pub(crate) use glance::Glance;

use crate::chart::{Chart, Point, Shape};
use crate::config::Reading;
use crate::layout::Content;
use crate::live::View;
use crate::needs::look_within;
use crate::parts::{self, Tone, badge, count, time, time_or};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::{DASHBOARD, Shared};
use app::Health;
use app::statistics::{AttemptCounts, FailingEndpoint};
use axum::extract::State;
use figures::{Span, clock, share, within};
use glance::Seen;
use maud::{Markup, html};
use model::Timestamp;
use model::meter::Durations;
use model::node::Node;
use model::security::Severity;

const ATTEMPTS: [(&str, &str); 2] = [("succeeded", "good"), ("failed", "bad")];

pub(crate) fn routes() -> Routes {
    Routes::default().page(DASHBOARD, look_within("statistics"), show)
}

async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

/// What can't be read is said to be so: this page is looked at when something is wrong.
async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let reading = rooms.config.figures.read().await;
    let seen = rooms.glance.look(&rooms.app, &seat.caller).await;
    let body = html! {
        (ill(&rooms.app.health()))
        (now(&reading, seen.as_deref().ok()))
        (took(&reading))
        (last_hour(&reading))
        @match &seen {
            Ok(seen) => (everywhere(&seat, seen)),
            Err(refused) => (unread(refused)),
        }
    };
    Ok(Content::new("Overview", body).each_second())
}

fn ill(health: &Health) -> Markup {
    let parts = [
        ("Nothing can be accepted or recorded", &health.database),
        ("Deliveries are held up", &health.queue),
        ("The cache can't be used", &health.cache),
    ];
    // What is wrong with the database is wrong with what waits in it.
    let again = |name: &str| name == "Deliveries are held up" && health.queue == health.database;
    html! {
        @for (what, ill) in parts {
            @if let Some(ill) = ill && !again(what) {
                p.notice.bad role="alert" {
                    strong { (what) ": " } (ill.reason)
                    @if let Some(since) = ill.since { ". Since " (time(since)) "." }
                }
            }
        }
    }
}

fn now(reading: &Reading, seen: Option<&Seen>) -> Markup {
    let (now, hour) = (Span::now(reading), Span::hour(reading));
    let rate = |times: fn(&Span) -> u64| {
        now.as_ref()
            .map_or("–".to_owned(), |now| now.per_second(times(now)))
    };
    html! {
        h2 { "Now" }
        (which(seen))
        ul.tiles {
            (tile("messages accepted a second", &rate(|now| now.accepted)))
            (tile("attempts a second", &rate(|now| now.succeeded + now.failed)))
            (tile("of the last hour's attempts succeeded", &hour.success().unwrap_or("–".to_owned())))
            (tile("attempts under way", &count(reading.in_flight)))
            (tile("deliveries open, on all nodes", &reading.open.map_or("unknown".to_owned(), count)))
        }
        p {
            "The earliest open delivery is due: "
            (time_or(reading.first_due, "there is none, or it can't be read"))
        }
    }
}

/// Whose figures these are, where there are others.
fn which(seen: Option<&Seen>) -> Markup {
    let nodes = seen.map_or(0, |seen| seen.nodes.len());
    html! {
        @if nodes > 1 {
            p.quiet {
                "There are " (nodes) " nodes. Rates, times and the charts of the last hour are of the \
                 node that shows this page; everything else is of all of them."
            }
        }
    }
}

fn tile(called: &str, figure: &str) -> Markup {
    html! { li.tile { span.figure { (figure) } span.called { (called) } } }
}

fn took(reading: &Reading) -> Markup {
    let hour = Span::hour(reading);
    let row = |(what, durations): (&str, &Durations)| {
        let times = [50, 95, 99].map(|percent| html! { (within(durations, percent)) });
        let first = [html! { (what) }, html! { (count(durations.count())) }];
        first.into_iter().chain(times).collect()
    };
    let rows = [
        ("from due to delivered", &hour.delivered),
        ("an attempt that succeeded", &hour.succeeded_took),
        ("an attempt that failed", &hour.failed_took),
        ("a commit", &hour.commits),
    ];
    let heads = ["What", "How many", "Half of them", "95 of 100", "99 of 100"];
    html! {
        h2 { "How long it takes" }
        (parts::table("In the last hour, on this node", &heads, rows.map(row).into(), "Nothing"))
    }
}

fn last_hour(reading: &Reading) -> Markup {
    let (accepted, attempts) = (figures::accepted(reading), figures::attempts(reading));
    let accepted = Chart {
        id: "accepted",
        title: "Messages accepted, by minute (UTC)",
        shape: Shape::Lines,
        series: &[("accepted", "plain")],
        points: &accepted,
        rows: &accepted,
        unit: "Minute",
    };
    let attempts = Chart {
        id: "attempts",
        title: "Attempts, by minute (UTC)",
        shape: Shape::Bars,
        series: &ATTEMPTS,
        points: &attempts,
        rows: &attempts,
        unit: "Minute",
    };
    html! {
        h2 { "The last hour, on this node" }
        div.charts { (accepted.show()) (attempts.show()) }
    }
}

/// What is of the whole installation.
fn everywhere(seat: &Seat, seen: &Seen) -> Markup {
    html! {
        (longer(seen))
        (failing(seen))
        @if seat.may(look_within("security")) { (events(seen)) }
        (nodes(&seen.nodes))
    }
}

fn unread(refused: &Refused) -> Markup {
    html! {
        h2 { "The whole installation" }
        p.notice.bad role="alert" { "It can't be shown. " (refused.detail()) }
    }
}

fn longer(seen: &Seen) -> Markup {
    let day = points(seen.hours.last(24), "%H:%M");
    let hours = points(seen.hours.last(usize::MAX), "%d %b %H:%M");
    let days = points(seen.hours.days().into_iter(), "%Y-%m-%d");
    let last_day = seen
        .hours
        .last(24)
        .fold((0, 0), |(good, bad), (_, counts)| {
            (good + counts.success, bad + counts.failure)
        });
    let day = Chart {
        id: "day",
        title: "Attempts in the last 24 hours, by hour (UTC)",
        shape: Shape::Bars,
        series: &ATTEMPTS,
        points: &day,
        rows: &day,
        unit: "Hour",
    };
    let month = Chart {
        id: "month",
        title: "Attempts in the last 28 days, by hour (UTC)",
        shape: Shape::Lines,
        series: &ATTEMPTS,
        points: &hours,
        rows: &days,
        unit: "Day",
    };
    html! {
        h2 { "All nodes" }
        @if let Some(share) = share(last_day.0, last_day.1) {
            p { (share) " of the attempts of the last 24 hours succeeded." }
        }
        div.charts { (day.show()) (month.show()) }
    }
}

fn points(times: impl Iterator<Item = (Timestamp, AttemptCounts)>, format: &str) -> Vec<Point> {
    let point = |(at, counts): (Timestamp, AttemptCounts)| Point {
        at: clock(at, format),
        values: vec![counts.success, counts.failure],
    };
    times.map(point).collect()
}

fn failing(seen: &Seen) -> Markup {
    let heads = [
        "Endpoint",
        "Application",
        "Failing since",
        "Failed in 24 hours",
    ];
    let rows = |all: &[FailingEndpoint]| all.iter().map(endpoint).collect();
    let table =
        |caption, all: &[FailingEndpoint], none| parts::table(caption, &heads, rows(all), none);
    html! {
        h2 { "Endpoints" }
        p {
            (count(seen.endpoints.enabled)) " are enabled, " (count(seen.endpoints.disabled))
            " are disabled."
        }
        (table("Those that have failed for longest", &seen.failing.tried, "No endpoint is failing."))
        (table(
            "Those that were disabled because they failed, the latest first",
            &seen.failing.disabled,
            "No endpoint was disabled because it failed.",
        ))
    }
}

fn endpoint(one: &FailingEndpoint) -> Vec<Markup> {
    let application = format!("{DASHBOARD}/applications/{}", one.application.id);
    let endpoint = format!("{application}/endpoints/{}", one.endpoint.id);
    vec![
        html! { a href=(endpoint) { (parts::short(&one.endpoint.url)) } },
        html! { a href=(application) { (parts::short(&one.application.name)) } },
        time(one.since),
        html! { (count(one.failed)) },
    ]
}

fn events(seen: &Seen) -> Markup {
    let events = &seen.events;
    let at_least = if events.more { "at least " } else { "" };
    html! {
        h2 { "Security events of the last 24 hours" }
        ul.tiles {
            @for severity in Severity::ALL.into_iter().rev() {
                (tile(severity.as_str(), &format!("{at_least}{}", count(events.counts[severity as usize]))))
            }
        }
        p { a href={ (DASHBOARD) "/security" } { "To the security events" } }
    }
}

fn nodes(nodes: &[Node]) -> Markup {
    let row = |node: &Node| {
        vec![
            html! { (node.name) " " span.quiet { "slot " (node.slot) } },
            match node.alive {
                true => badge(Tone::Good, "alive"),
                false => badge(Tone::Bad, "gone"),
            },
            html! { (node.roles) },
            html! { (node.version) },
            time(node.since),
            time_or(node.lease_ends, "needs none: it is alone"),
            html! { (count(node.deliveries)) },
        ]
    };
    let heads = [
        "Node",
        "State",
        "Roles",
        "Version",
        "Since",
        "Lease ends",
        "Holds deliveries",
    ];
    let rows = nodes.iter().map(row).collect();
    html! {
        h2 { "Nodes" }
        (parts::table("Nodes that share the store", &heads, rows, "No node has joined."))
    }
}
