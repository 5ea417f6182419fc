//! Lanes that one node alone may work on: where a rate limit holds, among nodes that share a store.
//! Before its turn such a lane asks for the sole right, its own or its application's, and keeps it
//! until it is forgotten. Where another node has that, what is here is let go of, and nothing is
//! taken until the store tells of the lane again.

use super::lane_state::{LaneState, Obstacle};
use super::{InHand, Order, Roster, turns};
use std::time::Duration;
use store::{Lane, Scope, Sole};

/// Another node has the right: it is asked again so much later at the earliest.
const ELSEWHERE: Duration = crate::SURVEY_SHARED_EVERY;

/// The answer to an [`Order::Own`].
#[derive(Debug)]
pub(crate) enum Owner {
    /// This node has the right.
    Here(Sole),
    /// Another node has it.
    Elsewhere,
    /// It could not be found out now.
    Unknown,
}

/// What is to be let go of, because another node has the sole right.
#[derive(Debug, Default)]
pub(crate) struct Ceded {
    /// What waited in memory.
    pub(crate) waiting: Vec<InHand>,
    /// The store may have more of the lane that is this node's, and must let go of that too.
    pub(crate) release: bool,
}

impl Roster {
    /// What an [`Order::Own`] found.
    pub(crate) fn owned(&mut self, lane: Lane, scope: Scope, owner: Owner) -> Ceded {
        let endpoint = lane.endpoint;
        let mut ceded = Ceded::default();
        match owner {
            Owner::Here(sole) if !sole.has_ended() => self.keep_right(lane, scope, sole),
            Owner::Here(_) | Owner::Unknown => self.rest(endpoint, turns::SHORT_REST),
            Owner::Elsewhere => {
                ceded.waiting = self.empty(endpoint);
                let until = self.now.mono + ELSEWHERE;
                if let Some(state) = self.lanes.get_mut(&endpoint) {
                    (state.stored, state.later) = (false, false);
                    state.elsewhere_until = Some(until);
                    ceded.release = state.may_own_some;
                    // What is under way may still end here without having become nobody's.
                    let busy = state.admission.in_flight() > 0 || state.claiming.is_some();
                    state.may_own_some &= busy;
                }
            }
        }
        self.clear(endpoint, Obstacle::Owner);
        ceded
    }

    /// The store could not let go of what is this node's: it is tried again.
    pub(crate) fn not_released(&mut self, lane: Lane) {
        self.note_spilled(lane, true);
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

    fn keep_right(&mut self, lane: Lane, scope: Scope, sole: Sole) {
        match scope {
            Scope::Endpoint(_) => {
                if let Some(state) = self.lanes.get_mut(&lane.endpoint) {
                    state.sole = Some(sole);
                }
            }
            Scope::Application(_) => {
                if let Some(state) = self.applications.get_mut(&lane.application) {
                    state.sole = Some(sole);
                }
            }
        }
    }

    /// Has the lane ask for the right that it needs, if it needs one and has none.
    pub(super) fn ask_for_right(&mut self, lane: Lane) -> Option<Order> {
        let scope = self.missing_right(lane)?;
        self.meet(lane.endpoint, Obstacle::Owner);
        Some(Order::Own(lane, scope))
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
