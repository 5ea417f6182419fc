//! Event types are made, changed and archived. How they are shown is in `catalogue`; what holds for
//! one beside that, and is the operator's to know, is in `redaction` (what is taken from payloads)
//! and `retries` (when failed deliveries are tried again).

mod redaction;
mod retries;

use crate::Shared;
use crate::catalogue::{self, CHANGE, address};
use crate::layout::{Content, Crumb};
use crate::live::{again, still};
use crate::parts::{self, Field, done, tick};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::tenant::place::wrong;
use app::Patch;
use app::event_types::{EventTypeInput, EventTypePatch};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use model::event_type::EventType;
use serde_json::{Map, Value};

const NEW: &str = "/dashboard/new-event-type";

pub(crate) fn routes() -> Routes {
    catalogue::dashboard()
        .page(NEW, CHANGE, new)
        .action(NEW, CHANGE, create)
        .page("/dashboard/event-types/{type}/edit", CHANGE, edit)
        .action("/dashboard/event-types/{type}/edit", CHANGE, update)
        .action("/dashboard/event-types/{type}/archive", CHANGE, archive)
        .action("/dashboard/event-types/{type}/restore", CHANGE, restore)
        .action("/dashboard/event-types/{type}/delete", CHANGE, delete)
        .merge(redaction::routes())
        .merge(retries::routes())
}

/// What holds for one beside what everybody is shown of it.
pub(crate) async fn own(rooms: &Shared, seat: &Seat, one: &EventType) -> Answer<Markup> {
    Ok(html! {
        (redaction::part(rooms, seat, one).await?)
        (retries::part(rooms, seat, one).await?)
    })
}

fn above() -> Vec<Crumb> {
    vec![(
        "/dashboard/event-types".to_owned(),
        "Event types".to_owned(),
    )]
}

fn above_one(seat: &Seat, name: &str) -> Vec<Crumb> {
    let mut trail = above();
    trail.push((address(seat, name, ""), name.to_owned()));
    trail
}

/// A button that takes something away from one, and asks first.
fn removal(seat: &Seat, action: &str, (text, question): (&str, &str)) -> Markup {
    html! {
        form method="post" action=(action) data-sure=(question) {
            (parts::form_token(seat))
            div.actions { button.danger type="submit" { (text) } }
        }
    }
}

async fn new(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let form = form(&seat, (true, &Fields::default()), None);
    let content = Content::new("New event type", form).below(above());
    Ok(still(&rooms, &seat, &content))
}

