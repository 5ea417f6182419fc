//! What a source refused, and, where it keeps that, what the latest of the requests held. All of it
//! is strangers': it is shown as text alone.

use super::{LOOK, trail_of};
use crate::Shared;
use crate::layout::Content;
use crate::live::View;
use crate::operator::asked::{Asked, shown};
use crate::operator::security::from;
use crate::parts::{count, excerpt, pager, short, table, time};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use app::sources::{RefusedRequest, SourceLogEntry};
use axum::extract::State;
use maud::{Markup, html};
use std::fmt::Write as _;

pub(super) fn routes() -> Routes {
    Routes::default().page("/dashboard/sources/{source}/refused", LOOK, show)
}

async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let path = seat.named("source");
    let found = rooms.app.source_without_token(&seat.caller, path);
    let (view, _) = found.await?;
    let asked = Asked::of(&seat).list();
    let page = rooms.app.source_log(&seat.caller, path, &asked).await;
    let entries = shown(page, |page| {
        html! {
            (list(&page.data))
            (pager(&seat, page))
        }
    })?;
    let body = html! {
        p {
            "The same from the same network within ten minutes is one entry. "
            @if view.config.keeps_refused {
                "What the latest request held is kept for a while, without what is secret of it."
            } @else {
                "What requests held is not kept: " code { "keepRefused" } " in the source's \
                configuration makes that so."
            }
        }
        (entries)
    };
    Ok(Content::new("Refused", body).below(trail_of(&view)))
}

/// The table of some.
pub(super) fn list(entries: &[SourceLogEntry]) -> Markup {
    let heads = ["Why", "From", "Times", "First", "Last", "Description"];
    let rows = entries.iter().map(row).collect();
    table(
        "Refused, the newest first",
        &heads,
        rows,
        "Nothing was refused.",
    )
}

fn row(entry: &SourceLogEntry) -> Vec<Markup> {
    let event = &entry.event;
    vec![
        html! { code { (event.kind.as_str()) } },
        from(event.remote_address),
        html! { (count(event.count)) },
        time(event.first_seen),
        time(event.last_seen),
        html! {
            (short(&event.description))
            @if let Some(request) = &entry.request { (held(request)) }
        },
    ]
}

fn held(request: &RefusedRequest) -> Markup {
    let mut headers = String::new();
    for (name, value) in &request.headers {
        writeln!(headers, "{name}: {value}").expect("a string takes what is written to it");
    }
    html! {
        details {
            summary { "What the latest held" }
            p.quiet { "Its headers" }
            (excerpt(headers.as_bytes()))
            p.quiet { "The beginning of its body; in base64, where that is no text" }
            (excerpt(request.body.as_bytes()))
        }
    }
}
