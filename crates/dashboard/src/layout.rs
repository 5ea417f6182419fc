//! The frame around a page: head, navigation, what was just done, and the page itself.

use crate::assets;
use crate::needs::look_within;
use crate::parts::{self, Notice};
use crate::portal::LOGO;
use crate::seat::{Seat, base};
use crate::{PORTAL, Rooms};
use app::access::limits::Need;
use app::tokens::sessions::Pages;
use maud::{DOCTYPE, Markup, html};

/// A page's own part.
pub(crate) struct Content {
    /// What the window is called.
    pub(crate) title: String,
    /// Where it belongs, from the outside in, without the page itself.
    pub(crate) trail: Vec<Crumb>,
    /// What it shows.
    pub(crate) body: Markup,
    /// It shows what is committed nowhere, such as what a node counts: where it is live, it is made
    /// anew each second.
    pub(crate) each_second: bool,
}

/// A page above another: its address and what it is called.
pub(crate) type Crumb = (String, String);

impl Content {
    pub(crate) fn new(title: impl Into<String>, body: Markup) -> Self {
        Self {
            title: title.into(),
            trail: Vec::new(),
            body,
            each_second: false,
        }
    }

    /// The same, of what changes all the time.
    pub(crate) fn each_second(self) -> Self {
        Self {
            each_second: true,
            ..self
        }
    }

    /// The same, below others.
    pub(crate) fn below(self, trail: impl Into<Vec<Crumb>>) -> Self {
        Self {
            trail: trail.into(),
            ..self
        }
    }
}

/// The operator's pages that stand in the navigation: where, how they are called, and what is
/// needed to see them.
const SECTIONS: [(&str, &str, Need); 9] = [
    ("/dashboard", "Overview", look_within("statistics")),
    ("/dashboard/messages", "Messages", look_within("message")),
    (
        "/dashboard/applications",
        "Applications",
        look_within("application"),
    ),
    ("/dashboard/sources", "Sources", look_within("ingest")),
    (
        "/dashboard/event-types",
        "Event types",
        look_within("event-type"),
    ),
    ("/dashboard/security", "Security", look_within("security")),
    ("/dashboard/audit", "Audit log", look_within("audit")),
    ("/dashboard/keys", "API keys", look_within("management")),
    (
        "/dashboard/settings",
        "Settings",
        look_within("environment"),
    ),
];

/// The same of the portal.
const PORTAL_SECTIONS: [(&str, &str); 3] = [
    ("/portal", "Endpoints"),
    ("/portal/messages", "Messages"),
    ("/portal/event-types", "Event catalogue"),
];

/// A page for somebody with a session. `live`: the page keeps itself up to date.
pub(crate) fn page(rooms: &Rooms, seat: &Seat, content: &Content, live: bool) -> Markup {
    let body = html! {
        a.skip href="#main" { "To the content" }
        header.top {
            a.brand href=(seat.base()) {
                @if seat.pages == Pages::Portal && rooms.config.brand.logo.is_some() {
                    img src=(LOGO) alt="";
                }
                (name(rooms, seat.pages))
            }
            (navigation(seat))
            (who(seat))
        }
        main #main tabindex="-1" {
            (trail(&content.trail, &content.title))
            (parts::notice(Notice::of(&seat.here)))
            @if live {
                div data-live=(seat.here) { (content.body) }
                p.live hidden { "Live" }
            } @else {
                (content.body)
            }
        }
    };
    document(seat.pages, &content.title, name(rooms, seat.pages), body)
}

/// A page for anybody.
pub(crate) fn bare((rooms, pages): (&Rooms, Pages), title: &str, content: Markup) -> Markup {
    let body = html! { main.bare #main { (content) } };
    document(pages, title, name(rooms, pages), body)
}

fn document(pages: Pages, title: &str, name: &str, body: Markup) -> Markup {
    let base = base(pages);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · " (name) }
                link rel="icon" href=(assets::address(base, assets::ICON));
                link rel="stylesheet" href=(assets::address(base, assets::STYLE));
                @if pages == Pages::Portal { link rel="stylesheet" href={ (PORTAL) "/theme.css" }; }
                script src=(assets::address(base, assets::SCRIPT)) defer {}
            }
            body { (body) }
        }
    }
}

fn name(rooms: &Rooms, pages: Pages) -> &str {
    match pages {
        Pages::Dashboard => "Postrider",
        Pages::Portal => &rooms.config.brand.name,
    }
}

fn navigation(seat: &Seat) -> Markup {
    let sections: Vec<(&str, &str)> = match seat.pages {
        Pages::Dashboard => SECTIONS
            .iter()
            .filter(|(_, _, need)| seat.may(*need))
            .map(|(to, called, _)| (*to, *called))
            .collect(),
        Pages::Portal => PORTAL_SECTIONS.to_vec(),
    };
    let here = sections
        .iter()
        .filter(|(to, _)| is_at_or_below(seat.path(), to))
        .max_by_key(|(to, _)| to.len())
        .map(|(to, _)| *to);
    html! {
        nav aria-label="Main" {
            ul {
                @for (to, called) in sections {
                    li {
                        a href=(to) aria-current=[(here == Some(to)).then_some("page")] { (called) }
                    }
                }
            }
        }
    }
}

fn is_at_or_below(path: &str, section: &str) -> bool {
    let rest = path.strip_prefix(section);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn who(seat: &Seat) -> Markup {
    let out = format!("{}/sign-out", seat.base());
    html! {
        form.who method="post" action=(out) {
            (parts::form_token(seat))
            @if let Some(role) = seat.role() { span.badge title=(seat.caller.subject) { (role) } }
            button type="submit" { "Sign out" }
        }
    }
}

fn trail(trail: &[Crumb], title: &str) -> Markup {
    html! {
        @if !trail.is_empty() {
            nav.trail aria-label="Where this is" {
                ol { @for (to, called) in trail { li { a href=(to) { (called) } } } }
            }
        }
        h1 { (title) }
    }
}
