//! Pages that keep themselves up to date. The script of a page asks for the page's own address
//! again, as a stream of events (`text/event-stream`, as HTML's `EventSource` does); each event is
//! the page's content as it has become. So what is live is made by the same function as the page.
//!
//! The content is made anew each second while somebody looks, and sent only where it has changed.
//! How many may look is bounded; whoever can't has a page that stays as it was.

use crate::Shared;
use crate::layout::{self, Content};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::Listeners;
use app::tokens::sessions::Pages;
use axum::extract::FromRequestParts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::HeaderValue;
use http::header::{ACCEPT, CACHE_CONTROL};
use http::request::Parts;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How many pages may be live on one node, of the operator's and as many of the portal's.
const LIVE_MAX: usize = 128;
/// How often their content is made.
const PERIOD: Duration = Duration::from_secs(1);

/// Whoever looks, all together: those of the portal take no place of the operator's.
pub(crate) struct Live {
    dashboard: Arc<Semaphore>,
    portal: Arc<Semaphore>,
    listeners: Arc<Listeners>,
}

impl Live {
    pub(crate) fn new(listeners: Arc<Listeners>) -> Self {
        let places = || Arc::new(Semaphore::new(LIVE_MAX));
        Self {
            dashboard: places(),
            portal: places(),
            listeners,
        }
    }

    fn places(&self, pages: Pages) -> Arc<Semaphore> {
        match pages {
            Pages::Dashboard => self.dashboard.clone(),
            Pages::Portal => self.portal.clone(),
        }
    }
}

/// How a page is asked for: once, or to be kept up to date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Once,
    Live,
}

impl FromRequestParts<Shared> for View {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        let accepts = parts.headers.get(ACCEPT).map(http::HeaderValue::as_bytes);
        Ok(match accepts {
            Some(accepts) if accepts.starts_with(b"text/event-stream") => Self::Live,
            _ => Self::Once,
        })
    }
}

impl View {
    /// Answers with what `make` makes, once or for as long as somebody looks.
    pub(crate) async fn show<M, F>(self, rooms: &Shared, seat: Seat, make: M) -> Answer
    where
        M: Fn(Shared, Seat) -> F + Send + Sync + 'static,
        F: Future<Output = Answer<Content>> + Send + 'static,
    {
        match self {
            Self::Once => {
                let content = make(rooms.clone(), seat.clone()).await?;
                Ok(layout::page(rooms, &seat, &content, true).into_response())
            }
            Self::Live => follow(rooms, seat, make),
        }
    }
}

/// Somebody who looks.
struct Following<M> {
    rooms: Shared,
    seat: Seat,
    make: M,
    /// What was sent last.
    sent: String,
    closing: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

fn follow<M, F>(rooms: &Shared, seat: Seat, make: M) -> Answer
where
    M: Fn(Shared, Seat) -> F + Send + Sync + 'static,
    F: Future<Output = Answer<Content>> + Send + 'static,
{
    let Ok(place) = rooms.live.places(seat.pages).try_acquire_owned() else {
        return Err(Refused::not_live());
    };
    let following = Following {
        rooms: rooms.clone(),
        seat,
        make,
        sent: String::new(),
        closing: rooms.live.listeners.closing(),
        _place: place,
    };
    let events = stream::unfold(following, |mut following| async {
        let content = following.next().await?;
        let event = Event::default().data(content);
        Some((Ok::<_, Infallible>(event), following))
    });
    // What a page shows is kept nowhere on the way, in this form too.
    let events = Sse::new(events).keep_alive(KeepAlive::default());
    let mut response = events.into_response();
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, kept);
    Ok(response)
}

impl<M, F> Following<M>
where
    M: Fn(Shared, Seat) -> F,
    F: Future<Output = Answer<Content>>,
{
    /// The content when it has changed; `None`: there will be no more.
    async fn next(&mut self) -> Option<String> {
        loop {
            let content = (self.make)(self.rooms.clone(), self.seat.clone()).await;
            let content = content.map(|content| content.body.into_string());
            if let Ok(content) = content
                && content != self.sent
            {
                self.sent.clone_from(&content);
                return Some(content);
            }
            tokio::select! {
                biased;
                // Its sender is there for as long as this is.
                _ = self.closing.wait_for(|closing| *closing) => return None,
                () = tokio::time::sleep(PERIOD) => {}
            }
            self.seat = self.seat.renewed(&self.rooms)?;
        }
    }
}

/// A page that stays as it is.
pub(crate) fn still(rooms: &Shared, seat: &Seat, content: &Content) -> Response {
    layout::page(rooms, seat, content, false).into_response()
}

/// The same for a form that was refused.
pub(crate) fn again(
    rooms: &Shared,
    seat: &Seat,
    (refused, content): (&Refused, &Content),
) -> Response {
    (refused.status(), layout::page(rooms, seat, content, false)).into_response()
}
