//! The receiver's side in one piece: a request is verified, decrypted where payloads are
//! encrypted, read as the event that is expected, and kept from being handled twice, in this
//! order. What is no good reserves nothing, and so burns nothing. A sender that asks whether its
//! requests are welcome gets its provider's answer, and nobody else hears of it.
//!
//! Not here: the clock, and reading a request off a socket, which the features `tower` and `axum`
//! do.

mod event;
mod rejection;
#[cfg(test)]
mod tests;

pub use event::{Event, Remember, Webhook};
pub use rejection::Rejection;

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::freshness::check_age;
use crate::jwe::{self, Bound, OpenError, PrivateJwk};
use crate::provider::{Genuine, Provider, ReplayGuard, ReplayKey, Request, SecretError, Verifier};
use crate::replay::{Guard, Key, Reservation, ReserveError};
use zeroize::Zeroizing;

/// The longest body that is taken unless a receiver says otherwise, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// For how long a replay is told where the scheme signs no time, unless a receiver says otherwise:
/// 30 days, in seconds.
pub const REPLAY_WINDOW_SECONDS: u32 = 30 * 24 * 60 * 60;

/// Receives what one source sends. It does not print, and can't be asked for its secrets.
///
/// ```
/// use std::sync::Arc;
/// use webhook::provider::{Provider, Request};
/// use webhook::replay::InMemory;
/// use webhook::{Receiver, Rejection, Webhook};
///
/// #[derive(serde::Deserialize, Debug)]
/// struct Paid {
///     order: u64,
/// }
///
/// let provider = Provider::named("standard-webhooks").expect("known");
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let receiver = Receiver::new(provider, &[secret], Arc::new(InMemory::new(100_000)))?;
///
/// # let (now, body) = (1_764_000_000, br#"{"type":"order.paid","order":7}"#);
/// # let key = webhook::SigningKey::parse(secret)?;
/// # let signature = webhook::sign(&[&key], "msg_1", now, body);
/// let request = Request {
///     method: "POST",
///     url: "https://shop.example/hooks",
///     headers: &[
///         ("webhook-id", b"msg_1"),
///         ("webhook-timestamp", b"1764000000"),
///         ("webhook-signature", signature.as_bytes()),
///     ],
///     body,
/// };
/// let (webhook, reservation): (Webhook<Paid>, _) = receiver.receive(&request, now)?;
/// assert_eq!(webhook.event.order, 7);
/// assert_eq!(webhook.about.event_type.as_deref(), Some("order.paid"));
/// reservation.confirm()?; // once it is done
///
/// let again = receiver.receive::<Paid>(&request, now).expect_err("a replay");
/// assert!(matches!(again, Rejection::Seen));
/// assert_eq!(again.status(), 200); // the sender is told that it came, and nothing is done twice
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Receiver {
    provider: Provider,
    verifier: Verifier,
    guard: Arc<dyn Guard>,
    source: String,
    tolerance_seconds: u32,
    replay_window_seconds: u32,
    body_bytes_max: usize,
    /// What a handshake that can't be signed has to hold.
    verify_tokens: Vec<Zeroizing<String>>,
    /// Where there are any, every payload is encrypted to one of them.
    keys: Option<Vec<PrivateJwk>>,
}

impl Receiver {
    /// Receives what this provider signs with any of these secrets, of which there is more than
    /// one while they rotate. With none of them, it takes nothing.
    pub fn new(
        provider: Provider,
        secrets: &[&str],
        guard: Arc<dyn Guard>,
    ) -> Result<Self, SecretError> {
        let replay_window_seconds = match provider.guard() {
            ReplayGuard::ByAge => 0,
            ReplayGuard::ByMemory | ReplayGuard::Nothing => REPLAY_WINDOW_SECONDS,
        };
        Ok(Self {
            verifier: provider.verifier(secrets)?,
            guard,
            source: provider.name().to_owned(),
            tolerance_seconds: provider.tolerance_seconds(),
            replay_window_seconds,
            body_bytes_max: BODY_BYTES_MAX,
            verify_tokens: Vec::new(),
            keys: None,
            provider,
        })
    }

    /// Names the source, for receivers that share a guard: what has the same id, or the same
    /// content, at two sources is not a replay. Without it, the provider's name.
    #[must_use]
    pub fn source(mut self, name: &str) -> Self {
        name.clone_into(&mut self.source);
        self
    }

    /// How far a signed time may lie from now, either way, in seconds.
    #[must_use]
    pub fn tolerance_seconds(mut self, seconds: u32) -> Self {
        self.tolerance_seconds = seconds;
        self
    }

    /// For how long a replay is told, at least: never for less than twice the tolerance. A sender
    /// that signs each of its attempts anew is told to have sent before for this long.
    #[must_use]
    pub fn replay_window_seconds(mut self, seconds: u32) -> Self {
        self.replay_window_seconds = seconds;
        self
    }

    /// The longest body that is taken, in bytes.
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// One of these is in a handshake that can't be signed, such as Meta's. Without any, those are
    /// refused.
    #[must_use]
    pub fn verify_tokens(mut self, tokens: &[&str]) -> Self {
        let tokens = tokens.iter().map(|&token| Zeroizing::new(token.to_owned()));
        self.verify_tokens = tokens.collect();
        self
    }

    /// Every payload is encrypted to one of these keys, and what isn't is refused.
    #[must_use]
    pub fn decrypt_with(mut self, keys: Vec<PrivateJwk>) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The bound on a body, for whoever reads one.
    pub fn limit_bytes(&self) -> usize {
        self.body_bytes_max
    }

