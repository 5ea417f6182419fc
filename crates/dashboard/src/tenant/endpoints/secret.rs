//! An endpoint's signing secret: shown when somebody asks for it, which is in the audit log before
//! it is shown; and replaced. It is in no address, and on no other page.

use super::super::place::{below_endpoint, endpoint, of_endpoint};
use crate::Shared;
use crate::layout::Content;
use crate::live::still;
use crate::parts::done;
use crate::posted::Posted;
use crate::problem::Answer;
use app::endpoints::RotateInput;
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::html;

pub(super) async fn show(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let seat = &posted.seat;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let secret = rooms.app.secret(&seat.caller, &tenant, &id).await?;
    let body = html! {
        p { "Keep it where nobody else reads it. That it was shown is in the audit log." }
        pre.excerpt tabindex="0" { code { (String::from_utf8_lossy(secret.expose())) } }
        p { a.button href=(of_endpoint(seat, &view, "")) { "Back to the endpoint" } }
    };
    let content = Content::new("Signing secret", body);
    let content = content.below(below_endpoint(seat, &tenant, &view));
    Ok(still(&rooms, seat, &content))
}

/// The new one is not shown: who loads the page again would replace it again.
pub(super) async fn rotate(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let seat = &posted.seat;
    let (tenant, view) = endpoint(&rooms, seat).await?;
    let id = view.endpoint.id.to_string();
    let input = RotateInput::default();
    let rotated = rooms.app.rotate_secret(&seat.caller, &tenant, &id, input);
    rotated.await?;
    Ok(done(&of_endpoint(seat, &view, ""), "rotated").into_response())
}