async fn create(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let made = async {
        let input = input(fields)?;
        let name = fields.text("name");
        let made = rooms.app.create_event_type(&seat.caller, name, input);
        Ok::<_, Refused>(made.await?)
    };
    match made.await {
        Ok(made) => {
            let to = address(seat, made.name.as_str(), "");
            Ok(done(&to, "created").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let form = form(seat, (true, fields), Some(&refused));
            let content = Content::new("New event type", form).below(above());
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn edit(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let name = seat.named("type");
    let one = rooms.app.event_type_to_change(&seat.caller, name).await?;
    let form = form(&seat, (false, &filled(&one)), None);
    let content = Content::new("Edit", form).below(above_one(&seat, one.name.as_str()));
    Ok(still(&rooms, &seat, &content))
}

async fn update(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let name = seat.named("type");
    let one = rooms.app.event_type_to_change(&seat.caller, name).await?;
    let name = one.name.as_str();
    let saved = async {
        let input = input(fields)?;
        let patch = EventTypePatch {
            // That has buttons of its own.
            archived: Patch::Keep,
            feature_flag: Patch::Keep,
            feature_flags: Patch::Set(input.feature_flags.clone()),
            ..input.into()
        };
        let patched = rooms.app.patch_event_type(&seat.caller, name, patch);
        Ok::<_, Refused>(patched.await?)
    };
    match saved.await {
        Ok(_) => Ok(done(&address(seat, name, ""), "saved").into_response()),
        Err(refused) => {
            let refused = refused.in_form()?;
            let form = form(seat, (false, fields), Some(&refused));
            let content = Content::new("Edit", form).below(above_one(seat, name));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn archive(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (seat, name) = (&posted.seat, posted.seat.named("type"));
    let archived = rooms.app.delete_event_type(&seat.caller, name, false);
    archived.await?;
    Ok(done(&address(seat, name, ""), "saved").into_response())
}

async fn restore(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (seat, name) = (&posted.seat, posted.seat.named("type"));
    let patch = EventTypePatch {
        archived: Patch::Set(false),
        ..EventTypePatch::default()
    };
    let patched = rooms.app.patch_event_type(&seat.caller, name, patch);
    patched.await?;
    Ok(done(&address(seat, name, ""), "saved").into_response())
}

async fn delete(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (seat, name) = (&posted.seat, posted.seat.named("type"));
    let deleted = rooms.app.delete_event_type(&seat.caller, name, true);
    deleted.await?;
    Ok(done("/dashboard/event-types", "deleted").into_response())
}

fn input(fields: &Fields) -> Answer<EventTypeInput> {
    Ok(EventTypeInput {
        description: fields.text("description").to_owned(),
        archived: false,
        deprecated: fields.is_on("deprecated"),
        schemas: schemas(fields.text("schemas"))?,
        feature_flag: None,
        feature_flags: Some(fields.list("featureFlags")),
        group_name: fields.some("groupName"),
    })
}

fn schemas(text: &str) -> Answer<Option<Map<String, Value>>> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_str(text);
    let text = |error| format!("must be a JSON object with a schema for each version: {error}");
    read.map(Some)
        .map_err(|error| wrong("schemas", text(error)))
}

/// The form of an event type as it is.
fn filled(one: &EventType) -> Fields {
    let flags: Vec<_> = one.feature_flags.iter().map(|flag| flag.as_str()).collect();
    let schemas = one.schemas.as_deref().unwrap_or_default();
    let pretty = serde_json::from_str::<Value>(schemas).map(|value| format!("{value:#}"));
    let group = one.group_name.as_ref().map(ToString::to_string);
    let pairs = [
        ("description", one.description.clone()),
        ("groupName", group.unwrap_or_default()),
        ("featureFlags", flags.join(", ")),
        ("schemas", pretty.unwrap_or_default()),
    ];
    let pairs = pairs.into_iter();
    let mut all: Vec<_> = pairs.map(|(name, text)| (name.to_owned(), text)).collect();
    if one.deprecated {
        all.push(("deprecated".to_owned(), "on".to_owned()));
    }
    all.into()
}

fn form(seat: &Seat, (is_new, fields): (bool, &Fields), refused: Option<&Refused>) -> Markup {
    let field = |name, label, hint, required| {
        let value = fields.text(name);
        Field {
            name,
            label,
            value,
            hint,
            required,
        }
    };
    let flags = "Apart by commas: only applications whose token has one of them see it. Empty: all \
                 do.";
    let schemas =
        r#"JSON Schemas by version, such as {"1": {"type": "object", "examples": [{"id": 7}]}}."#;
    html! {
        (parts::refusal(refused))
        form method="post" action=(seat.path()) {
            (parts::form_token(seat))
            @if is_new {
                (field("name", "Name", "Such as order.paid: letters, digits, -, _ and .", true)
                    .line(refused))
            }
            (field("description", "Description", "What it tells people.", false).lines(3, refused))
            (field("groupName", "Group", "What it is listed under.", false).line(refused))
            (field("featureFlags", "Feature flags", flags, false).line(refused))
            (field("schemas", "Schemas", schemas, false).lines(16, refused))
            (tick("deprecated", "Deprecated: not for new use", fields.is_on("deprecated")))
            div.actions { button.primary type="submit" { "Save" } }
        }
    }
}
