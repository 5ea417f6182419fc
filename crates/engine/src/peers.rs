//! What is learned of receivers beside their answers: which certificates they show and when those
//! end, and what their clocks say. Nothing of it changes what becomes of a delivery.

use crate::attempt::About;
use crate::engine::Engine;
use crate::report::report_kind;
use crate::roster::Moment;
use crate::verdict::Happened;
use lru::LruCache;
use model::chain_seen::{SeenCertificate, SeenChain};
use model::id::EndpointKey;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::skew::SkewRule;
use model::{Pin, Timestamp};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::change::{Change, ChangeRequest};
use transport::{Answer, Handshake};

/// When it is said that a certificate ends: each time that there are only so many days left.
const DAYS_LEFT: [u64; 3] = [1, 7, 30];
/// Of so many certificates and days it is known that it was said.
const SAID_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// What is the same as before is written so often: when it was last seen is told with it.
const KEPT_EVERY: Duration = Duration::from_secs(3_600);

/// What this node knows of receivers.
pub(crate) struct Peers {
    said: Mutex<LruCache<Saying, ()>>,
    kept: Mutex<LruCache<EndpointKey, SeenChain>>,
    clocks: Mutex<SkewRule>,
}

/// That a certificate, which an endpoint's connections show, ends within so many days.
type Saying = (EndpointKey, Pin, Timestamp, u64);

impl Peers {
    /// Of so many endpoints the certificates are remembered.
    pub(crate) fn new(endpoints_max: NonZeroUsize) -> Self {
        Self {
            said: Mutex::new(LruCache::new(SAID_MAX)),
            kept: Mutex::new(LruCache::new(endpoints_max)),
            clocks: Mutex::default(),
        }
    }

    /// Within how many days a certificate ends, where that is to be said now.
    fn days_left(&self, key: EndpointKey, one: &SeenCertificate, now: Timestamp) -> Option<u64> {
        let end = one.not_after?;
        let left = end.since(now);
        let is_near = |days: &u64| left <= Duration::from_secs(days * 86_400);
        let days = DAYS_LEFT.into_iter().find(is_near)?;
        let before = lock(&self.said).put((key, one.pin, end, days), ());
        before.is_none().then_some(days)
    }

    /// Whether a chain is to be written.
    fn is_news(&self, endpoint: EndpointKey, chain: &SeenChain) -> bool {
        let mut kept = lock(&self.kept);
        let before = kept.get(&endpoint).filter(|before| {
            before.origin == chain.origin
                && before.certificates == chain.certificates
                && chain.at.since(before.at) < KEPT_EVERY
        });
        before.is_none()
    }
}

/// Looks at whom an attempt met, which began and ended then.
pub(crate) async fn look_at_peer(
    engine: &Engine,
    about: &About,
    happened: &Happened,
    (begun, ended): (Moment, Moment),
) {
    let handshake = match happened {
        Happened::Answered(answer) | Happened::NotEchoed(answer) => {
            hear_clock(engine, about, answer, begun.wall);
            answer.handshake.as_deref()
        }
        Happened::NoAnswer(error) => error.handshake(),
        _ => None,
    };
    if let Some(handshake) = handshake {
        look_at_handshake(engine, about, handshake, ended.wall).await;
    }
}

/// The receiver's clock, as far as our own is in question.
fn hear_clock(engine: &Engine, about: &About, answer: &Answer, begun: Timestamp) {
    let (Some(date), Some(ready)) = (answer.date, &about.ready) else {
        return;
    };
    let (host, now) = (
        ready.target.url().host_text(),
        begun.plus(answer.headers_after),
    );
    let said = lock(&engine.peers.clocks).hear(host, date, now);
    if let Some(skew) = said {
        let node = Subject::new(SubjectKind::Node, &engine.config.node_name);
        let event = SecurityEvent::new(SecurityKind::ClockSkew, node, now, skew.to_string());
        engine.parts.events.report(event);
    }
}

