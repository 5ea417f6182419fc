//! Pages that keep themselves up to date. The script of a page asks for the page's own address
//! again, as a stream of events (`text/event-stream`, as HTML's `EventSource` does); each event is
//! the page's content as it has become. So what is live is made by the same function as the page.
//!
//! The content is made anew when something was committed that it may show, which a look at the
//! node's memory tells ([`App::pulse`]), and of other nodes a read each second, for all who look
//! together; at most once a second. It is sent only where it has changed. What changes by itself,
//! as times do that come, is seen every ten seconds.
//!
//! How many may look is bounded; whoever can't has a page that stays as it was.

mod places;

use crate::Shared;
use crate::layout::{self, Content};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::{App, Listeners};
use axum::extract::FromRequestParts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{ACCEPT, CACHE_CONTROL};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use model::id::ApplicationKey;
use places::{Place, Places};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// Whether a proxy may hold back what it is answered, as nginx does unless it is told.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// How often their content is made at the most, other nodes are asked about, and sessions checked.
const PERIOD: Duration = Duration::from_secs(1);
/// How often it is made where nothing happens.
const SELDOM: Duration = Duration::from_secs(10);
/// How often something is sent where nothing has changed. That somebody looks no more is only seen
/// when it can't be sent, since the listener does not look out for it; then the place is free.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Whoever looks, all together.
pub(crate) struct Live {
    places: Places,
    listeners: Arc<Listeners>,
    elsewhere: Mutex<Elsewhere>,
}

/// What is known of other nodes.
#[derive(Default)]
struct Elsewhere {
    /// What was last told of them.
    moved: i64,
    asked: Option<Instant>,
}

impl Live {
    pub(crate) fn new(listeners: Arc<Listeners>) -> Self {
        Self {
            places: Places::default(),
            listeners,
            elsewhere: Mutex::default(),
        }
    }

    /// A number that is another one when something happened that is shown of this application, or
    /// of any. Whoever comes while another asks about other nodes waits for that.
    async fn pulse(&self, app: &App, application: Option<ApplicationKey>) -> u64 {
        let mut elsewhere = self.elsewhere.lock().await;
        if elsewhere
            .asked
            .is_none_or(|asked| asked.elapsed() >= PERIOD)
        {
            // What is not known now is known when it is asked for again.
            if let Ok(moved) = app.moved_elsewhere().await {
                elsewhere.moved = moved;
            }
            elsewhere.asked = Some(Instant::now());
        }
        let moved = elsewhere.moved.cast_unsigned();
        app.pulse(application).wrapping_add(moved)
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
            Self::Live => follow(rooms, seat, make).await,
        }
    }
}

/// Somebody who looks.
struct Following<M> {
    rooms: Shared,
    seat: Seat,
    /// When the session was last found good.
    checked: Instant,
    /// Whose page it is; `None`: it shows several applications, or none.
    application: Option<ApplicationKey>,
    make: M,
    made: Option<Made>,
    /// What was sent last.
    sent: String,
    closing: watch::Receiver<bool>,
    _place: Place,
}

/// How it stood when the content was last made.
struct Made {
    at: Instant,
    pulse: u64,
    /// To be made once more: what is kept in memory, for a second at the most, may have been from
    /// before what happened.
    again: bool,
}

impl Made {
    /// Whether it is time to make the content anew, of this age and where this is the pulse.
    fn is_old(&self, age: Duration, pulse: u64) -> bool {
        let has_cause = self.again || pulse != self.pulse;
        age >= SELDOM || has_cause && age >= PERIOD
    }
}

async fn follow<M, F>(rooms: &Shared, seat: Seat, make: M) -> Answer
where
    M: Fn(Shared, Seat) -> F + Send + Sync + 'static,
    F: Future<Output = Answer<Content>> + Send + 'static,
{
    let application = whose(rooms, &seat).await;
    let place = rooms.live.places.take(seat.pages, application);
    let place = place.ok_or_else(Refused::not_live)?;
    let following = Following {
        rooms: rooms.clone(),
        application,
        seat,
        checked: Instant::now(),
        make,
        made: None,
        sent: String::new(),
        closing: rooms.live.listeners.closing(),
        _place: place,
    };
    let events = stream::unfold(following, |mut following| async {
        let content = following.next().await?;
        let event = Event::default().data(content);
        Some((Ok::<_, Infallible>(event), following))
    });
    let alive = KeepAlive::default().interval(SIGN_OF_LIFE);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    // What a page shows is kept nowhere on the way, in this form too; nor held back until there is
    // more of it.
    for (name, value) in [(CACHE_CONTROL, "no-store"), (BUFFERING, "no")] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The application that a page is about; none also where it can't be read, so that the page is made
/// anew too often rather than not at all.
async fn whose(rooms: &Shared, seat: &Seat) -> Option<ApplicationKey> {
    let name = seat.application();
    if name.is_empty() {
        return None;
    }
    let tenant = rooms.app.application(&seat.caller, &name).await.ok()?;
    Some(tenant.application().id.key())
}

impl<M, F> Following<M>
where
    M: Fn(Shared, Seat) -> F,
    F: Future<Output = Answer<Content>>,
{
    /// The content when it has changed; `None`: there will be no more.
    async fn next(&mut self) -> Option<String> {
        let mut closing = self.closing.clone();
        tokio::select! {
            biased;
            // Its sender is there for as long as this is.
            _ = closing.wait_for(|closing| *closing) => None,
            content = self.changed() => content,
        }
    }

    /// The same for as long as the session is good.
    async fn changed(&mut self) -> Option<String> {
        loop {
            let pulse = self.until_old().await?;
            let content = (self.make)(self.rooms.clone(), self.seat.clone()).await;
            let before = self.made.as_ref().map(|made| made.pulse);
            self.made = Some(Made {
                at: Instant::now(),
                pulse,
                again: before != Some(pulse)
                    || content.as_ref().map_or(true, |content| content.each_second),
            });
            let content = content.map(|content| content.body.into_string());
            if let Ok(content) = content
                && content != self.sent
            {
                self.sent.clone_from(&content);
                return Some(content);
            }
        }
    }

    /// Waits until it is time to make the content anew, and says what the pulse is by then.
    async fn until_old(&mut self) -> Option<u64> {
        loop {
            let (live, app) = (&self.rooms.live, &self.rooms.app);
            let pulse = live.pulse(app, self.application).await;
            let made = self.made.as_ref();
            let is_old = made.is_none_or(|made| made.is_old(made.at.elapsed(), pulse));
            if is_old || self.checked.elapsed() >= PERIOD {
                self.seat = self.seat.renewed(&self.rooms)?;
                self.checked = Instant::now();
            }
            if is_old {
                return Some(pulse);
            }
            tokio::time::sleep(LOOK).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_made_anew_when_something_happened_and_seldom_otherwise() {
        let made = |again| Made {
            at: Instant::now(),
            pulse: 7,
            again,
        };
        let ms = Duration::from_millis;
        for (age, pulse, again, expected) in [
            (999, 8, true, false),
            (1_000, 7, false, false),
            (1_000, 8, false, true),
            (1_000, 7, true, true),
            (9_999, 7, false, false),
            (10_000, 7, false, true),
        ] {
            let is_old = made(again).is_old(ms(age), pulse);
            assert_eq!(is_old, expected, "{age} ms, {pulse}, {again}");
        }
    }
}
