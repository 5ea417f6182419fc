//! An application's messages: the list. One of them is in `one`, one of its attempts in `attempt`,
//! those to an endpoint in `attempts`, how messages stand with an endpoint in `along_endpoint`, and
//! what is sent from here in `sending`.

mod along_endpoint;
mod attempt;
mod attempts;
mod one;
mod sending;

use super::place::{above, tenant};
use crate::layout::{Content, Crumb};
use crate::live::View;
use crate::needs::{administer, look, send_again};
use crate::parts::{pager, short, table, time};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use crate::words::{name_or_none, names};
use crate::{Shared, search};
use app::access::limits::Need;
use app::messages::{MessageView, MessagesInput};
use app::tokens::sessions::Pages;
use app::{Caller, Tenant};
use axum::extract::State;
use maud::{Markup, html};
use model::message::Message;

/// What sends one message again.
const RESEND: Need = send_again("message-attempt");
/// What sends a message, or removes what one said.
const MANAGE: Need = administer("message");
/// What removes what was answered.
const EXPUNGE_ANSWER: Need = administer("message-attempt");

/// Below `/dashboard/applications/{app}`.
pub(crate) fn dashboard() -> Routes {
    let attempt = "/dashboard/applications/{app}/messages/{message}/attempts/{attempt}";
    Routes::default()
        .page(
            "/dashboard/applications/{app}/messages",
            look("message"),
            list,
        )
        .page(
            "/dashboard/applications/{app}/messages/new",
            MANAGE,
            sending::form,
        )
        .action(
            "/dashboard/applications/{app}/messages/new",
            MANAGE,
            sending::send,
        )
        .page(
            "/dashboard/applications/{app}/messages/{message}",
            look("message"),
            one::show,
        )
        .page(
            "/dashboard/applications/{app}/messages/{message}/payload",
            look("message"),
            one::payload,
        )
        .action(
            "/dashboard/applications/{app}/messages/{message}/resend",
            RESEND,
            sending::resend,
        )
        .action(
            "/dashboard/applications/{app}/messages/{message}/expunge",
            MANAGE,
            one::expunge,
        )
        .page(attempt, look("message-attempt"), attempt::show)
        .page(
            "/dashboard/applications/{app}/messages/{message}/attempts/{attempt}/response",
            look("message-attempt"),
            attempt::response,
        )
        .action(
            "/dashboard/applications/{app}/messages/{message}/attempts/{attempt}/expunge",
            EXPUNGE_ANSWER,
            attempt::expunge,
        )
        .page(
            "/dashboard/applications/{app}/endpoints/{endpoint}/messages",
            look("message-attempt"),
            along_endpoint::list,
        )
        .page(
            "/dashboard/applications/{app}/endpoints/{endpoint}/attempts",
            look("message-attempt"),
            attempts::list,
        )
}

/// Below `/portal`: what an application's own people may do.
pub(crate) fn portal() -> Routes {
    Routes::default()
        .page("/portal/messages", look("message"), list)
        .page("/portal/messages/{message}", look("message"), one::show)
        .page(
            "/portal/messages/{message}/payload",
            look("message"),
            one::payload,
        )
        .action("/portal/messages/{message}/resend", RESEND, sending::resend)
        .page(
            "/portal/messages/{message}/attempts/{attempt}",
            look("message-attempt"),
            attempt::show,
        )
        .page(
            "/portal/messages/{message}/attempts/{attempt}/response",
            look("message-attempt"),
            attempt::response,
        )
        .page(
            "/portal/endpoints/{endpoint}/messages",
            look("message-attempt"),
            along_endpoint::list,
        )
        .page(
            "/portal/endpoints/{endpoint}/attempts",
            look("message-attempt"),
            attempts::list,
        )
}

async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let tenant = tenant(&rooms, &seat).await?;
    let asked = search::asked(&seat);
    let input = MessagesInput {
        list: search::list(&asked)?,
        filter: search::filter(&asked)?,
        with_content: false,
    };
    let app = &rooms.app;
    let application = seat.application();
    let page = app.messages(&seat.caller, &application, &input).await?;
    let rows = page.data.iter().map(|view| row(&seat, view)).collect();
    let heads = [
        "Accepted",
        "Event type",
        "Message",
        "Event id",
        "Channels",
        "Tags",
    ];
    let body = html! {
        @if seat.may(MANAGE) {
            p.actions { a.button href=(seat.within("/messages/new")) { "Send a message" } }
        }
        (search::form(&seat, &asked, &search::OF_MESSAGES))
        (table("Messages, the newest first", &heads, rows, "No message is like this."))
        (pager(&seat, &page))
    };
    Ok(Content::new("Messages", body).below(above(&seat, &tenant)))
}

fn row(seat: &Seat, view: &MessageView) -> Vec<Markup> {
    let message = &view.message;
    let mut cells = Vec::from(first_cells(seat, message));
    cells.extend([
        name_or_none(message.event_id.as_ref()),
        names(&message.channels),
        names(&message.tags),
    ]);
    cells
}

/// What every list of messages has of one: when it was accepted, its type, and the way to it.
fn first_cells(seat: &Seat, message: &Message) -> [Markup; 3] {
    let to = seat.within(&format!("/messages/{}", message.id));
    [
        time(message.id.key().time()),
        short(message.event_type.as_str()),
        html! { a href=(to) { code { (message.id) } } },
    ]
}

/// Whether these are the organisation's pages.
fn is_operators(seat: &Seat) -> bool {
    seat.pages == Pages::Dashboard
}

/// What is above one message.
fn above_message(seat: &Seat, tenant: &Tenant) -> Vec<Crumb> {
    let mut trail = above(seat, tenant);
    trail.push((seat.within("/messages"), "Messages".to_owned()));
    trail
}

/// Where the path is: whoever asks, then the application and the message.
fn place(seat: &Seat) -> (&Caller, String, &str) {
    (&seat.caller, seat.application(), seat.named("message"))
}