    /// Takes a request and reads its payload as `T`. `now` is in seconds since the Unix epoch.
    ///
    /// Confirm the reservation once what the event asks for is done. Dropped before, it makes the
    /// sender's next attempt welcome.
    pub fn receive<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
        now: i64,
    ) -> Result<(Webhook<T>, Reservation), Rejection> {
        let about = self.check(request, now)?;
        let event = about.read()?;
        let reservation = self.reserve(&about, now)?;
        let about = Arc::new(about);
        Ok((Webhook { event, about }, reservation))
    }

    /// The same, with the payload not yet read.
    pub fn accept(
        &self,
        request: &Request<'_>,
        now: i64,
    ) -> Result<(Event, Reservation), Rejection> {
        let event = self.check(request, now)?;
        let reservation = self.reserve(&event, now)?;
        Ok((event, reservation))
    }

    /// Verifies and decrypts, and asks no guard: for who writes [`Event::remember`] down in the
    /// transaction in which the event's work is done, and so can't lose the one without the other.
    pub fn check(&self, request: &Request<'_>, now: i64) -> Result<Event, Rejection> {
        let bytes_max = self.body_bytes_max;
        if request.body.len() > bytes_max {
            return Err(Rejection::TooLarge { bytes_max });
        }
        let manners = self.verifier.manners();
        let tokens = self.verify_tokens.iter().map(|token| token.as_str());
        let tokens: Vec<_> = tokens.collect();
        if let Some(greeted) = manners.open_handshake(request, &tokens) {
            return Err(Rejection::Handshake(greeted?));
        }
        let genuine = self.verifier.verify(request, now, self.tolerance_seconds)?;
        if let Some(greeted) = self.verifier.handshake(request, &genuine) {
            return Err(Rejection::Handshake(greeted?));
        }
        match &self.keys {
            None => self.plain(genuine, request, now),
            Some(keys) => self.opened(genuine, (request.body, keys), now),
        }
    }

    fn reserve(&self, event: &Event, now: i64) -> Result<Reservation, Rejection> {
        let Remember {
            key,
            unsigned_id,
            until,
        } = event.remember;
        let keys: Vec<_> = std::iter::once(key).chain(unsigned_id).collect();
        Reservation::new(self.guard.clone(), &keys, now, until).map_err(|error| match error {
            ReserveError::Seen { key: 0 } => Rejection::Seen,
            ReserveError::Seen { .. } => Rejection::OtherContent,
            ReserveError::InProgress => Rejection::InProgress,
            ReserveError::Guard(error) => Rejection::Guard(error),
        })
    }

    fn plain(
        &self,
        mut genuine: Genuine<'_>,
        request: &Request<'_>,
        now: i64,
    ) -> Result<Event, Rejection> {
        let event_type = self.verifier.manners().event_type(request);
        let mut payload = request.body.to_owned();
        match genuine.items.pop() {
            // What is signed by itself is told by itself.
            Some(item) if genuine.items.is_empty() => {
                payload = item.payload;
                genuine.id = item.id;
                genuine.replay_key = item.replay_key;
            }
            Some(_) => return Err(Rejection::Several),
            None => {}
        }
        Ok(Event {
            is_id_signed: genuine.id.as_ref().is_some_and(|id| id.is_signed),
            signed_at: genuine.signed_at,
            event_type: event_type.map(Cow::into_owned),
            payload,
            secret: genuine.key,
            remember: self.remember(&genuine, now),
            id: genuine.id.map(|id| id.text.into_owned()),
        })
    }

    /// The signature covers the JWE, whose header names its message: where the scheme signs an id
    /// and a time of its own, the header has to name the same.
    fn opened(
        &self,
        genuine: Genuine<'_>,
        (body, keys): (&[u8], &[PrivateJwk]),
        now: i64,
    ) -> Result<Event, Rejection> {
        if !self.provider.signs_body() {
            return Err(Rejection::Encryption(OpenError::Unsigned));
        }
        let signed_id = genuine.id.as_ref().filter(|id| id.is_signed);
        let bound = Bound {
            id: signed_id.map(|id| id.text.as_ref()),
            timestamp: genuine.signed_at,
            event_type: None,
        };
        let opened = jwe::open_bound(body, keys, bound)?;
        check_age(opened.timestamp, now, self.tolerance_seconds)?;
        let id = ReplayKey::Id(opened.id.as_str().into());
        Ok(Event {
            is_id_signed: true,
            signed_at: Some(opened.timestamp),
            event_type: Some(opened.event_type),
            payload: opened.payload,
            secret: genuine.key,
            remember: Remember {
                key: Key::of(&self.source, &id),
                unsigned_id: None,
                until: self.until(now),
            },
            id: Some(opened.id),
        })
    }

    fn remember(&self, genuine: &Genuine<'_>, now: i64) -> Remember {
        let unsigned = genuine.id.as_ref().filter(|id| !id.is_signed);
        Remember {
            key: Key::of(&self.source, &genuine.replay_key),
            unsigned_id: unsigned.map(|id| Key::of_unsigned_id(&self.source, &id.text)),
            until: self.until(now),
        }
    }

    /// What is signed as far ahead as is tolerated is genuine for twice the tolerance.
    fn until(&self, now: i64) -> i64 {
        let tolerated = 2 * i64::from(self.tolerance_seconds);
        now.saturating_add(tolerated.max(self.replay_window_seconds.into()))
    }
}
