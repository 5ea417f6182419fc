//! The form that an endpoint is made and changed with. Its headers and its protection have forms of
//! their own. The operator's endpoints have no channels: what they are told has none.

use super::super::place::{above_new, below_endpoint, endpoint, of_endpoint, owner, rate, same};
use super::offered::{Offered, offered};
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, done, tick};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::{Shared, pairs};
use app::Patch;
use app::endpoints::{EndpointInput, EndpointPatch, EndpointView, NewEndpointInput};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use model::application::Metadata;
use std::collections::BTreeSet;

pub(super) async fn new(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let of = owner(&rooms, &seat).await?;
    let fields = Fields::default();
    let before = Metadata::new();
    let what = (of.is_operators(), &before);
    let form = form(&rooms, &seat, (&fields, None), what).await?;
    let content = Content::new("New endpoint", form).below(above_new(&seat, &of));
    Ok(still(&rooms, &seat, &content))
}

pub(super) async fn create(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let of = owner(&rooms, seat).await?;
    let before = Metadata::new();
    let made = async {
        let new = NewEndpointInput::default();
        let input = input(fields, &before)?;
        let made = rooms.app.create_endpoint(&seat.caller, &of, input, new);
        Ok::<_, Refused>(made.await?)
    };
    match made.await {
        Ok(made) => Ok(done(&of_endpoint(seat, &made.value, ""), "created").into_response()),
        Err(refused) => {
            let refused = refused.in_form()?;
            let what = (of.is_operators(), &before);
            let form = form(&rooms, seat, (fields, Some(&refused)), what).await?;
            let content = Content::new("New endpoint", form).below(above_new(seat, &of));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

pub(super) async fn edit(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let fields = filled(&view);
    let what = (tenant.is_operators(), &view.endpoint.metadata);
    let form = form(&rooms, &seat, (&fields, None), what).await?;
    let content = Content::new("Edit", form).below(below_endpoint(&seat, &tenant, &view));
    Ok(still(&rooms, &seat, &content))
}

pub(super) async fn update(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let saved = async {
        let patch = patch(fields, &view)?;
        let patched = rooms.app.patch_endpoint(&seat.caller, &tenant, &id, patch);
        Ok::<_, Refused>(patched.await?)
    };
    match saved.await {
        Ok(saved) => Ok(done(&of_endpoint(seat, &saved, ""), "saved").into_response()),
        Err(refused) => {
            let refused = refused.in_form()?;
            let what = (tenant.is_operators(), &view.endpoint.metadata);
            let form = form(&rooms, seat, (fields, Some(&refused)), what).await?;
            let content = Content::new("Edit", form).below(below_endpoint(seat, &tenant, &view));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

fn input(fields: &Fields, before: &Metadata) -> Answer<EndpointInput> {
    Ok(EndpointInput {
        url: fields.text("url").to_owned(),
        description: fields.text("description").to_owned(),
        disabled: fields.is_on("disabled"),
        event_types: some(types(fields)),
        channels: some(fields.list("channels")),
        throttle_rate: None,
        rate_limit: rate(fields)?,
        uid: fields.some("uid"),
        metadata: pairs::read(fields, "metadata", before)?,
        version: 1,
    })
}

/// What differs: an endpoint's URL is shown without its password, and is not written with stars in
/// its place.
fn patch(fields: &Fields, view: &EndpointView) -> Answer<EndpointPatch> {
    let before = &view.endpoint;
    let input = input(fields, &before.metadata)?;
    Ok(EndpointPatch {
        url: match same(&input.url, &before.url) {
            true => Patch::Keep,
            false => Patch::Set(input.url),
        },
        description: match same(&input.description, &before.description) {
            true => Patch::Keep,
            false => Patch::Set(input.description),
        },
        disabled: Patch::Set(input.disabled),
        event_types: Patch::Set(input.event_types),
        channels: Patch::Set(input.channels),
        rate_limit: Patch::Set(input.rate_limit),
        uid: Patch::Set(input.uid),
        metadata: Patch::Set(input.metadata),
        ..EndpointPatch::default()
    })
}

fn some(words: Vec<String>) -> Option<Vec<String>> {
    Some(words).filter(|words| !words.is_empty())
}

/// What was ticked, and what was written beside.
fn types(fields: &Fields) -> Vec<String> {
    let ticked = fields.all("eventTypes").map(str::to_owned);
    ticked.chain(fields.list("moreEventTypes")).collect()
}

/// The form of an endpoint as it is.
fn filled(view: &EndpointView) -> Fields {
    let endpoint = &view.endpoint;
    let text = |name: &str, value: String| (name.to_owned(), value);
    let mut all = vec![
        text("url", endpoint.url.clone()),
        text("description", endpoint.description.clone()),
    ];
    if let Some(uid) = &endpoint.uid {
        all.push(text("uid", uid.to_string()));
    }
    for name in endpoint.event_types.iter().flatten() {
        all.push(text("eventTypes", name.to_string()));
    }
    let channels: Vec<_> = endpoint.channels.iter().flatten().collect();
    let channels: Vec<_> = channels.iter().map(|name| name.as_str()).collect();
    all.push(text("channels", channels.join(", ")));
    if let Some(rate) = endpoint.rate_limit {
        all.push(text("rateLimit", rate.to_string()));
    }
    all.push(text("metadata", pairs::written(&endpoint.metadata)));
    if endpoint.disabled {
        all.push(text("disabled", "on".to_owned()));
    }
    all.into()
}

async fn form(
    rooms: &Shared,
    seat: &Seat,
    (fields, refused): (&Fields, Option<&Refused>),
    (is_operators, before): (bool, &Metadata),
) -> Answer<Markup> {
    let offered = offered(rooms, seat, is_operators).await?;
    let line = |name, label, hint, required| {
        let value = fields.text(name);
        Field {
            name,
            label,
            value,
            hint,
            required,
        }
    };
    let hint = "Of the organisation's or your own choice: letters, digits, -, _ and .";
    Ok(html! {
        (parts::refusal(refused))
        form method="post" action=(seat.path()) {
            (parts::form_token(seat))
            (line("url", "URL", "Where requests go, over https.", true).line(refused))
            (line("description", "Description", "What people say of it.", false).lines(3, refused))
            (event_types(&offered, fields, refused))
            @if !is_operators {
                (line(
                    "channels", "Channels",
                    "Apart by commas. None: it gets all messages, with channels and without.",
                    false,
                ).line(refused))
            }
            (line(
                "rateLimit", "Attempts per second", "At the most. Empty: no limit of its own.",
                false,
            ).line(refused))
            (line("uid", "Uid", hint, false).line(refused))
            (pairs::metadata(fields, before, refused))
            (tick("disabled", "Disabled: nothing is sent to it", fields.is_on("disabled")))
            div.actions { button.primary type="submit" { "Save" } }
        }
    })
}

/// Choices from what is offered; and what of it the list is too short for.
fn event_types(offered: &Offered, fields: &Fields, refused: Option<&Refused>) -> Markup {
    let wanted: BTreeSet<String> = types(fields).into_iter().collect();
    let listed: BTreeSet<&str> = offered
        .types
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let others = wanted.iter().filter(|name| !listed.contains(name.as_str()));
    let others: Vec<&str> = others.map(String::as_str).collect();
    let others = others.join("\n");
    let more = Field {
        name: "moreEventTypes",
        label: "Further event types",
        value: &others,
        hint: "One a line: those that the list above doesn't have.",
        required: false,
    };
    let violations = refused.map_or(&[][..], Refused::violations);
    let wrong = violations.iter().find(|(field, _)| field == "eventTypes");
    html! {
        fieldset.field aria-describedby="eventTypes-hint" {
            legend { "Event types" }
            p.hint #eventTypes-hint {
                "None ticked: it gets all."
                @if let Some((_, text)) = wrong { " " strong.wrong { (text) } }
            }
            div.ticks {
                @for (name, is_deprecated) in &offered.types {
                    label.tick {
                        input type="checkbox" name="eventTypes" value=(name)
                            checked[wanted.contains(name)];
                        span { (name) @if *is_deprecated { " (deprecated)" } }
                    }
                }
            }
        }
        @if !offered.is_whole || !others.is_empty() { (more.lines(3, refused)) }
    }
}
