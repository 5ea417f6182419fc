//! From where requests are refused now, at the node that shows the page: all of them, by what
//! detection found; or attempts to sign in, since too many have failed. Neither is kept anywhere
//! but in that node's memory, and both end by themselves.

use super::{from, trail};
use crate::Shared;
use crate::layout::Content;
use crate::live::View;
use crate::parts::{count, table, time};
use crate::problem::Answer;
use crate::seat::Seat;
use axum::extract::State;
use maud::{Markup, html};
use model::Timestamp;
use std::net::IpAddr;

/// So many of each kind are shown: those that end last.
const SHOWN_MAX: usize = 100;

pub(super) async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let blocked = rooms.config.blocked.blocked();
    let signing_in = rooms.app.kept_from_signing_in(&seat.caller)?;
    let body = html! {
        p {
            "Each node has its own list in memory, and forgets it when it ends. This is that of the "
            "one that shows this page: this node. Of IPv6, an address stands for its /64."
        }
        h2 { "Blocked by detection" }
        p {
            "Nothing of theirs is answered, at the API, at these pages or at the gateway, for "
            "what a rule found whose response is " code { "block-address" } "."
        }
        (list("Addresses that detection has blocked", blocked))
        h2 { "Kept from signing in" }
        p { "Too many attempts to sign in have failed from there. All else of theirs is answered." }
        (list("Addresses that may not try to sign in", signing_in))
    };
    let content = Content::new("Addresses that are refused now", body);
    Ok(content.below(trail()).each_second())
}

fn list(caption: &str, mut all: Vec<(IpAddr, Timestamp)>) -> Markup {
    all.sort_by_key(|(address, until)| (std::cmp::Reverse(*until), *address));
    let more = all.len().saturating_sub(SHOWN_MAX);
    let rows = all
        .iter()
        .take(SHOWN_MAX)
        .map(|(address, until)| vec![from(Some(*address)), time(in_seconds(*until))]);
    html! {
        (table(caption, &["Address", "Until"], rows.collect(), "There is none."))
        @if more > 0 { p { "And " (count(more as u64)) " more, which end before these." } }
    }
}

/// To the next whole second: what is computed from a wait is never twice the same.
fn in_seconds(at: Timestamp) -> Timestamp {
    const SECOND: i64 = 1_000_000;
    Timestamp::from_seconds(at.micros().div_euclid(SECOND).saturating_add(1))
}
