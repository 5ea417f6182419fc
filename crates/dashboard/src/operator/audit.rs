//! The audit log: who did what, one entry with its place in the chain, and the chain's signed head,
//! to be taken away. Verifying is `postrider audit verify`'s, which believes no page.

use super::asked::{Asked, choice, filter, line, moment, shown};
use super::subjects;
use crate::Shared;
use crate::layout::{Content, Crumb};
use crate::live::View;
use crate::needs::look_within;
use crate::parts::{self, Tone, badge, count, duration, facts, pager, table, time};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use app::AppError;
use app::access::limits::Need;
use app::audit::{AuditInput, Audited, SignedCheckpoint, hex};
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use maud::{Markup, html};
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction};
use std::time::Duration;

const LOOK: Need = look_within("audit");
/// Where it is.
const HERE: &str = "/dashboard/audit";
/// Entries are sealed within seconds: what waits for so long is not going to be by itself.
const SEALED_WITHIN: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Routes {
    Routes::default()
        .page(HERE, LOOK, list)
        .page("/dashboard/audit/checkpoint", LOOK, checkpoint)
        .page("/dashboard/audit/{entry}", LOOK, one)
}

async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, list_content).await
}

async fn list_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let mut asked = Asked::of(&seat);
    let form = filter(&seat, &filters(&asked));
    let input = AuditInput {
        list: asked.recent(),
        action: asked.choice("action", AuditAction::named),
        actor: asked.name("actor").map(|name| name.to_string()),
        application: asked.name("app"),
    };
    let page = match asked.finish(input) {
        Ok(input) => rooms.app.audit(&seat.caller, &input).await,
        Err(error) => Err(error),
    };
    let entries = shown(page, |page| {
        html! {
            (table("What was done, the newest first", &HEADS, page.data.iter().map(row).collect(),
                "Nothing of this kind was done."))
            (pager(&seat, page))
        }
    })?;
    let body = html! {
        (form)
        (entries)
        (sealing(&rooms, &seat).await?)
    };
    Ok(Content::new("Audit log", body))
}

fn filters(asked: &Asked) -> [Markup; 5] {
    let actions = AuditAction::ALL.iter().map(|action| action.as_str());
    [
        choice(("action", "What was done"), actions, asked.text("action")),
        line("actor", "By whom", asked.text("actor")),
        line("app", "Application's id or uid", asked.text("app")),
        moment("after", "After", asked.text("after")),
        moment("before", "Before", asked.text("before")),
    ]
}

const HEADS: [&str; 6] = ["What", "When", "Who", "From", "To whom", "More"];

fn row(audited: &Audited) -> Vec<Markup> {
    let entry = &audited.entry;
    let application = entry.application.map(|id| id.to_string());
    vec![
        html! { a href={ (HERE) "/" (entry.id) } { (entry.action.as_str()) } },
        time(entry.at),
        who(&entry.actor),
        super::security::from(entry.actor.remote_address),
        subjects::subject(&entry.subject, application.as_deref()),
        parts::short(&entry.detail),
    ]
}

fn who(actor: &Actor) -> Markup {
    let kind = match actor.kind {
        ActorKind::Token => "token of",
        ActorKind::ApiKey => "API key of",
        ActorKind::Person => "person",
        ActorKind::Command => "command for",
        ActorKind::Receiver => "receiver",
        ActorKind::System => "rule",
    };
    html! { span.quiet { (kind) } " " (parts::short(&actor.subject)) }
}

