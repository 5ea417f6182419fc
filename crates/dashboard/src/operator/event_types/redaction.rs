//! What is taken from payloads of an event type's messages before any endpoint gets them: shown,
//! written anew, taken away. What its schema marks is shown beside it, and changed with the schema.

use super::{above_one, removal};
use crate::catalogue::{CHANGE, address};
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, done};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::tenant::place::set;
use crate::{Shared, rules};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use model::event_type::EventType;
use model::redaction::{Action, Rule};

const HERE: &str = "/dashboard/event-types/{type}/redaction";

pub(super) fn routes() -> Routes {
    Routes::default()
        .page(HERE, CHANGE, form)
        .action(HERE, CHANGE, save)
        .action(
            "/dashboard/event-types/{type}/redaction/remove",
            CHANGE,
            remove,
        )
}

/// On the event type's page.
pub(super) async fn part(rooms: &Shared, seat: &Seat, one: &EventType) -> Answer<Markup> {
    let name = one.name.as_str();
    let rules = rules_of(rooms, seat, name).await?;
    Ok(html! {
        h2 { "What is taken from payloads" }
        @if rules.is_empty() && one.sensitive.is_empty() { p.empty { "Nothing." } }
        @else {
            ul {
                @for rule in &rules {
                    li { code { (rule.path.as_str()) } ": " (done_with(rule.action)) }
                }
                @for path in &one.sensitive {
                    li { code { (path.as_str()) } ": the schema marks it as sensitive" }
                }
            }
        }
        @if seat.may(CHANGE) {
            p.actions {
                a.button href=(address(seat, name, "/redaction")) { "Change what is taken" }
            }
        }
    })
}

fn done_with(action: Action) -> String {
    match action {
        Action::Drop => "it is taken out".to_owned(),
        Action::Hash => "it becomes a hash".to_owned(),
        Action::Mask { keep_last: 0 } => "it is masked".to_owned(),
        Action::Mask { keep_last } => format!("it is masked but for its last {keep_last}"),
    }
}

async fn rules_of(rooms: &Shared, seat: &Seat, name: &str) -> Answer<Vec<Rule>> {
    let found = rooms.app.event_type_redaction(&seat.caller, name).await;
    Ok(set(found)?.unwrap_or_default())
}

async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let name = seat.named("type");
    let one = rooms.app.event_type_to_change(&seat.caller, name).await?;
    let rules = rules_of(&rooms, &seat, one.name.as_str()).await?;
    let written = match rules.is_empty() {
        true => String::new(),
        false => rules::written(&rules),
    };
    let fields = Fields::from(vec![("rules".to_owned(), written)]);
    let content = page(&seat, &one, (&fields, None));
    Ok(still(&rooms, &seat, &content))
}

async fn save(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let name = seat.named("type");
    let one = rooms.app.event_type_to_change(&seat.caller, name).await?;
    let name = one.name.as_str();
    let saved = async {
        let rules = rules::read(fields.text("rules"))?;
        let set = rooms
            .app
            .set_event_type_redaction(&seat.caller, name, rules);
        Ok::<_, Refused>(set.await?)
    };
    match saved.await {
        Ok(()) => Ok(done(&address(seat, name, ""), "saved").into_response()),
        Err(refused) => {
            let refused = refused.in_form()?;
            let content = page(seat, &one, (fields, Some(&refused)));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn remove(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let (seat, name) = (&posted.seat, posted.seat.named("type"));
    let removed = rooms.app.delete_event_type_redaction(&seat.caller, name);
    removed.await?;
    Ok(done(&address(seat, name, ""), "saved").into_response())
}

fn page(seat: &Seat, one: &EventType, (fields, refused): (&Fields, Option<&Refused>)) -> Content {
    let name = one.name.as_str();
    let to = |rest| address(seat, name, rest);
    let rules = Field {
        name: "rules",
        label: "Rules",
        value: fields.text("rules"),
        hint: rules::HINT,
        required: true,
    };
    let body = html! {
        p {
            "It holds for all endpoints, from each delivery's next attempt on, also of messages that \
             were accepted before. What the schema marks as sensitive is taken besides."
        }
        (parts::refusal(refused))
        form method="post" action=(to("/redaction")) {
            (parts::form_token(seat))
            (rules.lines(10, refused))
            div.actions { button.primary type="submit" { "Save" } }
        }
        h2 { "Take the rules away" }
        p { "Nothing is taken by rules of the event type then. What its schema marks stays marked." }
        (removal(seat, &to("/redaction/remove"), (
            "Remove", "Send what these rules take to endpoints again?",
        )))
    };
    Content::new("What is taken from payloads", body).below(above_one(seat, name))
}
