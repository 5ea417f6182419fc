//! Lanes that one node alone may work on: where a rate limit holds, among nodes that share a store.
//! Before its turn such a lane asks for the sole right, its own or its application's, and keeps it
//! until it is forgotten. Where another node has that, what is here is let go of, and nothing is
//! taken until the store tells of the lane again.

use super::lane_state::{LaneState, Obstacle};
use super::{InHand, Order, Roster, turns};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use store::{Lane, Scope, Sole};

/// Another node has the right: it is asked again so much later at the earliest.
const ELSEWHERE: Duration = crate::SURVEY_SHARED_EVERY;

/// So many rights are asked for together.
const ASKED_MAX: usize = 500;

/// The answer to an [`Order::Own`], for one of the rights.
#[derive(Debug)]
pub(crate) enum Owner {
    /// This node has the right.
    Here(Sole),
    /// Another node has it.
    Elsewhere,
    /// It could not be found out now.
    Unknown,
}

/// A lane of which another node has the sole right. The store must let go of what is this node's.
#[derive(Debug)]
pub(crate) struct Ceded {
    pub(crate) lane: Lane,
    /// What waited in memory, to be let go of first.
    pub(crate) waiting: Vec<InHand>,
}

/// Rights that lanes wait for.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Who waits for each of them.
    lanes: BTreeMap<Scope, Vec<Lane>>,
    /// Those that are still to be asked for, in the order in which they came.
    line: VecDeque<Scope>,
    /// Others were asked for, and are not answered.
    under_way: bool,
}

impl Asking {
    fn join(&mut self, scope: Scope, lane: Lane) {
        let lanes = self.lanes.entry(scope).or_default();
        if lanes.is_empty() {
            self.line.push_back(scope);
        }
        lanes.push(lane);
    }
}

impl Roster {
    /// What an [`Order::Own`] found, for each of its rights.
    pub(crate) fn owned(&mut self, answers: Vec<(Scope, Owner)>) -> Vec<Ceded> {
        self.asking.under_way = false;
        let mut ceded = Vec::new();
        for (scope, owner) in answers {
            let lanes = self.asking.lanes.remove(&scope).unwrap_or_default();
            match owner {
                Owner::Here(sole) if self.open && !sole.has_ended() => {
                    self.keep_right((scope, sole), &lanes);
                }
                Owner::Here(_) | Owner::Unknown => {
                    for lane in &lanes {
                        self.rest(lane.endpoint, turns::SHORT_REST);
                    }
                }
                Owner::Elsewhere => ceded.extend(lanes.iter().map(|lane| self.cede(*lane))),
            }
            for lane in lanes {
                self.clear(lane.endpoint, Obstacle::Owner);
            }
        }
        ceded
    }

    fn cede(&mut self, lane: Lane) -> Ceded {
        let until = self.now.mono + ELSEWHERE;
        if let Some(state) = self.lanes.get_mut(&lane.endpoint) {
            (state.stored, state.later) = (false, false);
            state.elsewhere_until = Some(until);
        }
        let waiting = self.empty(lane.endpoint);
        Ceded { lane, waiting }
    }

    /// The store could not let go of what is this node's: it is tried again.
    pub(crate) fn not_released(&mut self, lane: Lane) {
        let now = self.now.wall;
        self.waiting(lane, now);
    }

    /// The right that the lane needs before anything of it may begin here, and that is not this
    /// node's.
    pub(super) fn missing_right(&self, lane: Lane) -> Option<Scope> {
        let scope = self.needed_scope(lane)?;
        let right = match scope {
            Scope::Endpoint(_) => self.lanes.get(&lane.endpoint)?.sole.as_ref(),
            Scope::Application(_) => self.applications.get(&lane.application)?.sole.as_ref(),
        };
        right.is_none_or(Sole::has_ended).then_some(scope)
    }

    /// What is known of the lane knows of no limit, and somebody else knows of one.
    pub(super) fn learn_of_limit(&mut self, lane: Lane) {
        let knows = self.needed_scope(lane).is_some();
        let state = self.lanes.get_mut(&lane.endpoint);
        if let Some(state) = state.filter(|state| !knows && state.facts().is_some()) {
            state.unlearn();
        }
    }

    /// Whoever waited for a right gets it, unless what was found out meanwhile does not ask for it.
    fn keep_right(&mut self, (scope, sole): (Scope, Sole), lanes: &[Lane]) {
        match scope {
            Scope::Endpoint(endpoint) => {
                if let Some(state) = self.lanes.get_mut(&endpoint) {
                    state.sole = Some(sole);
                }
            }
            Scope::Application(application) => {
                if let Some(state) = self.applications.get_mut(&application) {
                    state.sole = Some(sole);
                }
            }
        }
        for lane in lanes {
            let state = self.lanes.get(&lane.endpoint);
            if state.is_some_and(|state| state.facts().is_some()) {
                self.give_up_needless(*lane);
            }
        }
    }

    /// Has the lane wait for the right that it needs, if it needs one and has none.
    pub(super) fn awaits_right(&mut self, lane: Lane) -> bool {
        let Some(scope) = self.missing_right(lane) else {
            return false;
        };
        self.meet(lane.endpoint, Obstacle::Owner);
        self.asking.join(scope, lane);
        true
    }

    /// Asks for what lanes wait for, unless an answer is outstanding: what comes meanwhile is asked
    /// for together then, so that ten thousand lanes after a start cost some twenty questions.
    pub(super) fn ask_for_rights(&mut self) -> Option<Order> {
        let Asking {
            line, under_way, ..
        } = &mut self.asking;
        if *under_way || line.is_empty() {
            return None;
        }
        *under_way = true;
        let some = line.drain(..line.len().min(ASKED_MAX));
        Some(Order::Own(some.collect()))
    }

    /// Whether a delivery of a limited lane may be taken here: this node has the right.
    pub(super) fn may_take_limited(&self, lane: Lane) -> bool {
        let of_lane = self
            .lanes
            .get(&lane.endpoint)
            .and_then(|state| state.sole.as_ref());
        let of_application = self
            .applications
            .get(&lane.application)
            .and_then(|state| state.sole.as_ref());
        let mut rights = of_lane.into_iter().chain(of_application);
        !self.config.shared || rights.any(|sole| !sole.has_ended())
    }

    /// Gives up rights that what is now known of a lane does not ask for.
    pub(super) fn give_up_needless(&mut self, lane: Lane) {
        let needed = self.needed_scope(lane);
        if !matches!(needed, Some(Scope::Endpoint(_)))
            && let Some(state) = self.lanes.get_mut(&lane.endpoint)
        {
            state.sole = None;
        }
        if let Some(state) = self.applications.get_mut(&lane.application)
            && state.rate_limit.is_none()
        {
            state.sole = None;
        }
    }

    /// An application's limit is over all its lanes: then its right covers theirs.
    fn needed_scope(&self, lane: Lane) -> Option<Scope> {
        if !self.config.shared {
            return None;
        }
        match self.rate_limits(lane) {
            (Some(_), _) => Some(Scope::Application(lane.application)),
            (None, Some(_)) => Some(Scope::Endpoint(lane.endpoint)),
            (None, None) => None,
        }
    }
}

impl LaneState {
    /// Until when it is not asked again who works on it: another node was found to, a moment ago.
    pub(super) fn elsewhere_until(&mut self, now: Duration) -> Option<Duration> {
        self.elsewhere_until.take_if(|until| *until <= now);
        self.elsewhere_until
    }
}
