//! The settings page: what the installation is, how it is configured, and what of it can be changed
//! while it runs. Whoever may only look sees the same without the forms.
//!
//! Map: `policy` (what is demanded of endpoints) · `payloads` (what is asked of payloads) ·
//! `other` (what is kept for pages of others) · `alerts` (who is told of security events).

mod alerts;
mod other;
mod payloads;
mod policy;

use super::operational;
use crate::layout::Content;
use crate::needs::{administer, look_within};
use crate::parts::{self, badge, excerpt, facts, id};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::{Shared, live};
use app::Caller;
use app::access::limits::Need;
use app::environment::alerts::Tried;
use app::master_keys::MasterKeysView;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use model::node::Node;

const HERE: &str = "/dashboard/settings";
const LOOK: Need = look_within("environment");
const CHANGE: Need = administer("environment");

pub(crate) fn routes() -> Routes {
    Routes::default()
        .page(HERE, LOOK, show)
        .action("/dashboard/settings/policy", CHANGE, policy::set)
        .action("/dashboard/settings/payloads", CHANGE, payloads::set)
        .page(other::HERE, CHANGE, other::form)
        .action(other::HERE, CHANGE, other::set)
        .action("/dashboard/settings/alerts/channel", CHANGE, alerts::add)
        .action("/dashboard/settings/alerts/remove", CHANGE, alerts::remove)
        .action("/dashboard/settings/alerts/pace", CHANGE, alerts::set_pace)
        .action("/dashboard/settings/alerts/test", CHANGE, test_alerts)
}

/// The parts that have a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Policy,
    Payloads,
    Channel,
    Pace,
}

/// What came of the last form, where it is shown again.
enum Last<'a> {
    Nothing,
    /// This one was refused, with these fields.
    Refused(Part, &'a Refused, &'a Fields),
    /// Alerts were tried.
    Tried(&'a [Tried]),
}

impl<'a> Last<'a> {
    /// Why this part was refused.
    fn refused(&self, part: Part) -> Option<&'a Refused> {
        match self {
            Self::Refused(own, refused, _) if *own == part => Some(refused),
            _ => None,
        }
    }

    /// What was sent of this part.
    fn fields(&self, part: Part) -> Option<&'a Fields> {
        match self {
            Self::Refused(own, _, fields) if *own == part => Some(fields),
            _ => None,
        }
    }
}

async fn show(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let content = content(&rooms, &seat, &Last::Nothing).await?;
    Ok(live::still(&rooms, &seat, &content))
}

async fn test_alerts(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let tried = rooms.app.test_alerts(&posted.seat.caller).await?;
    let content = content(&rooms, &posted.seat, &Last::Tried(&tried)).await?;
    Ok(live::still(&rooms, &posted.seat, &content))
}

/// Leads back to the page; or shows it again, with what was sent and what was wrong.
async fn answer(
    rooms: &Shared,
    (posted, part): (&Posted, Part),
    outcome: Result<(), Refused>,
) -> Answer<Response> {
    let Err(refused) = outcome else {
        return Ok(parts::done(HERE, "saved").into_response());
    };
    let last = Last::Refused(part, &refused, &posted.fields);
    let content = content(rooms, &posted.seat, &last).await?;
    Ok(live::again(rooms, &posted.seat, (&refused, &content)))
}

async fn content(rooms: &Shared, seat: &Seat, last: &Last<'_>) -> Answer<Content> {
    let caller: &Caller = &seat.caller;
    let nodes = match seat.may(look_within("node")) {
        true => rooms.app.nodes(caller).await?,
        false => Vec::new(),
    };
    let settings = rooms.app.environment_settings(caller).await?;
    let body = html! {
        (installation(&nodes, &rooms.app.master_keys(caller).await?))
        (policy::part(seat, &rooms.app.policy(caller).await?, last))
        (payloads::part(seat, &settings, last))
        (other::part(seat, &settings))
        (alerts::part(seat, &rooms.app.alerts(caller).await?, last))
        h2 { "Operational webhooks" }
        p { "Endpoints of your own that are told what happens in this installation." }
        p.actions { a.button href=(operational::HERE) { "Operational webhooks" } }
        h2 { "Configuration" }
        p.quiet {
            "As this node was started with it, without secrets. It is changed in the configuration \
             file, in the environment or by flags, and holds from the next start on."
        }
        (excerpt(rooms.config.settings.as_bytes()))
    };
    Ok(Content::new("Settings", body))
}

fn installation(nodes: &[Node], keys: &MasterKeysView) -> Markup {
    // A node that nobody else can take over from holds no lease.
    let shared = nodes.iter().any(|node| node.lease_ends.is_some());
    let store = match (nodes.len(), shared) {
        (nodes, true) => format!("a PostgreSQL that {nodes} nodes share"),
        (_, false) => "embedded, of this node alone".to_owned(),
    };
    let mut all = vec![
        ("Version", html! { (env!("CARGO_PKG_VERSION")) }),
        ("Store", html! { (store) }),
        ("Master key that seals", id(&keys.current)),
    ];
    if let Some(next) = &keys.next {
        all.push((
            "Master key that is to take its place, once every node has it",
            id(next),
        ));
    }
    if let Some(previous) = &keys.previous {
        all.push((
            "Master key before, which is needed until all is sealed anew",
            id(previous),
        ));
    }
    html! {
        h2 { "Installation" }
        (facts(all))
        @if shared && (keys.next.is_some() || keys.previous.is_some()) {
            (parts::table(
                "Which node has which master keys",
                &["Node", "Master keys"],
                nodes.iter().map(keys_of).collect(),
                "No node has joined.",
            ))
        }
    }
}

fn keys_of(node: &Node) -> Vec<Markup> {
    let keys = match node.master_keys.is_empty() {
        true => badge(parts::Tone::Waiting, "not told yet"),
        false => html! { @for key in &node.master_keys { (id(key)) " " } },
    };
    vec![html! { (node.name) }, keys]
}
