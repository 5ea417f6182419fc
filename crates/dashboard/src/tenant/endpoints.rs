//! Endpoints: the list, and what is done to one as a whole. Its own page is in `one`, what it is in
//! `form` (what it can ask for in `offered`), what protects it in `protection`, its secret in
//! `secret`, what happened to it in `history`, and what is sent to it from here in `sending` and
//! `replay`. The operator's endpoints, which are told what happens here, have the same pages.

mod form;
mod history;
mod offered;
mod one;
mod protection;
mod replay;
mod secret;
mod sending;
mod state;

use super::place::{self, above, list_of, of_endpoint, tenant};
use crate::layout::Content;
use crate::live::View;
use crate::needs::{look, manage, send_again};
use crate::parts::{self, done, short, time};
use crate::posted::Posted;
use crate::problem::Answer;
use crate::seat::Seat;
use crate::{Shared, search};
use app::access::limits::{Capability, Need};
use app::endpoints::EndpointPatch;
use app::{ListInput, Page, Patch, Tenant};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use state::State as Standing;

/// What changes an endpoint.
pub(crate) const CHANGE: Need = manage("endpoint", Capability::ManageEndpoint);
/// What shows its secret.
const SEE_SECRET: Need = manage("endpoint", Capability::ViewEndpointSecret);
/// What replaces its secret.
const REPLACE_SECRET: Need = manage("endpoint", Capability::ManageEndpointSecret);
/// What sends again what was to go to it.
const SEND_AGAIN: Need = send_again("endpoint");
/// What sends an example to it: the organisation's people need for it what they need for any
/// message, an application's what lets them send again.
const TRY: Need = manage("endpoint", Capability::CreateAttempts);

in_both! {
    page "/endpoints", look("endpoint"), list;
    page "/endpoints/new", CHANGE, form::new;
    action "/endpoints/new", CHANGE, form::create;
    page "/endpoints/{endpoint}", look("endpoint"), one::show;
    page "/endpoints/{endpoint}/edit", CHANGE, form::edit;
    action "/endpoints/{endpoint}/edit", CHANGE, form::update;
    action "/endpoints/{endpoint}/enable", CHANGE, enable;
    action "/endpoints/{endpoint}/disable", CHANGE, disable;
    action "/endpoints/{endpoint}/delete", CHANGE, delete;
    action "/endpoints/{endpoint}/challenge", CHANGE, challenge;
    action "/endpoints/{endpoint}/secret", SEE_SECRET, secret::show;
    action "/endpoints/{endpoint}/secret/rotate", REPLACE_SECRET, secret::rotate;
    page "/endpoints/{endpoint}/protection/{part}", CHANGE, protection::form;
    action "/endpoints/{endpoint}/protection/{part}", CHANGE, protection::put;
    action "/endpoints/{endpoint}/protection/{part}/remove", CHANGE, protection::remove;
    page "/endpoints/{endpoint}/test", TRY, sending::form;
    action "/endpoints/{endpoint}/test", TRY, sending::send;
    page "/endpoints/{endpoint}/replay", SEND_AGAIN, replay::forms;
    action "/endpoints/{endpoint}/recover", SEND_AGAIN, replay::recover;
    action "/endpoints/{endpoint}/replay-missing", SEND_AGAIN, replay::missing;
    action "/endpoints/{endpoint}/bulk-replay", SEND_AGAIN, replay::bulk;
    action "/endpoints/{endpoint}/cancel", CHANGE, replay::cancel;
    page "/endpoints/{endpoint}/tasks/{task}", look("background-task"), replay::progress;
}

/// The list; in the portal its first page, too.
pub(super) async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let tenant = tenant(&rooms, &seat).await?;
    let list = ListInput {
        iterator: search::asked(&seat).some("iterator"),
        ..ListInput::default()
    };
    let body = html! {
        @if seat.may(CHANGE) {
            p.actions { a.button.primary href=(seat.within("/endpoints/new")) { "New endpoint" } }
        }
        (listed(&rooms, &seat, (&tenant, &list))?)
    };
    Ok(Content::new("Endpoints", body).below(above(&seat, &tenant)))
}

/// A part of the list, with the ways on.
pub(crate) fn listed(
    rooms: &Shared,
    seat: &Seat,
    (tenant, list): (&Tenant, &ListInput),
) -> Answer<Markup> {
    let page: Page<_> = rooms.app.endpoints(tenant, list)?;
    let rows = page.data.iter().map(|view| {
        let endpoint = &view.endpoint;
        vec![
            html! { a href=(of_endpoint(seat, view, "")) { (short(&endpoint.url)) } },
            short(&endpoint.description),
            Standing::of(view).badge(),
            match &endpoint.event_types {
                None => html! { "all" },
                Some(some) if some.len() <= 3 => html! {
                    @for name in some { code { (name) } " " }
                },
                Some(some) => html! { (some.len()) },
            },
            time(endpoint.created_at),
        ]
    });
    let heads = ["URL", "Description", "State", "Event types", "Made"];
    Ok(html! {
        (parts::table("Endpoints", &heads, rows.collect(), "There is no endpoint yet."))
        (parts::pager(seat, &page))
    })
}

async fn enable(rooms: State<Shared>, posted: Posted) -> Answer {
    switch(rooms, posted, false).await
}

async fn disable(rooms: State<Shared>, posted: Posted) -> Answer {
    switch(rooms, posted, true).await
}

async fn switch(State(rooms): State<Shared>, posted: Posted, disabled: bool) -> Answer {
    let seat = &posted.seat;
    let (tenant, view) = place::endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let patch = EndpointPatch {
        disabled: Patch::Set(disabled),
        ..EndpointPatch::default()
    };
    let patched = rooms.app.patch_endpoint(&seat.caller, &tenant, &id, patch);
    patched.await?;
    Ok(done(&of_endpoint(seat, &view, ""), "saved").into_response())
}

async fn delete(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let seat = &posted.seat;
    let (tenant, view) = place::endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let deleted = rooms.app.delete_endpoint(&seat.caller, &tenant, &id);
    deleted.await?;
    Ok(done(&list_of(seat, &tenant), "deleted").into_response())
}

async fn challenge(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let seat = &posted.seat;
    let (tenant, view) = place::endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let sent = rooms.app.send_challenge(&seat.caller, &tenant, &id);
    sent.await?;
    Ok(done(&of_endpoint(seat, &view, ""), "asked").into_response())
}
