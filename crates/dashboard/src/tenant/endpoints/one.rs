//! An endpoint's page: how it stands, what it is, what came of its attempts, what protects it, and
//! what happened to it.

use super::super::place::{above_endpoint, called, endpoint, of_endpoint};
use super::state::State as Standing;
use super::{CHANGE, REPLACE_SECRET, SEE_SECRET, SEND_AGAIN, TRY, history, protection};
use crate::Shared;
use crate::layout::Content;
use crate::live::View;
use crate::parts::{self, button, count, id, time};
use crate::problem::Answer;
use crate::seat::Seat;
use app::Tenant;
use app::endpoints::{EndpointHistory, EndpointView};
use app::statistics::EndpointStatistics;
use axum::extract::State;
use maud::{Markup, html};
use model::name::Name;
use std::collections::BTreeSet;

pub(super) async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let counts = counts(&rooms, &seat, (&tenant, &view)).await?;
    let past = past(&rooms, &seat, (&tenant, &view)).await?;
    let body = html! {
        (Standing::of(&view).whole())
        (history::disabled(&seat, &view, &past))
        (actions(&seat, &view))
        h2 { "What it is" }
        (facts(&view))
        h2 { "Attempts of the last 28 days" }
        (statistics(&counts))
        h2 { "Signing secret" }
        (secret(&seat, &view))
        h2 { "Protection" }
        (protection::summary(&rooms, &seat, (&tenant, &view)).await?)
        h2 { "History" }
        (history::table(&seat, &past))
        (history::events(&rooms, &seat, &view).await?)
    };
    Ok(Content::new(called(&view), body).below(above_endpoint(&seat, &tenant)))
}

fn actions(seat: &Seat, view: &EndpointView) -> Markup {
    let to = |rest| of_endpoint(seat, view, rest);
    html! {
        div.actions {
            @if seat.may(TRY) && !view.endpoint.disabled {
                a.button.primary href=(to("/test")) { "Send an example" }
            }
            a.button href=(to("/messages")) { "Its messages" }
            a.button href=(to("/attempts")) { "Attempts" }
            @if seat.may(SEND_AGAIN) { a.button href=(to("/replay")) { "Replay" } }
            @if seat.may(CHANGE) {
                a.button href=(to("/edit")) { "Edit" }
                @if view.endpoint.disabled {
                    (button(seat, &to("/enable"), ("", "Enable")))
                } @else {
                    (sure(seat, &to("/disable"), ("Disable", "Send nothing to this endpoint?")))
                }
                (sure(seat, &to("/delete"), (
                    "Delete", "Delete this endpoint, with all that is on its way to it?",
                )))
            }
        }
    }
}

/// A button that asks first.
pub(super) fn sure(seat: &Seat, action: &str, (text, question): (&str, &str)) -> Markup {
    html! {
        form.inline method="post" action=(action) data-sure=(question) {
            (parts::form_token(seat))
            button.danger type="submit" { (text) }
        }
    }
}

fn facts(view: &EndpointView) -> Markup {
    let endpoint = &view.endpoint;
    let mut facts = vec![
        ("URL", html! { code { (endpoint.url) } }),
        ("Id", id(endpoint.id)),
    ];
    if let Some(uid) = &endpoint.uid {
        facts.push(("Uid", id(uid)));
    }
    if !endpoint.description.is_empty() {
        facts.push(("Description", html! { (endpoint.description) }));
    }
    facts.push((
        "Event types",
        names(endpoint.event_types.as_ref(), "all of them"),
    ));
    facts.push((
        "Channels",
        names(endpoint.channels.as_ref(), "all messages, with and without"),
    ));
    let rate = endpoint.rate_limit.map(|rate| rate.to_string());
    facts.push((
        "Attempts per second, at the most",
        html! { (rate.as_deref().unwrap_or("no limit of its own")) },
    ));
    for (name, value) in &endpoint.metadata {
        facts.push((name, html! { (value) }));
    }
    facts.push(("Made", time(endpoint.created_at)));
    facts.push(("Last saved", time(endpoint.updated_at)));
    parts::facts(facts)
}

fn names(names: Option<&BTreeSet<Name>>, all: &str) -> Markup {
    html! {
        @match names {
            None => (all),
            Some(names) => @for name in names { code { (name) } " " },
        }
    }
}

async fn counts(
    rooms: &Shared,
    seat: &Seat,
    (tenant, view): (&Tenant, &EndpointView),
) -> Answer<EndpointStatistics> {
    let application = tenant.application().id.to_string();
    let endpoint = view.endpoint.id.to_string();
    let path = (application.as_str(), endpoint.as_str());
    let counts = rooms
        .app
        .endpoint_statistics(&seat.caller, path, (None, None));
    Ok(counts.await?)
}

async fn past(
    rooms: &Shared,
    seat: &Seat,
    (tenant, view): (&Tenant, &EndpointView),
) -> Answer<EndpointHistory> {
    let id = view.endpoint.id.to_string();
    let past = rooms.app.endpoint_history(&seat.caller, tenant, &id);
    Ok(past.await?)
}

fn statistics(counts: &EndpointStatistics) -> Markup {
    let ended = counts.success + counts.fail;
    let tile = |called: &str, figure: u64| {
        html! { li.tile { span.figure { (count(figure)) } span.called { (called) } } }
    };
    html! {
        ul.tiles {
            (tile("succeeded", counts.success))
            (tile("failed", counts.fail))
            (tile("cancelled", counts.cancelled))
            (tile("not tried yet", counts.pending))
            (tile("to be tried again", counts.sending))
        }
        @if ended > 0 {
            @let percent = counts.success.saturating_mul(100) / ended;
            p {
                label for="success" { "Succeeded of all that were made: " (percent) " %" }
                progress #success max="100" value=(percent) { (percent) " %" }
            }
        }
    }
}

fn secret(seat: &Seat, view: &EndpointView) -> Markup {
    let to = |rest| of_endpoint(seat, view, rest);
    html! {
        p { "Receivers verify with it that what they get was sent from here." }
        div.actions {
            @if seat.may(SEE_SECRET) { (button(seat, &to("/secret"), ("", "Show secret"))) }
            @if seat.may(REPLACE_SECRET) {
                (sure(seat, &to("/secret/rotate"), (
                    "Replace secret", "Replace the secret? The one before signs for 24 hours more.",
                )))
            }
            @if !seat.may(SEE_SECRET) && !seat.may(REPLACE_SECRET) {
                span.quiet { "Not for you to see." }
            }
        }
    }
}
