//! Security events: what is suspicious, and what is worth knowing afterwards; what each kind means,
//! and what to do.

mod blocked;
mod explained;
mod kinds;

use super::asked::{Asked, choice, filter, line, moment, shown};
use super::subjects;
use crate::Shared;
use crate::layout::{Content, Crumb};
use crate::live::View;
use crate::needs::look_within;
use crate::parts::{self, Tone, badge, count, facts, pager, table, time};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use app::access::limits::Need;
use app::security::{KeptEvent, SecurityEventsInput};
use axum::extract::State;
use maud::{Markup, html};
use model::security::{SecurityKind, Severity, Subject, SubjectKind};

const LOOK: Need = look_within("security");
/// Where they are.
const HERE: &str = "/dashboard/security";

pub(super) fn routes() -> Routes {
    Routes::default()
        .page(HERE, LOOK, list)
        .page("/dashboard/security/explained", LOOK, explained::show)
        .page("/dashboard/security/blocked", LOOK, blocked::show)
        .page("/dashboard/security/{event}", LOOK, one)
}

/// The pages above those of one event.
fn trail() -> [Crumb; 1] {
    [(HERE.to_owned(), "Security".to_owned())]
}

async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, list_content).await
}

async fn list_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let mut asked = Asked::of(&seat);
    let form = filter(&seat, &filters(&asked));
    let input = input(&mut asked);
    let page = match asked.finish(input) {
        Ok(input) => rooms.app.security_events(&seat.caller, &input).await,
        Err(error) => Err(error),
    };
    let events = shown(page, |page| {
        html! {
            (table("Security events, the newest first", &HEADS, page.data.iter().map(row).collect(),
                "Nothing of this kind has happened."))
            (pager(&seat, page))
        }
    })?;
    let body = html! {
        p { a href="/dashboard/security/explained" { "What is looked for, and what to do" } }
        p { a href="/dashboard/security/blocked" { "Addresses that are refused now" } }
        (form)
        (events)
    };
    Ok(Content::new("Security", body))
}

fn input(asked: &mut Asked) -> SecurityEventsInput {
    let subject = asked.choice("subject", |text| {
        let (kind, id) = text.split_once(':')?;
        Some(Subject::new(SubjectKind::named(kind)?, id))
    });
    SecurityEventsInput {
        list: asked.recent(),
        kind: asked.choice("kind", SecurityKind::named),
        severity: asked.choice("severity", severity),
        application: asked.name("app"),
        subject,
    }
}

fn severity(text: &str) -> Option<Severity> {
    let mut all = Severity::ALL.into_iter();
    all.find(|severity| severity.as_str() == text)
}

fn filters(asked: &Asked) -> [Markup; 6] {
    let kinds = SecurityKind::ALL.iter().map(|kind| kind.as_str());
    let severities = Severity::ALL.into_iter().map(Severity::as_str);
    [
        choice(("kind", "Kind"), kinds, asked.text("kind")),
        choice(("severity", "Severity"), severities, asked.text("severity")),
        line("app", "Application's id or uid", asked.text("app")),
        line("subject", "Subject, as endpoint:ID", asked.text("subject")),
        moment("after", "After", asked.text("after")),
        moment("before", "Before", asked.text("before")),
    ]
}

const HEADS: [&str; 7] = [
    "What",
    "Severity",
    "To whom",
    "From",
    "Times",
    "Last",
    "Description",
];

fn row(KeptEvent { id, event }: &KeptEvent) -> Vec<Markup> {
    vec![
        html! { a href={ (HERE) "/" (id) } { (event.kind.as_str()) } },
        severity_badge(event.severity),
        subjects::subject(&event.subject, None),
        from(event.remote_address),
        html! { (count(event.count)) },
        time(event.last_seen),
        parts::short(&event.description),
    ]
}

fn severity_badge(severity: Severity) -> Markup {
    let tone = match severity {
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Waiting,
        Severity::Critical => Tone::Bad,
    };
    badge(tone, severity.as_str())
}

/// The other side's address.
pub(super) fn from(address: Option<std::net::IpAddr>) -> Markup {
    match address {
        Some(address) => html! { code { (address) } },
        None => html! { span.quiet { "nowhere" } },
    }
}

async fn one(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, one_content).await
}

async fn one_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let id = seat.named("event");
    let (kept, application) = rooms.app.security_event(&seat.caller, id).await?;
    let KeptEvent { id, event } = kept;
    let application = application.map(|application| application.id.to_string());
    let more = |name, value: &str| parts::with(HERE, name, Some(value));
    let subject = format!("{}:{}", event.subject.kind.as_str(), event.subject.id);
    let mut known = vec![
        ("Severity", severity_badge(event.severity)),
        (
            "To whom",
            subjects::subject(&event.subject, application.as_deref()),
        ),
        ("From", from(event.remote_address)),
        ("Times", html! { (count(event.count)) }),
        ("First", time(event.first_seen)),
        ("Last", time(event.last_seen)),
        ("Id", parts::id(id)),
    ];
    if let Some(application) = &application {
        known.insert(2, ("Application", subjects::application(application)));
    }
    let body = html! {
        p { (event.description) }
        (facts(known))
        (explained::of(&rooms.config.rules, event.kind, &event.description))
        h2 { "More like it" }
        ul {
            li { a href=(more("kind", event.kind.as_str())) { "All of this kind" } }
            li { a href=(more("subject", &subject)) { "All that happened to the same" } }
            @if let Some(application) = &application {
                li { a href=(more("app", application)) { "All that concern this application" } }
            }
        }
    };
    Ok(Content::new(event.kind.as_str(), body).below(trail()))
}
