//! Event types as everybody sees them: the list, and one with its schemas and examples. The
//! portal's people see those that are for them. Making and changing them is the operator's.

use crate::layout::Content;
use crate::live::View;
use crate::needs::{administer, look};
use crate::parts::{self, Tone, badge, excerpt, short, time};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use crate::{Shared, operator, search};
use app::access::limits::Need;
use app::event_types::EventTypesInput;
use app::page::LIMIT_MAX;
use app::tokens::sessions::Pages;
use app::{ListInput, Page};
use axum::extract::State;
use maud::{Markup, html};
use model::event_type::EventType;
use serde_json::{Map, Value};

/// What makes and changes event types.
pub(crate) const CHANGE: Need = administer("event-type");

/// The longest schema or example that is shown.
const SHOWN_BYTES_MAX: usize = 256 * 1024;

pub(crate) fn dashboard() -> Routes {
    Routes::default()
        .page("/dashboard/event-types", look("event-type"), list)
        .page("/dashboard/event-types/{type}", look("event-type"), show)
}

pub(crate) fn portal() -> Routes {
    Routes::default()
        .page("/portal/event-types", look("event-type"), list)
        .page("/portal/event-types/{type}", look("event-type"), show)
}

/// The address of an event type's page; `rest` begins with a slash, or is empty.
pub(crate) fn address(seat: &Seat, name: &str, rest: &str) -> String {
    format!("{}/event-types/{name}{rest}", seat.base())
}

/// Those that whoever asks can choose from: as many as a list has at the most.
pub(crate) async fn offered(rooms: &Shared, seat: &Seat) -> Answer<Page<EventType>> {
    let input = EventTypesInput {
        list: ListInput {
            limit: Some(LIMIT_MAX),
            ..ListInput::default()
        },
        ..EventTypesInput::default()
    };
    Ok(rooms.app.event_types(&seat.caller, &input).await?)
}

async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, listed).await
}

async fn listed(rooms: Shared, seat: Seat) -> Answer<Content> {
    let of_operator = seat.pages == Pages::Dashboard;
    let archived = of_operator && search::asked(&seat).some("archived").is_some();
    let input = EventTypesInput {
        list: ListInput {
            iterator: search::asked(&seat).some("iterator"),
            ..ListInput::default()
        },
        include_archived: archived,
        with_schemas: false,
    };
    let page = rooms.app.event_types(&seat.caller, &input).await?;
    let rows = page.data.iter().map(|one| row(&seat, one));
    let heads = ["Name", "Description", "Group", "State", "Last saved"];
    let title = match of_operator {
        true => "Event types",
        false => "Event catalogue",
    };
    let body = html! {
        p.actions {
            @if seat.may(CHANGE) {
                a.button.primary href="/dashboard/new-event-type" { "New event type" }
            }
            @if of_operator {
                @let there = "/dashboard/event-types";
                @if archived { a.button href=(there) { "Without archived ones" } }
                @else { a.button href={ (there) "?archived=1" } { "With archived ones" } }
            }
        }
        (parts::table(title, &heads, rows.collect(), "There is no event type yet."))
        (parts::pager(&seat, &page))
    };
    Ok(Content::new(title, body))
}

fn row(seat: &Seat, one: &EventType) -> Vec<Markup> {
    vec![
        html! { a href=(address(seat, one.name.as_str(), "")) { (one.name) } },
        short(&one.description),
        html! { @if let Some(group) = &one.group_name { (group) } },
        state(one),
        time(one.updated_at),
    ]
}

fn state(one: &EventType) -> Markup {
    match (one.archived, one.deprecated) {
        (true, _) => badge(Tone::Bad, "archived"),
        (false, true) => badge(Tone::Waiting, "deprecated"),
        (false, false) => badge(Tone::Good, "offered"),
    }
}

async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let one = rooms.app.event_type(&seat.caller, seat.named("type"));
    let one = one.await?;
    let mut facts = vec![("State", state(&one))];
    if !one.description.is_empty() {
        facts.push(("Description", html! { (one.description) }));
    }
    if let Some(group) = &one.group_name {
        facts.push(("Group", html! { (group) }));
    }
    if seat.pages == Pages::Dashboard && !one.feature_flags.is_empty() {
        let flags = html! { @for flag in &one.feature_flags { code { (flag) } " " } };
        facts.push(("Only for applications with one of", flags));
    }
    facts.push(("Made", time(one.created_at)));
    facts.push(("Last saved", time(one.updated_at)));
    let body = html! {
        @if seat.may(CHANGE) { (actions(&seat, &one)) }
        (parts::facts(facts))
        @if seat.pages == Pages::Dashboard { (operator::of_event_type(&rooms, &seat, &one).await?) }
        (schemas(one.schemas.as_deref()))
    };
    let title = match seat.pages {
        Pages::Dashboard => "Event types",
        Pages::Portal => "Event catalogue",
    };
    let all = format!("{}/event-types", seat.base());
    Ok(Content::new(one.name.to_string(), body).below([(all, title.to_owned())]))
}

fn actions(seat: &Seat, one: &EventType) -> Markup {
    let to = |rest| address(seat, one.name.as_str(), rest);
    html! {
        div.actions {
            a.button href=(to("/edit")) { "Edit" }
            @if one.archived { (parts::button(seat, &to("/restore"), ("", "Offer it again"))) }
            @else { (parts::button(seat, &to("/archive"), ("", "Archive"))) }
            form.inline method="post" action=(to("/delete"))
                data-sure="Remove this event type for good? Endpoints that ask for it keep its name." {
                (parts::form_token(seat))
                button.danger type="submit" { "Remove for good" }
            }
        }
    }
}

/// Schemas by version with their examples, as text that can be read.
fn schemas(text: Option<&str>) -> Markup {
    let read = text.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let schemas = read.unwrap_or_default();
    html! {
        @if schemas.is_empty() { h2 { "Schema" } p.empty { "It has no schema." } }
        @for (version, schema) in &schemas {
            h2 { "Schema, version " (version) }
            (pretty(schema))
            @let examples = schema.get("examples").and_then(Value::as_array);
            @for (index, example) in examples.into_iter().flatten().enumerate() {
                h3 { "Example " (index) }
                (pretty(example))
            }
        }
    }
}

fn pretty(value: &Value) -> Markup {
    let text = format!("{value:#}");
    match text.len() <= SHOWN_BYTES_MAX {
        true => excerpt(text.as_bytes()),
        false => html! { p.empty { "It is too long to be shown: the API has it." } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_shown_by_version_with_their_examples() {
        let text = r#"{"1":{"examples":[{"a":"<b>"}],"type":"object"}}"#;
        let shown = schemas(Some(text)).into_string();
        for part in ["version 1", "Example 0", "&lt;b&gt;"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(schemas(None).into_string().contains("no schema"));
        assert!(schemas(Some("[]")).into_string().contains("no schema"));
    }
}
