//! Lanes that come onto the roster when they have something to do, and go when they have been idle.

use super::lane_state::LaneState;
use super::{Roster, turns};
use store::Lane;

impl Roster {
    /// The lane's state, made if there is room for one more lane, or no other node may work on it.
    pub(super) fn lane(&mut self, lane: Lane) -> Option<&mut LaneState> {
        if !self.lanes.contains_key(&lane.endpoint) {
            if self.lanes.len() >= self.config.lanes_max {
                match self.can_add_lane() {
                    true => self.forget_longest_idle(),
                    false => self.has_to_add(lane).then_some(())?,
                }
            }
            let state = LaneState::new(lane, &self.config.lane);
            self.lanes.insert(lane.endpoint, state);
            let application = self.applications.entry(lane.application).or_default();
            application.lanes.insert(lane.endpoint);
            self.settle(lane.endpoint);
        }
        self.lanes.get_mut(&lane.endpoint)
    }

    /// Whether there is room for one more lane, or one that can make room.
    pub(super) fn can_add_lane(&self) -> bool {
        let settled = self.now.mono.saturating_sub(turns::RATE_MEMORY);
        let idle = self
            .idle
            .first()
            .is_some_and(|(since, _)| *since <= settled);
        self.lanes.len() < self.config.lanes_max || idle
    }

    /// Whether it is added though there is no room: this node has its application's right, so that
    /// no other may work on it.
    pub(super) fn has_to_add(&self, lane: Lane) -> bool {
        let application = self.applications.get(&lane.application);
        let right = application.and_then(|state| state.sole.as_ref());
        right.is_some_and(|sole| !sole.has_ended())
    }

    fn forget_longest_idle(&mut self) {
        let Some((_, endpoint)) = self.idle.pop_first() else {
            return;
        };
        self.fair.forget(endpoint);
        let Some(state) = self.lanes.remove(&endpoint) else {
            return;
        };
        let application = state.lane.application;
        if let Some(of) = self.applications.get_mut(&application) {
            of.lanes.remove(&endpoint);
            if of.lanes.is_empty() {
                self.applications.remove(&application);
                self.fair.resume(application);
            }
        }
    }

    /// Forgets lanes that have been idle for long enough.
    pub(crate) fn forget_idle(&mut self) {
        let idle = self.config.lane_idle.max(turns::RATE_MEMORY);
        let Some(before) = self.now.mono.checked_sub(idle) else {
            return;
        };
        while self.idle.first().is_some_and(|(since, _)| *since <= before) {
            self.forget_longest_idle();
        }
    }
}