/// Whether what is done goes on to be sealed, and the head of the chain.
async fn sealing(rooms: &Shared, seat: &Seat) -> Answer<Markup> {
    let waits = rooms.app.audit_waits_since(&seat.caller).await?;
    let signed = match rooms.app.audit_checkpoint(&seat.caller).await {
        Ok(signed) => Some(signed),
        Err(AppError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(html! {
        h2 { "Sealing" }
        p { (state(waits, rooms.app.clock.now())) }
        @match signed {
            Some(signed) => (head(&signed)),
            None => p.empty { "Nothing is signed yet: the first checkpoint comes in a moment." },
        }
    })
}

fn state(waits: Option<Timestamp>, now: Timestamp) -> Markup {
    let Some(since) = waits else {
        return html! { (badge(Tone::Good, "goes on")) " Every entry is chained and sealed." };
    };
    let waited = now.since(since);
    match waited < SEALED_WITHIN {
        true => {
            html! { (badge(Tone::Good, "goes on")) " The latest entries are about to be sealed." }
        }
        false => html! {
            (badge(Tone::Bad, "stands still"))
            " The oldest entry that is not sealed waits for " (duration(waited))
            ". Until it is, whoever can write to the database can change it: see the log of the \
              nodes with the role watch."
        },
    }
}

fn head(signed: &SignedCheckpoint) -> Markup {
    let checkpoint = &signed.checkpoint;
    let known = vec![
        (
            "Sealed up to position",
            html! { (count(checkpoint.position)) },
        ),
        ("Signed", time(checkpoint.at)),
        (
            "The log begins with position",
            html! { (count(checkpoint.start)) },
        ),
        ("Hash", parts::id(hex(&checkpoint.hash))),
        ("Public key", parts::id(hex(&signed.public_key))),
        ("Signature", parts::id(hex(&checkpoint.signature))),
    ];
    html! {
        (facts(known))
        p {
            "Keep checkpoints elsewhere: with one, this shows that nothing before it was changed, \
             left out or rolled back. It looks at the store itself, and believes no page."
        }
        pre.excerpt tabindex="0" { code { "postrider audit verify --checkpoint checkpoint.jsonl" } }
        p {
            a.button href="/dashboard/audit/checkpoint" download { "Download the checkpoint" }
        }
    }
}

/// The line that `postrider audit verify --checkpoint` takes, as a file.
async fn checkpoint(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let signed = rooms.app.audit_checkpoint(&seat.caller).await?;
    let headers = [
        (CONTENT_TYPE, "application/jsonl"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"checkpoint.jsonl\"",
        ),
    ];
    Ok((headers, format!("{}\n", signed.line())).into_response())
}

async fn one(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, one_content).await
}

async fn one_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let id = seat.named("entry");
    let Audited { entry, link } = rooms.app.audit_entry(&seat.caller, id).await?;
    let application = entry.application.map(|id| id.to_string());
    let mut known = vec![
        ("When", time(entry.at)),
        ("Who", who(&entry.actor)),
        ("From", super::security::from(entry.actor.remote_address)),
        (
            "To whom",
            subjects::subject(&entry.subject, application.as_deref()),
        ),
    ];
    if let Some(credential) = &entry.actor.credential {
        known.push(("By token, session or key", parts::id(credential)));
    }
    if let Some(application) = &application {
        known.push(("Application", subjects::application(application)));
    }
    if !entry.detail.is_empty() {
        known.push(("More", html! { (entry.detail) }));
    }
    known.push(("Id", parts::id(entry.id)));
    let body = html! {
        (facts(known))
        h2 { "Its place in the chain" }
        @match link {
            Some(link) => (facts(vec![
                ("Position", html! { (count(link.position)) }),
                ("Hash, over it and all before it", parts::id(hex(&link.hash))),
            ])),
            None => p { (badge(Tone::Waiting, "not sealed yet")) " That takes some seconds." },
        }
    };
    let trail: [Crumb; 1] = [(HERE.to_owned(), "Audit log".to_owned())];
    Ok(Content::new(entry.action.as_str(), body).below(trail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_sealing_goes_on_is_told_by_how_long_an_entry_waits() {
        let now = Timestamp::from_seconds(1_000);
        for (since, expected) in [
            (None, "goes on"),
            (Some(Timestamp::from_seconds(990)), "goes on"),
            (Some(Timestamp::from_seconds(900)), "stands still"),
        ] {
            let text = state(since, now).into_string();
            assert!(text.contains(expected), "{since:?}: {text}");
        }
    }
}
