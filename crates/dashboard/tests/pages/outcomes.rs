//! How attempts end: recorded as the sender does.

use crate::world::World;
use model::answer_head::AnswerHead;
use model::attempt::AttemptResult;
use model::chain_seen::{SeenCertificate, ShownChain};
use model::phases::Phases;
use model::{Clock as _, Pin};
use std::sync::Arc;
use std::time::Duration;
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::{ApplicationRef, Claimed};
use vault::{KeyRing, Place, SealedDataKey};

/// What a receiver answered: a status, 0 for none, and what its body began with.
pub(crate) type Answered = (u16, &'static [u8]);

impl World {
    /// Records that each attempt that was handed over got this answer, and is the last.
    pub(crate) async fn answered(&self, answered: Answered) {
        for (claimed, _place) in self.lanes.take() {
            self.record(claimed, answered).await;
        }
    }

    async fn record(&self, claimed: Claimed, (status_code, answer): Answered) {
        let tail = model::entropy::random(&*self.app.entropy);
        let keys = self.keys(&claimed).await;
        let place = Place {
            table: "attempt",
            row: &tail,
            column: "excerpt",
        };
        let attempt = NewAttempt {
            tail,
            number: claimed.delivery.attempts + 1,
            started_at: self.clock.now(),
            duration: Duration::from_millis(12),
            status_code,
            result: match status_code {
                200..=299 => AttemptResult::Success,
                _ => AttemptResult::Failure,
            },
            endpoint_revision: 1,
            excerpt: Some(keys.seal(place, answer).into()),
            observed: observed(status_code, place, &keys),
        };
        let outcome = Outcome {
            message: claimed.message.message.id,
            event_type: claimed.message.message.event_type.clone(),
            attempt,
            then: Then::Close,
            health: HealthChange::None,
            hold: claimed.hold,
            delivery: claimed.delivery,
        };
        let recorded = self.app.store.record(outcome).await;
        recorded.expect("it is recorded");
    }

    /// The keys of the application of a delivery.
    async fn keys(&self, claimed: &Claimed) -> KeyRing {
        let application = ApplicationRef::Key(claimed.delivery.application);
        let row = self.app.registry.find(&application).await;
        let row = row.expect("it reads").expect("is there");
        let sealed = row.application.data_keys.iter();
        let sealed: Vec<_> = sealed
            .map(|key| SealedDataKey::from_bytes(&key[..]))
            .collect();
        let id = row.application.application.id;
        self.app.vault.key_ring(id, &sealed).expect("they open")
    }
}

/// The pin of the receiver whose attempts these are.
pub(crate) const SHOWN: [u8; 32] = [7; 32];

/// What is observed of each, with headers where it was no success.
fn observed(status_code: u16, place: Place<'_>, keys: &KeyRing) -> Observed {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let head = AnswerHead {
        headers: vec![
            header("x-reason", "</code><script>alert(1)</script>"),
            header("set-cookie", ""),
        ],
        left_out: 3,
    };
    let place = Place {
        column: "head",
        ..place
    };
    let head = keys.seal(place, &head.to_stored()).into();
    let certificate = SeenCertificate {
        pin: Pin::new(SHOWN),
        subject: "CN=<i>receiver</i>".to_owned(),
        issuer: "CN=issuer".to_owned(),
        not_after: None,
    };
    Observed {
        phases: Phases {
            reused: true,
            answer: Some(Duration::from_millis(12)),
            body: Some(Duration::from_micros(250)),
            ..Phases::default()
        },
        head: (!(200..300).contains(&status_code)).then_some(head),
        chain: Some(Arc::new(ShownChain::new(&[certificate], |_| SHOWN))),
    }
}
