//! Payloads looked at before they are accepted, where the installation is set to it: against the
//! JSON Schema of their event type, and for what should not be in them.
//!
//! Which schema: the newest of a live event type. What names another event type, or one that has no
//! schema, is accepted as ever. Where both are off, that costs to look at two words in memory.

use super::Scan;
use super::kept::{Standard, Versioned};
use crate::accept::Draft;
use crate::schema::{Outcome, steps_for};
use crate::{App, AppError, Violation};
use model::id::ApplicationId;
use model::message::PayloadForm;
use model::name::Name;
use model::scan::Finding;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use serde_json::Value;

impl App {
    /// Refuses a message that does not match its event type's schema, or has in its payload what
    /// should not be there, if the installation is set to it; but not one that was accepted before,
    /// under the same idempotency key. Notes in the draft what is only to be reported.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with the place of each violation; [`AppError::Unavailable`].
    pub(crate) async fn check_payload(&self, draft: &mut Draft) -> Result<(), AppError> {
        if !self.environment.enforces_schemas() && self.environment.scan() == Scan::Off {
            return Ok(());
        }
        // Apart, so that the way of all messages is no longer where it is off.
        Box::pin(self.hold(draft)).await
    }

    async fn hold(&self, draft: &mut Draft) -> Result<(), AppError> {
        let mut broken = self.scan(draft);
        if self.environment.enforces_schemas() {
            let standard = self.standard(&draft.event_type).await?;
            broken.extend(judge(&standard, draft).err().unwrap_or_default());
        }
        if broken.is_empty() {
            return Ok(());
        }
        if let Some(key) = &draft.idempotency
            && self.store.prior(&[key.fingerprint]).await?.is_some()
        {
            return Ok(());
        }
        Err(AppError::Invalid(broken))
    }
}

impl App {
    /// Reports what was found in a payload that is accepted, of the application that gets it, or,
    /// if all do, of its event type.
    pub(crate) fn report_findings(&self, application: Option<ApplicationId>, draft: &Draft) {
        if draft.findings.is_empty() {
            return;
        }
        let findings = draft.findings.iter();
        let places: Vec<_> = findings
            .map(|finding| format!("{} at `{}`", finding.found.as_str(), finding.pointer()))
            .collect();
        let name = &draft.event_type;
        let subject = match application {
            Some(id) => Subject::new(SubjectKind::Application, id),
            None => Subject::new(SubjectKind::EventType, name),
        };
        let text = format!("a payload of {name} has {}", places.join(", "));
        let (kind, now) = (SecurityKind::SensitiveData, self.clock.now());
        self.events
            .report(SecurityEvent::new(kind, subject, now, text));
    }

    /// What is found is a broken rule, or noted in the draft, as the installation is set.
    fn scan(&self, draft: &mut Draft) -> Vec<Violation> {
        let scan = self.environment.scan();
        if scan == Scan::Off {
            return Vec::new();
        }
        let findings = model::scan::scan(&draft.payload);
        if scan == Scan::Report {
            draft.findings = findings;
            return Vec::new();
        }
        let whole = payload_place(&draft.form).0;
        let refused = |finding: &Finding| {
            let path = finding.path.iter().map(String::as_str);
            let place: Vec<_> = whole.iter().copied().chain(path).collect();
            let text = format!(
                "looks like {} ({}): leave it out, for `scanPayloads` is set to `refuse`",
                finding.found.called(),
                finding.found.as_str()
            );
            Violation::body(&place, text)
        };
        findings.iter().map(refused).collect()
    }
}

/// Where the payload stands in a request's body, and what it is called.
fn payload_place(form: &PayloadForm) -> (&'static [&'static str], &'static str) {
    match form {
        PayloadForm::Json => (&["payload"], "the payload"),
        PayloadForm::Raw { .. } => (&["transformationsParams", "rawPayload"], "the raw payload"),
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
    let (place, what) = payload_place(form);
    let text = format!("can't be held against {schema}: {what} must be JSON, and {error}");
    Violation::body(place, text)
}

fn called(name: &Name, versioned: &Versioned) -> String {
    format!("the schema of {name}, version {}", versioned.version)
}
