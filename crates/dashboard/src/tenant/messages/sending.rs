//! What is sent from here: a new message, by a form, and one again to an endpoint.

use super::{above_message, place, tenant};
use crate::Shared;
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, done};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::messages::{MessageInput, MessageRequest, RecipientPath};
use app::{AppError, Violation};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::html;
use serde::de::IgnoredAny;

/// Sends a message to an endpoint again.
pub(super) async fn resend(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (caller, application, named) = place(&posted.seat);
    let which = (named, posted.fields.text("endpoint"));
    rooms.app.resend(caller, &application, which).await?;
    let to = posted.seat.within(&format!("/messages/{named}"));
    Ok(done(&to, "resent").into_response())
}

/// The form for a new message.
pub(super) async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let content = page(&rooms, &seat, (&Fields::default(), None)).await?;
    Ok(still(&rooms, &seat, &content))
}

/// Sends it.
pub(super) async fn send(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = posted;
    match sent(&rooms, &seat, &fields).await {
        Ok(id) => {
            let to = seat.within(&format!("/messages/{id}"));
            Ok(done(&to, "created").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let content = page(&rooms, &seat, (&fields, Some(&refused))).await?;
            Ok(again(&rooms, &seat, (&refused, &content)))
        }
    }
}

async fn sent(rooms: &Shared, seat: &Seat, fields: &Fields) -> Answer<String> {
    let (app, caller) = (&rooms.app, &seat.caller);
    // What is not there is not made here.
    let tenant = tenant(rooms, seat).await?;
    let path = RecipientPath::parse(&tenant.application().id.to_string())?;
    let recipient = app.recipient(caller, path).await?;
    let request = MessageRequest {
        message: input(fields)?,
        application: None,
    };
    let made = app.create_message(caller, recipient, request).await?;
    Ok(made.made.message.id.to_string())
}

fn input(fields: &Fields) -> Answer<MessageInput> {
    let payload = fields.text("payload");
    if let Err(error) = serde_json::from_str::<IgnoredAny>(payload) {
        let text = format!("must be JSON: {error}");
        return Err(AppError::from(Violation::body(&["payload"], text)).into());
    }
    let some = |name| Some(fields.list(name)).filter(|list| !list.is_empty());
    Ok(MessageInput {
        event_type: fields.text("eventType").to_owned(),
        event_id: fields.some("eventId"),
        channels: some("channels"),
        tags: some("tags"),
        payload: payload.to_owned().into(),
        ..MessageInput::default()
    })
}

async fn page(
    rooms: &Shared,
    seat: &Seat,
    (fields, refused): (&Fields, Option<&Refused>),
) -> Answer<Content> {
    let tenant = tenant(rooms, seat).await?;
    let field = |name, label, hint| Field {
        name,
        label,
        value: fields.raw(name),
        hint,
        required: matches!(name, "eventType" | "payload"),
    };
    let body = html! {
        (parts::refusal(refused))
        form method="post" action=(seat.within("/messages/new")) {
            (parts::form_token(seat))
            (field("eventType", "Event type", "Such as order.paid.").line(refused))
            (field("payload", "Payload", "A JSON object.").lines(12, refused))
            (field(
                "eventId",
                "Event id",
                "An id of your own, by which the same event is not sent twice.",
            ).line(refused))
            (field("channels", "Channels", "With commas between them; may be empty.").line(refused))
            (field("tags", "Tags", "With commas between them; may be empty.").line(refused))
            button.primary type="submit" { "Send" }
        }
    };
    Ok(Content::new("Send a message", body).below(above_message(seat, &tenant)))
}
