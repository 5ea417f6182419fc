//! What protects an endpoint, part by part: shown with secrets masked, and each with a form of its
//! own. What is typed of a secret never comes back in a page.
//!
//! Map: `summary` (all parts on the endpoint's page) · `current` (what is set, as a form has it) ·
//! `inputs` (the forms) · `oauth` (both, of the client that gets tokens) · `save` (what forms do).

mod current;
mod inputs;
mod oauth;
mod save;
mod summary;

pub(super) use summary::summary;

use super::super::place::{below_endpoint, endpoint, of_endpoint};
use super::one::sure;
use crate::Shared;
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, done};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::Tenant;
use app::endpoints::{EndpointView, RemovablePart};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};

/// A part, by the name that the API has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Auth,
    Oauth,
    Mtls,
    Ca,
    Pins,
    Encryption,
    Redaction,
    Payload,
    Signature,
    Headers,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Signature,
        Self::Auth,
        Self::Oauth,
        Self::Headers,
        Self::Mtls,
        Self::Ca,
        Self::Pins,
        Self::Encryption,
        Self::Redaction,
        Self::Payload,
    ];

    /// In addresses.
    fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Oauth => "oauth",
            Self::Mtls => "mtls",
            Self::Ca => "server-ca",
            Self::Pins => "pins",
            Self::Encryption => "encryption",
            Self::Redaction => "redaction",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::Headers => "headers",
        }
    }

    /// What people read.
    fn title(self) -> &'static str {
        match self {
            Self::Auth => "Authentication",
            Self::Oauth => "OAuth 2.0",
            Self::Mtls => "Client certificate",
            Self::Ca => "Certificate authorities",
            Self::Pins => "Pinned keys",
            Self::Encryption => "Encryption",
            Self::Redaction => "Redaction",
            Self::Payload => "What deliveries carry",
            Self::Signature => "Signature scheme",
            Self::Headers => "Headers",
        }
    }

    fn of(seat: &Seat) -> Answer<Self> {
        let word = seat.named("part");
        let found = Self::ALL.into_iter().find(|part| part.word() == word);
        found.ok_or_else(Refused::no_page)
    }
}

pub(super) async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let part = Part::of(&seat)?;
    let (tenant, view) = endpoint(&rooms, &seat).await?;
    let at = (&tenant, &view);
    let fields = current::fields(&rooms, &seat, (at, part)).await?;
    let content = page(&rooms, &seat, (at, part), (&fields, None)).await?;
    Ok(still(&rooms, &seat, &content))
}

pub(super) async fn put(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let part = Part::of(seat)?;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let at = (&tenant, &view);
    match save::save(&rooms, seat, (at, part), fields).await {
        Ok(()) => {
            let to = match part {
                // There are several of them.
                Part::Headers => of_endpoint(seat, &view, "/protection/headers"),
                _ => of_endpoint(seat, &view, ""),
            };
            Ok(done(&to, "saved").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let content = page(&rooms, seat, (at, part), (fields, Some(&refused))).await?;
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

pub(super) async fn remove(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let part = Part::of(seat)?;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let (app, caller) = (&rooms.app, &seat.caller);
    let removable = match part {
        Part::Auth => RemovablePart::Auth,
        Part::Oauth => RemovablePart::Oauth,
        Part::Mtls => RemovablePart::Mtls,
        Part::Ca => RemovablePart::Ca,
        Part::Pins => RemovablePart::Pins,
        Part::Encryption => RemovablePart::Encryption,
        Part::Redaction => RemovablePart::Redaction,
        Part::Payload => RemovablePart::Payload,
        Part::Signature => {
            app.delete_signature(caller, &tenant, &id).await?;
            return Ok(done(&of_endpoint(seat, &view, ""), "saved").into_response());
        }
        Part::Headers => {
            save::remove_header(&rooms, seat, (&tenant, &view), fields.text("name")).await?;
            let to = of_endpoint(seat, &view, "/protection/headers");
            return Ok(done(&to, "saved").into_response());
        }
    };
    app.remove_part(caller, &tenant, &id, removable).await?;
    Ok(done(&of_endpoint(seat, &view, ""), "saved").into_response())
}

async fn page(
    rooms: &Shared,
    seat: &Seat,
    ((tenant, view), part): ((&Tenant, &EndpointView), Part),
    (fields, refused): (&Fields, Option<&Refused>),
) -> Answer<Content> {
    let to = format!("/protection/{}", part.word());
    let to = of_endpoint(seat, view, &to);
    let body = html! {
        (parts::refusal(refused))
        (summary::whole(rooms, seat, ((tenant, view), part)).await?)
        form method="post" action=(to) {
            (parts::form_token(seat))
            (inputs::inputs(part, fields, refused))
            div.actions { button.primary type="submit" { "Save" } }
        }
        @if part != Part::Headers { (removal(seat, &to)) }
    };
    let trail = below_endpoint(seat, tenant, view);
    Ok(Content::new(part.title(), body).below(trail))
}

fn removal(seat: &Seat, to: &str) -> Markup {
    let action = format!("{to}/remove");
    html! {
        h2 { "Take it away" }
        p { "Nothing is set then: it is as if it never had been." }
        (sure(seat, &action, ("Remove", "Take this away from the endpoint?")))
    }
}
