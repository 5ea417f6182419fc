//! What happens in an installation beside its pages: attempts end, and security events are kept.

use crate::world::World;
use model::attempt::AttemptResult;
use model::security::{SecurityKind, Subject, SubjectKind};
use std::time::Duration;
use store::change::{Change, ChangeRequest};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::security::{FoldedEvent, SecurityWrite};

impl World {
    /// Records how the attempts of all that was handed over ended, and what that says of their
    /// endpoints.
    pub(crate) async fn end(&self, result: AttemptResult, health: impl Fn() -> HealthChange) {
        for (claimed, _) in self.lanes.take() {
            let attempt = NewAttempt {
                tail: model::entropy::random(&*self.app.entropy),
                number: claimed.delivery.attempts + 1,
                started_at: self.app.clock.now(),
                duration: Duration::from_millis(12),
                status_code: 200,
                result,
                endpoint_revision: 1,
                excerpt: None,
                observed: Observed::default(),
            };
            let outcome = Outcome {
                message: claimed.message.message.id,
                event_type: claimed.message.message.event_type.clone(),
                attempt,
                then: Then::Close,
                health: health(),
                hold: claimed.hold,
                delivery: claimed.delivery,
            };
            let recorded = self.app.store.record(outcome).await;
            recorded.expect("it is recorded");
        }
    }

    /// Keeps a security event of this kind.
    pub(crate) async fn keep_event(&self, kind: SecurityKind) {
        let event = FoldedEvent {
            kind,
            severity: kind.severity(),
            subject: Subject::new(SubjectKind::Node, "a"),
            application: None,
            remote_address: None,
            count: 1,
            first_seen: self.app.clock.now(),
            last_seen: self.app.clock.now(),
            description: "it happened".to_owned(),
            sample: None,
        };
        let onto = None;
        let request = ChangeRequest {
            change: Change::KeepSecurityEvents(vec![SecurityWrite { onto, event }]),
            idempotency: None,
            audit: None,
        };
        let kept = self.app.store.change(request).await;
        kept.expect("it is kept");
    }
}
