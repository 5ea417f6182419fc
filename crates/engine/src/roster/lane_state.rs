//! One lane on the roster.

use super::{Facts, InHand};
use crate::fair::Pace;
use crate::host::HostName;
use crate::lane::{Admission, LaneLimits};
use crate::rate::Rate;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::{Lane, Sole};

/// The most deliveries that one claim asks for.
const CLAIM_MAX: usize = 256;

/// While nothing of a lane waits in the store, so many deliveries may be in memory for each that
/// may be in flight. Senders come in waves, as commits are made: with less room, one wave beyond
/// it sends a lane to the store, and there it stays, at twice the cost, as long as the load lasts.
const PLACES_PER_SLOT: usize = 4;

/// What keeps a lane that has something to do from its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Its rate limit, until an alarm.
    Rate,
    /// Its host is full; the host's line knows it.
    Host,
    /// As many claims are under way as may be; the claims' line knows it.
    Claims,
    /// It is being found out which node alone may work on it.
    Owner,
}

/// What is known of a lane's configuration.
#[derive(Debug)]
enum Knowledge {
    Unknown,
    /// It is being looked up; with what was changed since then.
    Learning {
        outdated: bool,
    },
    Known {
        facts: Facts,
        since: Duration,
    },
    /// Known, and being looked up again: it may have been changed where nobody tells of it.
    Renewing(Facts),
}

/// A claim that is under way.
#[derive(Debug)]
pub(super) struct Claiming {
    /// It holds a place here.
    pub(super) host: Option<HostName>,
    /// It asks when the next delivery is due.
    pub(super) later: bool,
}

/// See [`super::Roster`].
#[derive(Debug)]
pub(super) struct LaneState {
    pub(super) lane: Lane,
    pub(super) admission: Admission,
    /// Deliveries in memory: live ones go first.
    pub(super) live: VecDeque<InHand>,
    pub(super) replayed: VecDeque<InHand>,
    /// Due deliveries may be waiting in the store.
    pub(super) stored: bool,
    /// Deliveries may be waiting in the store that are due later, it is not known when.
    pub(super) later: bool,
    /// A claim is under way.
    pub(super) claiming: Option<Claiming>,
    /// The last turn was a claim: the next is for what waits in memory.
    pub(super) claimed_last: bool,
    pub(super) rate: Rate,
    pub(super) obstacle: Option<Obstacle>,
    /// Something went wrong: left alone until then.
    pub(super) rest_until: Option<Duration>,
    /// The host whose line sent this lane to its turn: if it does not take the place there, the
    /// next in the line must hear of it.
    pub(super) sent_by: Option<HostName>,
    /// Places granted and not yet used.
    pub(super) granted: Arc<AtomicUsize>,
    /// Attempts in flight that have become old.
    pub(super) old: usize,
    /// The last attempt ended while it was young.
    pub(super) shown_quick: bool,
    pub(super) idle_since: Option<Duration>,
    /// There is no endpoint to send to, as far as is known.
    pub(super) gone: bool,
    /// The right to be the only node that works on it.
    pub(super) sole: Option<Sole>,
    /// Another node works on it: not looked at before then, unless the store tells of it.
    pub(super) elsewhere_until: Option<Duration>,
    knowledge: Knowledge,
    /// About how large its payloads are.
    typical_bytes: usize,
}

impl LaneState {
    pub(super) fn new(lane: Lane, limits: &LaneLimits) -> Self {
        Self {
            lane,
            admission: Admission::new(limits),
            live: VecDeque::new(),
            replayed: VecDeque::new(),
            stored: false,
            later: false,
            claiming: None,
            claimed_last: false,
            rate: Rate::default(),
            obstacle: None,
            rest_until: None,
            sent_by: None,
            granted: Arc::default(),
            old: 0,
            shown_quick: false,
            idle_since: None,
            gone: false,
            sole: None,
            elsewhere_until: None,
            knowledge: Knowledge::Unknown,
            typical_bytes: 0,
        }
    }

    /// Deliveries that wait in memory.
    pub(super) fn queued(&self) -> usize {
        self.live.len() + self.replayed.len()
    }

    /// The one that goes first.
    pub(super) fn pop(&mut self) -> Option<InHand> {
        self.live.pop_front().or_else(|| self.replayed.pop_front())
    }

