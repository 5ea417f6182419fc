//! An example of each thing that operators are told of, to try their endpoints with: in the words
//! of what happens in truth, of what is not there, as if it happened now. One endpoint alone gets
//! it.

use super::payload::payload;
use crate::find::Tenant;
use crate::idempotency::{Request, Success, id_of};
use crate::messages::MessageView;
use crate::rules::Judge;
use crate::tasks::{Task, TaskKind, TaskState, data_of};
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::id::{Id, Key, SecurityEventId};
use model::name::Name;
use model::operational::{
    AttemptNamed, CheckpointTold, EndpointNamed, Happened, NAMES, OperationalEvent, SecurityTold,
};
use model::security::{SecurityKind, Subject};
use store::audit::{Checkpoint, SignedCheckpoint};

/// What a security event says, so that nobody starts to look for it.
const NOTHING: &str = "This is an example: nothing has happened.";

impl App {
    /// Sends an example of what can happen to one of the operator's endpoints, whatever that wants
    /// to hear.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] for an endpoint
    /// that isn't there; [`AppError::Invalid`] for what can't happen; [`AppError::BadRequest`] if
    /// the endpoint is disabled.
    pub async fn send_operational_example(
        &self,
        caller: &Caller,
        (operators, endpoint): (&Tenant, &str),
        name: &str,
    ) -> Result<MessageView, AppError> {
        caller.require_organisation()?;
        let only = operators.endpoint(endpoint)?.endpoint.id.key();
        let key = match self.request(caller, Success::Accepted).await? {
            Request::New(key) => key,
            Request::Repeated(made) => return self.message_again(operators, id_of(made)).await,
        };
        let example = Example(self.clock.now());
        let event = example.of(name)?;
        let payload = payload(&event, Some(example.task())).expect("every example can be told");
        let mut draft = self.operational_draft(&event, payload);
        // It can be sent again, which is no repeat.
        draft.event_id = None;
        draft.idempotency = key;
        draft.trace = caller.trace;
        Ok(self.send_to(operators, only, draft).await?.made)
    }
}

/// What happens in examples, and when. All that is in them is called `example`.
struct Example(Timestamp);

impl Example {
    /// The one of this name.
    fn of(&self, name: &str) -> Result<OperationalEvent, AppError> {
        let found = self.all().into_iter().find(|what| what.name() == name);
        let Some(what) = found else {
            let mut judge = Judge::new(&[]);
            judge.note("eventType", format!("must be one of {}", NAMES.join(", ")));
            return Err(judge.finish().expect_err("a broken rule was noted"));
        };
        Ok(OperationalEvent { at: self.0, what })
    }

    /// One of each.
    fn all(&self) -> [Happened; NAMES.len()] {
        [
            Happened::EndpointCreated(self.endpoint()),
            Happened::EndpointUpdated(self.endpoint()),
            Happened::EndpointDeleted(self.endpoint()),
            Happened::EndpointEnabled(self.endpoint()),
            Happened::EndpointDisabled(self.endpoint(), Some(self.0)),
            Happened::AttemptFailing(self.attempt(503)),
            Happened::AttemptExhausted(self.attempt(503)),
            Happened::AttemptRecovered(self.attempt(200)),
            Happened::TaskFinished(self.id()),
            Happened::Security(self.security()),
            Happened::AuditCheckpoint(self.checkpoint()),
        ]
    }

    fn endpoint(&self) -> EndpointNamed {
        EndpointNamed {
            application: self.id(),
            application_uid: uid(),
            endpoint: self.id(),
            endpoint_uid: uid(),
        }
    }

    fn attempt(&self, status: u16) -> AttemptNamed {
        AttemptNamed {
            application: self.id(),
            application_uid: uid(),
            endpoint: self.id(),
            message: self.id(),
            event_id: uid(),
            attempt: self.id(),
            status,
        }
    }

    fn task(&self) -> Task {
        Task {
            id: self.id(),
            kind: TaskKind::Recover,
            state: TaskState::Finished,
            data: data_of(TaskKind::Recover, 1),
            percent: Some(100),
            updated_at: self.0,
        }
    }

    fn security(&self) -> SecurityTold {
        let kind = SecurityKind::CertificateExpiring;
        let id: SecurityEventId = self.id();
        SecurityTold {
            id: Some(id.to_string()),
            kind: kind.as_str(),
            severity: kind.severity(),
            subject: Subject::endpoint(self.id()),
            remote_address: None,
            count: 1,
            first_seen: self.0,
            last_seen: self.0,
            description: NOTHING.to_owned(),
        }
    }

    /// Nobody has signed it: whoever verifies it is told so.
    fn checkpoint(&self) -> CheckpointTold {
        let signed = SignedCheckpoint {
            checkpoint: Checkpoint {
                position: 1,
                hash: [0; 32],
                count: 1,
                start: 1,
                at: self.0,
                signature: [0; 64],
            },
            public_key: [0; 32],
        };
        CheckpointTold {
            line: signed.line(),
        }
    }

    /// Of what was made just then, and is nobody's.
    fn id<K>(&self) -> Id<K> {
        Id::new(Key::first_at(self.0), *b"only example")
    }
}

fn uid() -> Option<Name> {
    Some("example".parse().expect("it is a word"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_each_that_can_happen() {
        let example = Example(Timestamp::from_seconds(1_795_000_000));
        assert_eq!(example.all().map(|what| what.name()), NAMES);
    }
}
