//! What was observed of an attempt's request, for people who ask why it failed.

use super::{Answered, AttemptView};
use model::chain_seen::SeenCertificate;
use model::phases::Phases;
use store::rows::AttemptRow;

/// All that is told of one attempt, but for its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeAttempt {
    /// The attempt, with all words for how it ended.
    pub view: AttemptView,
    /// What was answered to it, byte for byte.
    pub answered: Answered,
    /// How its request went.
    pub observed: AttemptObserved,
}

/// How an attempt's request went, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptObserved {
    /// How its time was spent.
    pub phases: Phases,
    /// What its connection showed of the receiver, its own certificate first; none without TLS.
    pub certificates: Vec<SeenCertificate>,
}

impl AttemptObserved {
    /// Of a single attempt's row.
    pub(super) fn of(row: &mut AttemptRow) -> Self {
        let observed = row.observed.take().unwrap_or_default();
        Self {
            phases: observed.phases,
            certificates: observed.certificates,
        }
    }
}