    pub(super) fn take_all(&mut self) -> Vec<InHand> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    /// Whether one more delivery may be handed over from memory.
    pub(super) fn has_place(&self) -> bool {
        let room = self.admission.limit();
        let here = self.queued() + self.admission.in_flight();
        let room = if self.stored || self.claiming.is_some() {
            room
        } else {
            PLACES_PER_SLOT * room
        };
        here + self.granted.load(Ordering::Relaxed) < room
    }

    /// Whether its turn would be a claim: not while memory is so full that it would bring little.
    pub(super) fn claims_next(&self) -> bool {
        let here = self.admission.in_flight() + self.queued();
        let worth_it = 2 * here <= 3 * self.admission.limit();
        let may_claim = self.stored && self.claiming.is_none();
        may_claim && (self.queued() == 0 || worth_it && !self.claimed_last)
    }

    /// Whether it wants a turn, and could use it.
    pub(super) fn is_ready(&self) -> bool {
        let has_something = self.queued() > 0 || (self.stored && self.claiming.is_none());
        let learning = matches!(self.knowledge, Knowledge::Learning { .. });
        // Its next turn only tells whether it is there again.
        let may_be_back = self.gone && matches!(self.knowledge, Knowledge::Unknown);
        has_something
            && !learning
            && (self.rest_until.is_none() || may_be_back)
            && self.obstacle.is_none()
            && self.admission.has_room()
    }

    /// Whether it could be forgotten. A granted place outlives its lane's state without harm.
    pub(super) fn is_idle(&self) -> bool {
        let learning = matches!(
            self.knowledge,
            Knowledge::Learning { .. } | Knowledge::Renewing(_)
        );
        let busy = self.queued() > 0
            || self.stored
            || self.claiming.is_some()
            || learning
            || self.rest_until.is_some()
            || self.obstacle.is_some()
            || self.admission.in_flight() > 0;
        !busy
    }

    pub(super) fn pace(&self) -> Pace {
        if self.shown_quick && self.old == 0 {
            Pace::Quick
        } else {
            Pace::Slow
        }
    }

    /// How many deliveries a claim should bring: one for the slot that it holds, as many as could
    /// start beside it, and as many again to wait in memory, within what is free there.
    pub(super) fn claim_size(&self, queue_free: usize, bytes_free: usize) -> usize {
        let here = self.admission.in_flight() + self.queued();
        let wanted = (2 * self.admission.limit()).saturating_sub(here);
        let by_bytes = bytes_free / self.typical_bytes.max(1_024);
        1 + wanted.min(queue_free).min(by_bytes).min(CLAIM_MAX - 1)
    }

    /// Remembers large payloads at once, and forgets them slowly.
    pub(super) fn note_size(&mut self, bytes: usize) {
        self.typical_bytes = bytes.max(self.typical_bytes - self.typical_bytes / 8);
    }

    pub(super) fn facts(&self) -> Option<&Facts> {
        match &self.knowledge {
            Knowledge::Known { facts, .. } | Knowledge::Renewing(facts) => Some(facts),
            Knowledge::Unknown | Knowledge::Learning { .. } => None,
        }
    }

    pub(super) fn begin_learning(&mut self) {
        self.knowledge = Knowledge::Learning { outdated: false };
    }

    /// Whether what is known was found out before `oldest`: it counts until it has been looked up
    /// again, which is now to be done.
    pub(super) fn renew(&mut self, oldest: Duration) -> bool {
        let Knowledge::Known { facts, since } = &self.knowledge else {
            return false;
        };
        let old = *since < oldest;
        if old {
            self.knowledge = Knowledge::Renewing(facts.clone());
        }
        old
    }

    /// What was found out, if nothing was changed since it was looked up.
    pub(super) fn learn(&mut self, facts: Option<Facts>, now: Duration) -> Option<&Facts> {
        let current = matches!(
            self.knowledge,
            Knowledge::Learning { outdated: false } | Knowledge::Renewing(_)
        );
        self.knowledge = match facts {
            Some(facts) if current => Knowledge::Known { facts, since: now },
            _ => Knowledge::Unknown,
        };
        self.facts()
    }

    pub(super) fn unlearn(&mut self) {
        self.knowledge = match self.knowledge {
            Knowledge::Learning { .. } | Knowledge::Renewing(_) => {
                Knowledge::Learning { outdated: true }
            }
            Knowledge::Unknown | Knowledge::Known { .. } => Knowledge::Unknown,
        };
    }
}
