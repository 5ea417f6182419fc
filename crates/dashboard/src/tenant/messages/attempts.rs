//! The attempts to one endpoint.

use super::one::attempt_row;
use super::{above, tenant};
use crate::layout::Content;
use crate::live::View;
use crate::parts::{pager, short, table};
use crate::posted::Fields;
use crate::problem::Answer;
use crate::seat::Seat;
use crate::{Shared, search};
use app::attempts::AttemptsInput;
use app::status::Status;
use axum::extract::State;
use maud::html;

/// How attempts end.
const RESULTS: [(&str, &str); 3] = [
    ("success", "Succeeded"),
    ("fail", "Failed"),
    ("cancelled", "Cancelled"),
];

pub(super) async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let tenant = tenant(&rooms, &seat).await?;
    let endpoint = rooms
        .app
        .endpoint(&tenant, seat.named("endpoint"))?
        .endpoint;
    let asked = search::asked(&seat);
    let input = AttemptsInput {
        list: search::list(&asked)?,
        filter: search::filter(&asked)?,
        status: status(&asked)?,
        expanded: true,
        status_code_class: search::class(&asked)?,
        with_content: false,
        with_message: true,
    };
    let (application, id) = (seat.application(), endpoint.id.to_string());
    let at = (application.as_str(), id.as_str());
    let page = rooms.app.attempts_by_endpoint(&seat.caller, at, &input);
    let page = page.await?;
    let rows = page.data.iter().map(|view| {
        let mut row = attempt_row(&seat, view);
        let message = &view.attempt.message;
        let to = seat.within(&format!("/messages/{message}"));
        let event_type = view
            .message
            .as_ref()
            .map(|(message, _)| &message.event_type);
        row.insert(
            1,
            html! {
                a href=(to) { code { (message) } }
                @if let Some(event_type) = event_type { br; (short(event_type.as_str())) }
            },
        );
        row
    });
    let rows = rows.collect();
    let fields = [
        search::one_of("status", "Result", &RESULTS),
        search::class_field("Status code"),
        search::text("type", "Event type"),
        search::at("after", "After (UTC)"),
        search::at("before", "Before (UTC)"),
    ];
    let heads = [
        "Begun",
        "Message",
        "Result",
        "Status code",
        "Took",
        "Why",
        "Number",
    ];
    let body = html! {
        p.quiet { (short(&endpoint.url)) }
        (search::form(&seat, &asked, &fields))
        (table("Attempts, the newest first", &heads, rows, "No attempt is like this."))
        (pager(&seat, &page))
    };
    let mut trail = above(&seat, &tenant);
    trail.push((seat.within("/endpoints"), "Endpoints".to_owned()));
    trail.push((seat.within(&format!("/endpoints/{id}")), id.clone()));
    Ok(Content::new("Attempts", body).below(trail))
}

fn status(asked: &Fields) -> Answer<Option<Status>> {
    Ok(match asked.text("status") {
        "" => None,
        "success" => Some(Status::Success),
        "fail" => Some(Status::Fail),
        "cancelled" => Some(Status::Cancelled),
        _ => {
            let text = "must be `success`, `fail` or `cancelled`";
            return Err(search::wrong("status", text));
        }
    })
}
