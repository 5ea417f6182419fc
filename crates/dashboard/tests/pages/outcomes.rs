//! How attempts end: recorded as the sender does.

use crate::world::World;
use model::Clock as _;
use model::attempt::AttemptResult;
use std::time::Duration;
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::{ApplicationRef, Claimed};
use vault::SealedDataKey;

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
        let place = vault::Place {
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
            excerpt: Some(self.keys(&claimed).await.seal(place, answer).into()),
            observed: Observed::default(),
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
    async fn keys(&self, claimed: &Claimed) -> vault::KeyRing {
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
