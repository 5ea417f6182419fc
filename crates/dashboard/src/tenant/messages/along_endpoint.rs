//! The messages that went, or are on their way, to one endpoint, each with how it stands there.

use super::first_cells;
use crate::layout::Content;
use crate::live::View;
use crate::parts::{pager, short, table, time_or};
use crate::posted::Fields;
use crate::problem::Answer;
use crate::seat::Seat;
use crate::tenant::place::{below_endpoint, endpoint};
use crate::{Shared, search, words};
use app::standings::{EndpointMessageView, EndpointMessagesInput};
use app::status::Status;
use axum::extract::State;
use maud::{Markup, html};

/// How messages stand: in the address, and for people.
const STATES: [(&str, Status, &str); 5] = [
    ("delivered", Status::Success, "Delivered"),
    ("pending", Status::Pending, "Pending"),
    ("retrying", Status::Sending, "Pending, tried again"),
    ("failed", Status::Fail, "Failed"),
    ("cancelled", Status::Cancelled, "Cancelled"),
];

pub(super) async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let asked = search::asked(&seat);
    let input = EndpointMessagesInput {
        list: search::list(&asked)?,
        filter: search::filter(&asked)?,
        status: state(&asked)?,
        expanded: true,
        with_content: false,
    };
    let (application, id) = (seat.application(), view.endpoint.id.to_string());
    let at = (application.as_str(), id.as_str());
    let page = rooms
        .app
        .endpoint_messages(&seat.caller, at, &input)
        .await?;
    let rows = page.data.iter().map(|view| row(&seat, view)).collect();
    let states = STATES.map(|(word, _, text)| (word, text));
    let [event_type, channel, tag, after, before] = search::OF_MESSAGES;
    let fields = [
        search::one_of("state", "State", &states),
        event_type,
        channel,
        tag,
        after,
        before,
    ];
    let heads = ["Accepted", "Event type", "Message", "State", "Next attempt"];
    let body = html! {
        p.quiet { (short(&view.endpoint.url)) }
        (search::form(&seat, &asked, &fields))
        (table("Messages, the newest first", &heads, rows, "No message is like this."))
        (pager(&seat, &page))
    };
    Ok(Content::new("Messages", body).below(below_endpoint(&seat, &tenant, &view)))
}

fn row(seat: &Seat, view: &EndpointMessageView) -> Vec<Markup> {
    let mut cells = Vec::from(first_cells(seat, &view.message));
    cells.extend([
        words::standing(view.status),
        time_or(view.next_attempt, "none"),
    ]);
    cells
}

fn state(asked: &Fields) -> Answer<Option<Status>> {
    let word = asked.text("state");
    if word.is_empty() {
        return Ok(None);
    }
    let known = STATES.iter().find(|(own, ..)| *own == word);
    let known = known.map(|(_, status, _)| *status);
    let text = "must be `delivered`, `pending`, `retrying`, `failed` or `cancelled`";
    known.map(Some).ok_or_else(|| search::wrong("state", text))
}