async fn look_at_handshake(engine: &Engine, about: &About, shown: &Handshake, at: Timestamp) {
    if let Some(mismatch) = &shown.mismatch {
        let text = format!("{mismatch}; the endpoint's pins only report that");
        report_kind(engine, about, (SecurityKind::PinMismatch, at), text);
    }
    let Some(ready) = &about.ready else {
        return;
    };
    let certificates = shown
        .certificates
        .iter()
        .cloned()
        .map(SeenCertificate::from);
    let certificates: Vec<_> = certificates.collect();
    say_what_ends(engine, about, ("the receiver's", &certificates), at);
    for identity in ready.connecting.identities() {
        let own = identity.certificates().into_iter().map(Into::into);
        let own: Vec<_> = own.collect();
        say_what_ends(engine, about, ("the client", &own), at);
    }
    if ready.connecting.is_pinned() {
        let url = ready.target.url();
        let chain = SeenChain {
            origin: format!("https://{}:{}", url.host_text(), url.port()),
            at,
            certificates,
        };
        keep(engine, about.seen.endpoint, chain).await;
    }
}

fn say_what_ends(
    engine: &Engine,
    about: &About,
    (whose, certificates): (&str, &[SeenCertificate]),
    at: Timestamp,
) {
    let endpoint = about.seen.endpoint;
    for one in certificates {
        if let Some(days) = engine.peers.days_left(endpoint, one, at) {
            let within = match days {
                1 => "a day".to_owned(),
                days => format!("{days} days"),
            };
            // Who issued it chose the name.
            let text = format!("{whose} certificate {:?} ends within {within}", one.subject);
            report_kind(engine, about, (SecurityKind::CertificateExpiring, at), text);
        }
    }
}

/// Keeps what the receiver was verified by, where that is news. It can be done without.
async fn keep(engine: &Engine, endpoint: EndpointKey, chain: SeenChain) {
    if !engine.peers.is_news(endpoint, &chain) {
        return;
    }
    let change = Change::KeepChain {
        endpoint,
        chain: chain.to_stored(),
    };
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    };
    match engine.parts.store.change(request).await {
        Ok(_) => drop(lock(&engine.peers.kept).put(endpoint, chain)),
        Err(error) => tracing::debug!(%error, "what a receiver showed can't be kept"),
    }
}

/// What is behind these locks is whole whenever one is let go of.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_000_000;
    const DAY: i64 = 86_400;

    #[test]
    fn that_a_certificate_ends_is_said_once_at_each_border() {
        let peers = Peers::new(SAID_MAX);
        let one = SeenCertificate {
            pin: Pin::new([1; 32]),
            subject: String::new(),
            issuer: String::new(),
            not_after: Some(Timestamp::from_seconds(NOON + 40 * DAY)),
        };
        let endpoint = EndpointKey::from_integer(1);
        let said = (0..=42).flat_map(|day| {
            let now = Timestamp::from_seconds(NOON + day * DAY);
            let twice = [now, now].map(|now| peers.days_left(endpoint, &one, now));
            twice.into_iter().flatten().map(move |left| (day, left))
        });
        assert_eq!(said.collect::<Vec<_>>(), [(10, 30), (33, 7), (39, 1)]);
        let now = Timestamp::from_seconds(NOON + 20 * DAY);
        let renewed = SeenCertificate {
            not_after: Some(Timestamp::from_seconds(NOON + 45 * DAY)),
            ..one.clone()
        };
        assert_eq!(peers.days_left(endpoint, &renewed, now), Some(30));
        let neighbour = EndpointKey::from_integer(2);
        assert_eq!(peers.days_left(neighbour, &one, now), Some(30));
        let unknown = SeenCertificate {
            not_after: None,
            ..one
        };
        assert_eq!(peers.days_left(endpoint, &unknown, now), None);
    }

    #[test]
    fn what_was_written_is_written_again_when_it_changes_or_is_old() {
        let peers = Peers::new(SAID_MAX);
        let endpoint = EndpointKey::from_integer(1);
        let chain = |origin: &str, seconds| SeenChain {
            origin: origin.to_owned(),
            at: Timestamp::from_seconds(NOON + seconds),
            certificates: Vec::new(),
        };
        assert!(peers.is_news(endpoint, &chain("a", 0)));
        lock(&peers.kept).put(endpoint, chain("a", 0));
        assert!(!peers.is_news(endpoint, &chain("a", 3_599)));
        assert!(peers.is_news(endpoint, &chain("b", 1)));
        assert!(peers.is_news(endpoint, &chain("a", 3_600)));
    }
}
