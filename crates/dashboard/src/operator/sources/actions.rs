//! What is done with one source by a button: showing and replacing its inbound URL, and deleting
//! it.

use super::{CHANGE, HERE, address, trail_of};
use crate::Shared;
use crate::layout::Content;
use crate::live::still;
use crate::parts::done;
use crate::posted::Posted;
use crate::problem::Answer;
use crate::routes::Routes;
use app::sources::SourceView;
use axum::extract::State;
use axum::response::Redirect;
use maud::html;
use model::Secret;

/// Where incoming webhooks arrive, below the gateway's URL.
const INBOUND: &str = "/in/";

pub(super) fn routes() -> Routes {
    Routes::default()
        .action("/dashboard/sources/{source}/url", CHANGE, url)
        .action("/dashboard/sources/{source}/rotate", CHANGE, rotate)
        .action("/dashboard/sources/{source}/delete", CHANGE, delete)
}

async fn url(State(rooms): State<Shared>, Posted { seat, .. }: Posted) -> Answer {
    let path = seat.named("source");
    let view = rooms.app.source(&seat.caller, path).await?;
    let content = url_of(&rooms, &view, "The inbound URL");
    Ok(still(&rooms, &seat, &content))
}

async fn rotate(State(rooms): State<Shared>, Posted { seat, .. }: Posted) -> Answer {
    let path = seat.named("source");
    let token = rooms.app.rotate_source_token(&seat.caller, path).await?;
    let found = rooms.app.source_without_token(&seat.caller, path).await?;
    let view = SourceView {
        token: Some(token),
        ..found.0
    };
    let content = url_of(&rooms, &view, "The new inbound URL");
    Ok(still(&rooms, &seat, &content))
}

async fn delete(State(rooms): State<Shared>, Posted { seat, .. }: Posted) -> Answer<Redirect> {
    let path = seat.named("source");
    rooms.app.delete_source(&seat.caller, path).await?;
    Ok(done(HERE, "deleted"))
}

/// The page with a source's URL, which a token is in.
pub(super) fn url_of(rooms: &Shared, view: &SourceView, title: &str) -> Content {
    let whole = |token: &Secret| {
        let token = String::from_utf8_lossy(token.expose());
        format!("{}{INBOUND}{token}", rooms.config.gateway_url)
    };
    let body = html! {
        @match &view.token {
            Some(token) => {
                p.notice.waiting role="status" {
                    "There is a token in it: give it to the sender alone. It is in the audit log that \
                     it was shown."
                }
                pre.excerpt tabindex="0" aria-label=(title) { code { (whole(token)) } }
            },
            None => p { "Nothing arrives at this source: it makes messages by itself." },
        }
        p { a href=(address(view)) { "To the source" } }
    };
    Content::new(title, body).below(trail_of(view))
}
