//! Operational webhooks: the endpoints that are told what happens in this installation. Here is
//! their list, also before there is one; all that is done with one of them is on the pages that
//! every endpoint has, those of the application that they belong to.

use crate::Shared;
use crate::layout::{Content, Crumb};
use crate::live::View;
use crate::needs::look_within;
use crate::problem::Answer;
use crate::routes::Routes;
use crate::search;
use crate::seat::Seat;
use crate::tenant::{CHANGE_ENDPOINTS, endpoints_listed};
use app::ListInput;
use app::operational::EVENT_TYPES;
use axum::extract::State;
use maud::html;
use model::operational::APPLICATION_UID;

/// Where they are listed.
pub(crate) const HERE: &str = "/dashboard/settings/operational-webhooks";

pub(crate) fn routes() -> Routes {
    Routes::default().page(HERE, look_within("operational-webhook"), show)
}

/// What is above the list.
pub(crate) fn above() -> Vec<Crumb> {
    vec![("/dashboard/settings".to_owned(), "Settings".to_owned())]
}

async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let operators = rooms.app.operators(&seat.caller).await?.application();
    let inside = seat.inside(APPLICATION_UID);
    let list = ListInput {
        iterator: search::asked(&seat).some("iterator"),
        ..ListInput::default()
    };
    let body = html! {
        p { "These endpoints are told what happens in this installation, by webhooks like all others." }
        div.actions {
            @if seat.may(CHANGE_ENDPOINTS) {
                a.button.primary href=(inside.within("/endpoints/new")) { "New endpoint" }
            }
            @if operators.is_some() {
                a.button href=(inside.within("/messages")) { "Messages" }
            }
        }
        @match &operators {
            Some(operators) => (endpoints_listed(&rooms, &inside, (operators, &list))?),
            None => p.empty { "There is no endpoint yet." },
        }
        h2 { "What is told" }
        ul { @for name in EVENT_TYPES { li { code { (name) } } } }
    };
    Ok(Content::new("Operational webhooks", body).below(above()))
}
