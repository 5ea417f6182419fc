//! Trying an endpoint: an example of an event type is sent to it, whatever it wants to hear.

use super::super::place::{below_endpoint, endpoint};
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, done};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::tenant::place::wrong;
use crate::{Shared, catalogue};
use app::messages::{ExampleInput, PING};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};

pub(super) async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let inputs = inputs(&rooms, &seat, (&Fields::default(), None)).await?;
    let content = Content::new("Send an example", inputs);
    let content = content.below(below_endpoint(&seat, &tenant, &view));
    Ok(still(&rooms, &seat, &content))
}

pub(super) async fn send(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let sent = async {
        let input = asked(fields)?;
        let at = (&tenant, id.as_str());
        Ok::<_, Refused>(rooms.app.send_example(&seat.caller, at, input).await?)
    };
    match sent.await {
        Ok(sent) => {
            let to = seat.within(&format!("/messages/{}", sent.message.id));
            Ok(done(&to, "sent").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let inputs = inputs(&rooms, seat, (fields, Some(&refused))).await?;
            let content = Content::new("Send an example", inputs);
            let content = content.below(below_endpoint(seat, &tenant, &view));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

fn asked(fields: &Fields) -> Answer<ExampleInput> {
    let index = match fields.text("index") {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| wrong("index", "must be a whole number, from 0 on"))?,
    };
    Ok(ExampleInput {
        event_type: fields.text("eventType").to_owned(),
        index,
    })
}

async fn inputs(
    rooms: &Shared,
    seat: &Seat,
    (fields, refused): (&Fields, Option<&Refused>),
) -> Answer<Markup> {
    let page = catalogue::offered(rooms, seat).await?;
    let names = page.data.iter().map(|one| one.name.as_str());
    let mut choices = vec![(PING, "a small message that needs no event type")];
    choices.extend(names.map(|name| (name, name)));
    let event_type = Field {
        name: "eventType",
        label: "Event type",
        value: fields.text("eventType"),
        hint: "The examples of its schema are what can be sent.",
        required: false,
    };
    let index = Field {
        name: "index",
        label: "Which example",
        value: fields.text("index"),
        hint: "Counted from 0, which is what it is if this is empty.",
        required: false,
    };
    Ok(html! {
        (parts::refusal(refused))
        p { "It is a message like any other, to this endpoint alone." }
        form method="post" action=(seat.path()) {
            (parts::form_token(seat))
            (event_type.choice(&choices, refused))
            (index.line(refused))
            div.actions { button.primary type="submit" { "Send" } }
        }
    })
}
