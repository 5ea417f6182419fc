//! How requests to sources end, counted for whoever watches. Never by sender: a stranger could make
//! the counters as many as it likes. By source it is counted for people alone, in `lately`.

use crate::lately::Lately;
use model::Timestamp;
use model::id::SourceId;
use model::meter::{CameLately, Counter, Durations, Stopwatch};
use std::time::Duration;

/// It was accepted, as one message at least.
pub(crate) const ACCEPTED: &str = "accepted";
/// All of it came before.
pub(crate) const REPEATED: &str = "repeated";
/// It was no event, and was answered: a handshake, or whoever asked for public keys.
pub(crate) const ANSWERED: &str = "answered";

/// Every way in which a request ends: those three, and the codes of refusals.
const OUTCOMES: [&str; 16] = [
    ACCEPTED,
    REPEATED,
    ANSWERED,
    "signature_invalid",
    "timestamp_stale",
    "replayed",
    "credentials_invalid",
    "malformed",
    "too_large",
    "decryption_failed",
    "rate_limited",
    "unavailable",
    "loop_detected",
    "not_found",
    "method_not_allowed",
    "internal",
];

/// Counts requests to sources by how they ended.
#[derive(Default)]
pub struct Meter {
    outcomes: [Counter; OUTCOMES.len()],
    took: Stopwatch,
    lately: Lately,
}

impl Meter {
    /// A request has ended so, after so long.
    pub(crate) fn ended(&self, outcome: &str, took: Duration) {
        let known = OUTCOMES.iter().position(|one| *one == outcome);
        debug_assert!(known.is_some(), "{outcome} is not counted");
        if let Some(index) = known {
            self.outcomes[index].count();
        }
        self.took.took(took);
    }

    /// A request to this source has ended so. Those that were no event are neither.
    pub(crate) fn came(&self, source: SourceId, outcome: &str, now: Timestamp) {
        match outcome {
            ACCEPTED | REPEATED => self.lately.count(source, false, now),
            ANSWERED => {}
            _ => self.lately.count(source, true, now),
        }
    }

    /// What came to a source within a day, as far as this node has been there.
    pub fn lately(&self, source: SourceId, now: Timestamp) -> CameLately {
        self.lately.read(source, now)
    }

    /// How many requests ended in each way.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.outcomes.iter().map(Counter::get);
        OUTCOMES.into_iter().zip(counts)
    }

    /// How long requests took, without the wait that a refusal may be given.
    pub fn took(&self) -> Durations {
        self.took.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refused::Refused;
    use model::security::SecurityKind;

    #[test]
    fn every_refusal_is_counted_under_its_code() {
        let wait = Duration::ZERO;
        let mut codes = vec![
            Refused::no_room(wait).code(),
            Refused::loops().code(),
            Refused::not_here().code(),
            Refused::unknown_method("POST").code(),
            Refused::of_error(&app::AppError::Forbidden).code(),
        ];
        let kinds = SecurityKind::ALL.iter().filter(|kind| kind.is_of_ingest());
        codes.extend(kinds.filter_map(|kind| kind.as_str().strip_prefix("ingest.")));
        let counted = &OUTCOMES[3..];
        assert!(codes.iter().all(|code| counted.contains(code)), "{codes:?}");
        assert_eq!(codes.len(), counted.len());
    }
}
