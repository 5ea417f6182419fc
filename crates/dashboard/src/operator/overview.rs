//! The first page: what the installation does now.

use crate::Shared;
use crate::layout::Content;
use crate::live::View;
use crate::needs::look_within;
use crate::parts::{count, duration, time_or};
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use axum::extract::State;
use maud::{Markup, html};
use model::meter::Durations;

pub(crate) fn routes() -> Routes {
    Routes::default().page("/dashboard", look_within("statistics"), show)
}

async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, _: Seat) -> Answer<Content> {
    let reading = rooms.config.figures.read().await;
    let open = reading.open.map_or("unknown".to_owned(), count);
    let body = html! {
        ul.tiles {
            (tile("messages accepted", &count(reading.accepted)))
            (tile("attempts that succeeded", &count(reading.succeeded)))
            (tile("attempts that failed", &count(reading.failed)))
            (tile("mean time of an attempt that succeeded", &mean(&reading.succeeded_took)))
            (tile("deliveries on their way", &open))
        }
        p { "The earliest of them is due: " (time_or(reading.first_due, "none is")) }
    };
    Ok(Content::new("Overview", body))
}

fn tile(called: &str, figure: &str) -> Markup {
    html! { li.tile { span.figure { (figure) } span.called { (called) } } }
}

fn mean(durations: &Durations) -> String {
    match u32::try_from(durations.count()) {
        Ok(0) | Err(_) => "none yet".to_owned(),
        Ok(some) => duration(durations.sum / some),
    }
}
