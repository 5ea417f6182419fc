//! What of an attempt is worth reporting: to the sink of security events, and to the log.

use crate::attempt::About;
use crate::engine::Engine;
use crate::verdict::Happened;
use model::protection::Held;
use model::security::{SecurityEvent, SecurityKind, Subject};
use model::{Chain, Timestamp};
use transport::{SendError, Stage};

/// Reports what is suspicious about an attempt, if anything is.
pub(crate) fn report(engine: &Engine, about: &About, happened: &Happened, at: Timestamp) {
    match happened {
        Happened::NoAnswer(error) => {
            if let Some(kind) = suspicion(error) {
                let text = match error.pin_mismatch() {
                    Some(mismatch) => format!("{mismatch}; nothing was sent"),
                    None => Chain(error).to_string(),
                };
                report_kind(engine, about, (kind, at), text);
            }
        }
        Happened::NoKey(no_key) => {
            let blocked = no_key.unanswered().and_then(suspicion);
            let kinds = [Some(SecurityKind::EncryptionUnavailable), blocked];
            for kind in kinds.into_iter().flatten() {
                report_kind(engine, about, (kind, at), no_key.for_operator());
            }
        }
        Happened::NoToken(error) => {
            if let Some(kind) = error.unanswered().and_then(suspicion) {
                report_kind(engine, about, (kind, at), Chain(error).to_string());
            }
        }
        Happened::Unsound(error) => {
            let endpoint = about.endpoint.map(|id| id.to_string());
            tracing::error!(error = %Chain(error), endpoint, "a delivery can't be sent");
        }
        Happened::Held(Held::Unmet(unmet)) => {
            report_kind(
                engine,
                about,
                (SecurityKind::PolicyUnmet, at),
                unmet.to_string(),
            );
        }
        Happened::Answered(_)
        | Happened::NotEchoed(_)
        | Happened::Held(_)
        | Happened::Withheld(_)
        | Happened::Ended(_) => {}
    }
}

/// Reports that an endpoint was disabled by what it answered, or did not answer.
pub(crate) fn report_disabled(engine: &Engine, about: &About, at: Timestamp) {
    let text = "it was disabled: it said that it is gone, or kept failing for too long".to_owned();
    report_kind(engine, about, (SecurityKind::EndpointDisabled, at), text);
}

fn suspicion(error: &SendError) -> Option<SecurityKind> {
    match error.stage() {
        Stage::Guard => Some(SecurityKind::DestinationBlocked),
        _ if error.pin_mismatch().is_some() => Some(SecurityKind::PinMismatch),
        _ if error.is_certificate_refused() => Some(SecurityKind::CertificateInvalid),
        _ => None,
    }
}

/// Reports something about an endpoint.
pub(crate) fn report_kind(
    engine: &Engine,
    about: &About,
    (kind, at): (SecurityKind, Timestamp),
    description: String,
) {
    // Without an endpoint nothing was sent, and nothing disabled.
    let Some(endpoint) = about.endpoint else {
        return;
    };
    let event = SecurityEvent::new(kind, Subject::endpoint(endpoint), at, description);
    let event = event.concerning(about.seen.application);
    engine.parts.events.report(event);
}
