//! Trying an endpoint: an example of an event type is sent to it, whatever it wants to hear; to the
//! operator's, one of what can happen here.

use super::super::place::{below_endpoint, endpoint};
use super::offered::offered;
use crate::Shared;
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, done};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::tenant::place::wrong;
use app::Tenant;
use app::messages::{ExampleInput, PING};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};

pub(super) async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let inputs = inputs(&rooms, &seat, &tenant, (&Fields::default(), None)).await?;
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
        let (app, by, at) = (&rooms.app, &seat.caller, (&tenant, id.as_str()));
        Ok::<_, Refused>(match tenant.is_operators() {
            true => {
                app.send_operational_example(by, at, &input.event_type)
                    .await?
            }
            false => app.send_example(by, at, input).await?,
        })
    };
    match sent.await {
        Ok(sent) => {
            let to = seat.within(&format!("/messages/{}", sent.message.id));
            Ok(done(&to, "sent").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let inputs = inputs(&rooms, seat, &tenant, (fields, Some(&refused))).await?;
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
    tenant: &Tenant,
    (fields, refused): (&Fields, Option<&Refused>),
) -> Answer<Markup> {
    let is_operators = tenant.is_operators();
    let offered = offered(rooms, seat, is_operators).await?;
    let names = offered.types.iter().map(|(name, _)| name.as_str());
    let mut choices = Vec::new();
    if !is_operators {
        choices.push((PING, "a small message that needs no event type"));
    }
    choices.extend(names.map(|name| (name, name)));
    let event_type = Field {
        name: "eventType",
        label: "Event type",
        value: fields.text("eventType"),
        hint: match is_operators {
            true => "Nothing has happened: the example says so, and names what is not there.",
            false => "The examples of its schema are what can be sent.",
        },
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
            @if !is_operators { (index.line(refused)) }
            div.actions { button.primary type="submit" { "Send" } }
        }
    })
}
