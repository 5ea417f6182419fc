//! Sources: where incoming webhooks arrive, how each verifies what comes, and what it took and
//! refused of late. The token in a source's inbound URL is shown to whoever asks for it by a
//! button, and nowhere else.

mod actions;
mod form;
mod refused;

use super::asked::{Asked, shown};
use super::subjects;
use crate::layout::{Content, Crumb};
use crate::live::View;
use crate::needs::{administer, look_within};
use crate::parts::{self, Tone, badge, button, count, facts, form_token, pager, table, time};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use crate::{DASHBOARD, Shared};
use app::access::limits::Need;
use app::messages::{MessageView, MessagesInput};
use app::sources::SourceView;
use app::sources::checks::ReplayProtection;
use app::{ListInput, Tenant};
use axum::extract::State;
use maud::{Markup, html};

const LOOK: Need = look_within("ingest");
const CHANGE: Need = administer("ingest");
/// What looking at what a source made needs.
const MESSAGES: Need = look_within("message");
/// Where they are.
const HERE: &str = "/dashboard/sources";
/// How many messages a source's page shows.
const LATEST: u64 = 10;

pub(super) fn routes() -> Routes {
    Routes::default()
        .page(HERE, LOOK, list)
        .page("/dashboard/sources/{source}", LOOK, one)
        .merge(refused::routes())
        .merge(form::routes())
        .merge(actions::routes())
}

fn trail() -> [Crumb; 1] {
    [(HERE.to_owned(), "Sources".to_owned())]
}

/// The pages above those of one source.
fn trail_of(view: &SourceView) -> [Crumb; 2] {
    let [sources] = trail();
    [sources, (address(view), view.source.name.clone())]
}

/// Where a source's page is.
fn address(view: &SourceView) -> String {
    format!("{HERE}/{}", view.source.id)
}

async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, list_content).await
}

async fn list_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let asked = Asked::of(&seat).list();
    let page = rooms.app.sources_without_tokens(&seat.caller, &asked).await;
    let sources = shown(page, |page| {
        html! {
            (table("Sources, the oldest first", &HEADS,
                page.data.iter().map(|view| row(&rooms, view)).collect(),
                "There are none: nothing comes in."))
            @if !page.data.is_empty() { p.quiet { (LATELY) } }
            (pager(&seat, page))
        }
    })?;
    let body = html! {
        @if seat.may(CHANGE) {
            div.actions { a.button.primary href="/dashboard/sources/new" { "Make a source" } }
        }
        (sources)
    };
    Ok(Content::new("Sources", body).each_second())
}

const HEADS: [&str; 7] = [
    "Name",
    "Type",
    "State",
    "Last 24 hours",
    "Replays",
    "Uid",
    "Changed",
];

/// What figures of a source are of.
const LATELY: &str = "What came in the last 24 hours is counted in the memory of the node that shows \
                      this page: of what came to it, since it began.";

fn row(rooms: &Shared, view: &SourceView) -> Vec<Markup> {
    let source = &view.source;
    vec![
        html! { a href=(address(view)) { (parts::short(&source.name)) } },
        html! { (source.source_type) },
        state(view),
        lately(rooms, view),
        html! { (replays(view.replay_protection)) },
        html! { @if let Some(uid) = &source.uid { (uid) } },
        time(source.updated_at),
    ]
}

fn state(view: &SourceView) -> Markup {
    html! {
        @if view.unusable.is_some() { (badge(Tone::Bad, "takes nothing")) }
        @else { (badge(Tone::Good, "takes")) }
        @if view.unverified { " " (badge(Tone::Waiting, "unverified")) }
    }
}

/// What came to it in the last hours: a look at memory.
fn lately(rooms: &Shared, view: &SourceView) -> Markup {
    let arrives = view.config.cron.is_none();
    let came = rooms.config.figures.came(view.source.id);
    match came.filter(|_| arrives) {
        Some(came) => html! {
            (count(came.accepted)) " accepted, "
            @if came.refused > 0 { strong { (count(came.refused)) " refused" } }
            @else { "none refused" }
        },
        None if arrives => html! { span.quiet { "not at this node" } },
        None => html! { span.quiet { "by a schedule" } },
    }
}

fn replays(protection: ReplayProtection) -> &'static str {
    match protection {
        ReplayProtection::Age => "kept out by age and memory",
        ReplayProtection::Memory => "kept out by memory",
        ReplayProtection::None => "not kept out",
    }
}

async fn one(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, one_content).await
}

