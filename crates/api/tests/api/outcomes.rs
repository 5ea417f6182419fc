//! How attempts end: recorded as the sender does.

use crate::world::World;
use model::Clock;
use model::answer_head::AnswerHead;
use model::attempt::AttemptResult;
use model::id::EndpointKey;
use std::time::Duration;
use store::Lane;
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::{ApplicationRef, Claimed};
use vault::SealedDataKey;

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) status_code: u16,
    pub(crate) result: AttemptResult,
    pub(crate) answer: &'static [u8],
    pub(crate) then: Then,
    pub(crate) head: Option<AnswerHead>,
}

impl Ended {
    pub(crate) fn success() -> Self {
        let (status_code, result) = (200, AttemptResult::Success);
        Self {
            status_code,
            result,
            answer: b"fine",
            then: Then::Close,
            head: None,
        }
    }

    pub(crate) fn failure(then: Then) -> Self {
        let (status_code, result) = (500, AttemptResult::Failure);
        Self {
            status_code,
            result,
            answer: b"oh no",
            then,
            head: None,
        }
    }

    pub(crate) fn answer(self, answer: &'static [u8]) -> Self {
        Self { answer, ..self }
    }

    pub(crate) fn head(self, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (*name, value.as_bytes()));
        Self {
            head: Some(AnswerHead::of(headers)),
            ..self
        }
    }
}

impl World {
    /// Takes hold of all deliveries that are due and that nobody holds.
    pub(crate) async fn claim_all(&self) -> Vec<Claimed> {
        let lanes = self.app.store.lanes(EndpointKey::MIN, 100).await;
        let mut claimed = Vec::new();
        for due in lanes.expect("it reads") {
            let lane = Lane {
                application: due.application,
                endpoint: due.endpoint,
            };
            let of_lane = self.app.store.claim(lane, self.clock.now(), 100).await;
            claimed.extend(of_lane.expect("it claims"));
        }
        claimed
    }

    /// Records how an attempt of a delivery ended.
    pub(crate) async fn record(&self, claimed: Claimed, ended: Ended) {
        let tail = model::entropy::random(&*self.app.entropy);
        let keys = self.keys(&claimed).await;
        let seal = |column, text: &[u8]| {
            let place = vault::Place {
                table: "attempt",
                row: &tail,
                column,
            };
            store::Sealed::from(keys.seal(place, text))
        };
        let answer = Some(ended.answer).filter(|answer| !answer.is_empty());
        let excerpt = answer.map(|answer| seal("excerpt", answer));
        let head = ended.head.map(|head| seal("head", &head.to_stored()));
        let attempt = NewAttempt {
            tail,
            number: claimed.delivery.attempts + 1,
            started_at: self.clock.now(),
            duration: Duration::from_millis(12),
            status_code: ended.status_code,
            result: ended.result,
            endpoint_revision: 1,
            excerpt,
            observed: Observed {
                head,
                ..Observed::default()
            },
        };
        let outcome = Outcome {
            message: claimed.message.message.id,
            event_type: claimed.message.message.event_type.clone(),
            attempt,
            then: ended.then,
            health: HealthChange::None,
            hold: claimed.hold,
            delivery: claimed.delivery,
        };
        let recorded = self.app.store.record(outcome).await;
        recorded.expect("it is recorded");
    }

    /// Records that all deliveries that were handed over succeeded.
    pub(crate) async fn succeed(&self) {
        for handed in self.lanes.take() {
            self.record(handed.claimed, Ended::success()).await;
        }
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
        self.app
            .vault
            .key_ring(row.application.application.id, &sealed)
            .expect("they open")
    }
}
