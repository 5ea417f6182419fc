//! Messages against the JSON Schema of their event type, where the installation is set to it.
//!
//! Which schema: the newest of a live event type. What names another event type, or one that has no
//! schema, is accepted as ever. Where it is off, that costs to look at one word in memory.

use super::kept::{Standard, Versioned};
use crate::accept::Draft;
use crate::schema::{Outcome, steps_for};
use crate::{App, AppError, Violation};
use model::message::PayloadForm;
use model::name::Name;
use serde_json::Value;

impl App {
    /// Refuses a message that does not match its event type's schema, if there is one and the
    /// installation is set to it; but not one that was accepted before, under the same idempotency
    /// key.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with the place of each violation; [`AppError::Unavailable`].
    pub(crate) async fn hold_to_schema(&self, draft: &Draft) -> Result<(), AppError> {
        if !self.environment.enforces_schemas() {
            return Ok(());
        }
        // Apart, so that the way of all messages is no longer where it is off.
        Box::pin(self.hold(draft)).await
    }

    async fn hold(&self, draft: &Draft) -> Result<(), AppError> {
        let standard = self.standard(&draft.event_type).await?;
        let Err(broken) = judge(&standard, draft) else {
            return Ok(());
        };
        if let Some(key) = &draft.idempotency
            && self.store.prior(&[key.fingerprint]).await?.is_some()
        {
            return Ok(());
        }
        Err(AppError::Invalid(broken))
    }
}

fn judge(standard: &Standard, draft: &Draft) -> Result<(), Vec<Violation>> {
    let versioned = match standard {
        Standard::Nothing => return Ok(()),
        Standard::Schema(versioned) => versioned,
        Standard::Unusable(reason) => {
            let name = &draft.event_type;
            let text = format!("the schema of {name} can't be used: {reason}");
            return Err(vec![Violation::body(&["eventType"], text)]);
        }
    };
    let name = &draft.event_type;
    let payload: Value = serde_json::from_slice(&draft.payload)
        .map_err(|error| vec![unreadable((name, versioned), &draft.form, &error)])?;
    match versioned
        .schema
        .check(&payload, steps_for(draft.payload.len()))
    {
        Outcome::Matches => Ok(()),
        Outcome::Broken(broken) => Err(broken
            .into_iter()
            .map(|broken| {
                let path = broken.path.iter().map(String::as_str);
                let place: Vec<_> = std::iter::once("payload").chain(path).collect();
                Violation::body(&place, broken.message)
            })
            .collect()),
        Outcome::TooMuch => {
            let text = format!(
                "takes more steps to be held against {} than it may: make the schema simpler, or \
                 the payload smaller",
                called(name, versioned)
            );
            Err(vec![Violation::body(&["payload"], text)])
        }
    }
}

fn unreadable(
    (name, versioned): (&Name, &Versioned),
    form: &PayloadForm,
    error: &serde_json::Error,
) -> Violation {
    let schema = called(name, versioned);
    let (place, what): (&[&str], _) = match form {
        PayloadForm::Json => (&["payload"], "the payload"),
        PayloadForm::Raw { .. } => (&["transformationsParams", "rawPayload"], "the raw payload"),
    };
    let text = format!("can't be held against {schema}: {what} must be JSON, and {error}");
    Violation::body(place, text)
}

fn called(name: &Name, versioned: &Versioned) -> String {
    format!("the schema of {name}, version {}", versioned.version)
}
