//! Whether anything happened: counters in a store's memory, of what it has committed, by whom it
//! concerns. Whoever shows something remembers what they read here, and looks into the database
//! when it is another number.
//!
//! It says that something happened, never what, and sometimes where nothing did: applications share
//! counters. What other nodes commit is not counted here: see
//! [`Store::moved_elsewhere`](crate::Store::moved_elsewhere).

use crate::accept::{Accept, AcceptError, Accepted};
use crate::access::AccessChange;
use crate::change::{Change, ChangeError, Changed};
use crate::record::Outcome;
use crate::security::FoldedEvent;
use crate::work::{Advanced, Slice, Swept, WorkStep};
use model::id::ApplicationKey;
use model::meter::Counter;
use model::security::SubjectKind;

/// How many counters there are: as many as [`Moved`] has bits.
const COUNTERS: usize = 256;
/// Of what pages of every application show.
const EVERYBODYS: usize = 0;
/// Of what no application's pages show.
const OPERATORS: usize = 1;
/// From here on, those that applications share.
const APPLICATIONS: usize = 2;

/// The counters.
#[derive(Debug)]
pub struct Pulse([Counter; COUNTERS]);

impl Default for Pulse {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl Pulse {
    /// This was committed.
    pub fn beat(&self, moved: Moved) {
        for (word, bits) in moved.0.into_iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                self.0[word * 64 + bits.trailing_zeros() as usize].count();
                bits &= bits - 1;
            }
        }
    }

    /// A number that has grown when something was committed that is shown of this application;
    /// `None`: anything at all.
    pub fn read(&self, application: Option<ApplicationKey>) -> u64 {
        match application {
            Some(application) => self.0[EVERYBODYS].get() + self.0[counter_of(application)].get(),
            None => self.0.iter().map(Counter::get).sum(),
        }
    }
}

/// Whom a commit concerns. It is collected while the commit is made, and told to the [`Pulse`] when
/// that has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved([u64; COUNTERS / 64]);

impl Moved {
    /// Whether nothing of it is shown to anybody.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Messages that were to be accepted.
    pub fn accepted(&mut self, items: &[Accept], answers: &[Result<Accepted, AcceptError>]) {
        for (item, answer) in items.iter().zip(answers) {
            if matches!(answer, Ok(Accepted::New { .. })) {
                self.mark(counter_of(item.application));
            }
        }
    }

    /// An outcome that was recorded.
    pub fn recorded(&mut self, outcome: &Outcome) {
        self.mark(counter_of(outcome.delivery.application));
    }

    /// A change, if it was done. Its entry in the audit log is the operator's, who looks at all.
    pub fn changed(&mut self, change: &Change, answer: &Result<Changed, ChangeError>) {
        if answer.is_err() {
            return;
        }
        match change {
            Change::KeepSecurityEvents(writes) => {
                writes.iter().for_each(|write| self.happened(&write.event));
            }
            Change::Access(AccessChange::UseApiKeys(_))
            | Change::TellMasterKeys(_)
            | Change::Audit(_)
            | Change::Note => self.mark(OPERATORS),
            other => self.mark(application_of(other).map_or(EVERYBODYS, counter_of)),
        }
    }

    /// A slice of background work.
    pub fn worked(&mut self, slice: &Slice) {
        if slice.task.is_some() {
            self.mark(EVERYBODYS);
        }
    }

    /// A slice that was done outside, with its messages.
    pub fn advanced(&mut self, step: &WorkStep, answer: &Advanced) {
        if let Advanced::Moved(answers) = answer {
            self.accepted(&step.messages, answers);
            self.mark(EVERYBODYS);
        }
    }

    /// What has reached its age.
    pub fn swept(&mut self, swept: &Swept) {
        let more = swept.more;
        if *swept
            != (Swept {
                more,
                ..Swept::default()
            })
        {
            self.mark(EVERYBODYS);
        }
    }

    /// An endpoint's events are shown with it.
    fn happened(&mut self, event: &FoldedEvent) {
        self.mark(match event.application {
            Some(application) => counter_of(application),
            None if event.subject.kind == SubjectKind::Endpoint => EVERYBODYS,
            None => OPERATORS,
        });
    }

    fn mark(&mut self, counter: usize) {
        self.0[counter / 64] |= 1 << (counter % 64);
    }
}

/// Whose alone a change is.
fn application_of(change: &Change) -> Option<ApplicationKey> {
    match change {
        Change::CreateApplication { application, .. }
        | Change::ReplaceApplication { application, .. } => Some(application.id.key()),
        Change::CreateEndpoint { endpoint, .. } | Change::ReplaceEndpoint { endpoint, .. } => {
            Some(endpoint.application)
        }
        Change::ReplaceDataKeys { application, .. }
        | Change::DeleteApplication(application)
        | Change::DeleteEndpoint(application, _)
        | Change::OpenDelivery { application, .. }
        | Change::CancelDeliveries { application, .. }
        | Change::ExpungePayloads { application, .. }
        | Change::ExpungeExcerpt { application, .. } => Some(*application),
        Change::KeepProof(kept) => Some(kept.application),
        Change::StartWork { application, .. } => *application,
        _ => None,
    }
}

/// The upper bits of a key are its time, and the lower ones a count: multiplied, all of them tell.
fn counter_of(application: ApplicationKey) -> usize {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = application.integer().cast_unsigned().wrapping_mul(GOLDEN);
    let upper = usize::try_from(mixed >> 48).expect("sixteen bits are left");
    APPLICATIONS + upper % (COUNTERS - APPLICATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Key;

    #[test]
    fn a_commit_counts_once_for_each_whom_it_concerns() {
        let pulse = Pulse::default();
        let (one, other) = (Key::from_integer(1), Key::from_integer(2));
        let read = || {
            [
                pulse.read(Some(one)),
                pulse.read(Some(other)),
                pulse.read(None),
            ]
        };
        let mut moved = Moved::default();
        assert!(moved.is_empty());
        pulse.beat(moved);
        assert_eq!(read(), [0, 0, 0]);
        moved.mark(counter_of(one));
        moved.mark(counter_of(one));
        pulse.beat(moved);
        assert_eq!(read(), [1, 0, 1]);
        moved.mark(EVERYBODYS);
        pulse.beat(moved);
        assert_eq!(read(), [3, 1, 3]);
        let mut moved = Moved::default();
        moved.mark(OPERATORS);
        moved.mark(COUNTERS - 1);
        pulse.beat(moved);
        assert_eq!(read(), [3, 1, 5]);
    }

    #[test]
    fn applications_are_spread_over_the_counters_that_they_share() {
        let mut used = [0; COUNTERS];
        for number in 0..10_000 {
            let key =
                ApplicationKey::first_at(model::Timestamp::from_seconds(1_800_000_000 + number));
            used[counter_of(key)] += 1;
        }
        assert_eq!(used[..APPLICATIONS], [0, 0]);
        let most = used.into_iter().max().expect("there are some");
        assert!(most < 80, "{most} of 10,000 share one counter");
    }
}