async fn one_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let path = seat.named("source");
    let found = rooms.app.source_without_token(&seat.caller, path);
    let (view, tenant) = found.await?;
    let recent = ListInput {
        limit: Some(LATEST),
        ..ListInput::default()
    };
    let log = rooms.app.source_log(&seat.caller, path, &recent).await?;
    let here = address(&view);
    let took = took(&rooms, &seat, tenant.as_ref()).await?;
    let title = view.source.name.clone();
    let body = html! {
        @if let Some(why) = &view.unusable {
            div.notice.bad { p { "Nothing is taken here as things stand: " (why) } }
        }
        (known(&rooms, &view, tenant.as_ref()))
        (offered(&seat, &view))
        h2 { "What it refused of late" }
        (refused::list(&log.data))
        p { a href={ (here) "/refused" } { "All that it refused" } }
        (took)
        h2 { "How it verifies" }
        p.quiet { "What is secret of it is left out." }
        (parts::excerpt((rooms.config.written.show_source_config)(view.config)?.as_bytes()))
    };
    Ok(Content::new(title, body).below(trail()).each_second())
}

fn known(rooms: &Shared, view: &SourceView, tenant: Option<&Tenant>) -> Markup {
    let source = &view.source;
    let mut known = vec![
        ("Type", html! { (source.source_type) }),
        ("State", state(view)),
        ("Last 24 hours, at this node", lately(rooms, view)),
        ("Replays", html! { (replays(view.replay_protection)) }),
        ("Made", time(source.created_at)),
        ("Changed", time(source.updated_at)),
        ("Id", parts::id(source.id)),
    ];
    if let Some(uid) = &source.uid {
        known.push(("Uid", html! { (uid) }));
    }
    if let Some(tenant) = tenant {
        let id = tenant.application().id.to_string();
        let endpoints = format!("{DASHBOARD}/applications/{id}/endpoints");
        let fact = html! {
            (subjects::application(&id)) ", " a href=(endpoints) { "its endpoints" }
        };
        known.push(("Application that gets what comes", fact));
    }
    for (key, value) in &source.metadata {
        known.push((
            "Note",
            html! { (parts::short(key)) ": " (parts::short(value)) },
        ));
    }
    facts(known)
}

/// What may be done with it.
fn offered(seat: &Seat, view: &SourceView) -> Markup {
    if !seat.may(CHANGE) {
        return html! {};
    }
    let here = address(view);
    let arrives = view.config.cron.is_none();
    html! {
        div.actions {
            a.button href={ (here) "/edit" } { "Change it" }
            @if arrives {
                (button(seat, &format!("{here}/url"), ("", "Show the inbound URL")))
                (sure(seat, &format!("{here}/rotate"), "Replace the URL",
                    "Give it another URL? The one that it has ends at once."))
            }
            (sure(seat, &format!("{here}/delete"), "Delete it",
                "Delete the source? Its own application goes with it, and nothing arrives any more."))
        }
    }
}

/// A button that asks first.
fn sure(seat: &Seat, action: &str, text: &str, question: &str) -> Markup {
    html! {
        form.inline method="post" action=(action) data-sure=(question) {
            (form_token(seat))
            button.danger type="submit" { (text) }
        }
    }
}

/// The latest messages of the application that gets what comes.
async fn took(rooms: &Shared, seat: &Seat, tenant: Option<&Tenant>) -> Answer<Markup> {
    if !seat.may(MESSAGES) {
        return Ok(html! {});
    }
    let messages = match tenant {
        Some(tenant) => {
            let id = tenant.application().id.to_string();
            let input = MessagesInput {
                list: ListInput {
                    limit: Some(LATEST),
                    ..ListInput::default()
                },
                ..MessagesInput::default()
            };
            let page = rooms.app.messages(&seat.caller, &id, &input).await?;
            page.data.iter().map(|view| message(&id, view)).collect()
        }
        None => Vec::new(),
    };
    Ok(html! {
        h2 { "What came of it" }
        (table("The latest messages of its application", &["Message", "Type", "Accepted"],
            messages, "Nothing was taken yet."))
    })
}

fn message(application: &str, view: &MessageView) -> Vec<Markup> {
    let message = &view.message;
    let to = format!(
        "{DASHBOARD}/applications/{application}/messages/{}",
        message.id
    );
    vec![
        html! { a href=(to) { (message.id) } },
        html! { (message.event_type) },
        time(message.id.key().time()),
    ]
}
