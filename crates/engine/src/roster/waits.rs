//! What lanes wait for that have something to do: their rate limit, their host, other lanes'
//! claims, or only time.

use super::lane_state::{LaneState, Obstacle};
use super::{Alarm, Order, Roster};
use crate::host::HostName;
use crate::rate::{Limit, Rate};
use model::id::EndpointKey;
use std::collections::BTreeSet;
use std::time::Duration;
use store::Lane;

/// An attempt counts in its host's window as long as it is younger: time enough to connect.
const YOUNG: Duration = Duration::from_millis(250);
/// An attempt that is older makes its lane slow.
pub(super) const OLD: Duration = Duration::from_secs(1);

impl Roster {
    pub(super) fn meet(&mut self, endpoint: EndpointKey, obstacle: Obstacle) -> Option<Order> {
        if let Some(state) = self.lanes.get_mut(&endpoint) {
            state.obstacle = Some(obstacle);
        }
        self.settle(endpoint);
        None
    }

    /// Whether a rate limit is used up; then the lane, or its whole application, waits for it.
    pub(super) fn is_over_rate(&mut self, lane: Lane) -> bool {
        let now = self.now.mono;
        let (of_application, of_endpoint) = self.rate_limits(lane);
        if let (Some(limit), Some(state)) =
            (of_application, self.applications.get(&lane.application))
            && state.rate.ready_at(limit) > now
        {
            let alarm = Alarm::Application(lane.application);
            self.alarms.insert((state.rate.ready_at(limit), alarm));
            self.fair.pause(lane.application);
            return true;
        }
        if let (Some(limit), Some(state)) = (of_endpoint, self.lanes.get(&lane.endpoint))
            && state.rate.ready_at(limit) > now
        {
            let alarm = Alarm::Rate(lane.endpoint);
            self.alarms.insert((state.rate.ready_at(limit), alarm));
            self.meet(lane.endpoint, Obstacle::Rate);
            return true;
        }
        false
    }

    /// The application's limit and the endpoint's, where they hold.
    pub(super) fn rate_limits(&self, lane: Lane) -> (Option<Limit>, Option<Limit>) {
        let facts = self.lanes.get(&lane.endpoint).and_then(LaneState::facts);
        let Some(facts) = facts.filter(|facts| facts.live) else {
            return (None, None);
        };
        let application = self.applications.get(&lane.application);
        (
            application.and_then(|state| state.rate_limit.map(Limit::per_second)),
            facts.limit(),
        )
    }

    pub(super) fn for_each_rate(
        &mut self,
        lane: Lane,
        change: impl Fn(&mut Rate, Limit, Duration),
    ) {
        let (of_application, of_endpoint) = self.rate_limits(lane);
        let application = self.applications.get_mut(&lane.application);
        if let (Some(limit), Some(state)) = (of_application, application) {
            change(&mut state.rate, limit, self.now.mono);
        }
        if let (Some(limit), Some(state)) = (of_endpoint, self.lanes.get_mut(&lane.endpoint)) {
            change(&mut state.rate, limit, self.now.mono);
        }
    }

    /// The next lane in a host's line may try, if there is a place.
    pub(super) fn pass_on(&mut self, host: Option<HostName>) {
        let Some(host) = host else {
            return;
        };
        while let Some(next) = self.hosts.next_waiting(&host) {
            self.clear(next, Obstacle::Host);
            let state = self.lanes.get_mut(&next);
            let state = state.filter(|state| state.is_ready());
            if let Some(state) = state.filter(|state| !self.fair.is_paused(state.lane.application))
            {
                self.sent.insert(next);
                self.unused_hosts.extend(state.sent_by.replace(host));
                return;
            }
        }
    }

    /// Lanes that were sent to their turn and have had no use for it no longer stand before those
    /// behind them in their host's line.
    pub(super) fn let_others_try(&mut self, sent: BTreeSet<EndpointKey>) {
        for endpoint in sent {
            if let Some(state) = self.lanes.get_mut(&endpoint) {
                self.unused_hosts.extend(state.sent_by.take());
            }
        }
    }

    /// Nobody may take a slot. Where some are free, lanes that were sent to their turn let others
    /// try, and lanes that wait for claims that may begin try too. Tells whether there was any.
    pub(super) fn pass_by(&mut self) -> bool {
        if self.fair.held() >= self.config.slots {
            return false;
        }
        let sent = std::mem::take(&mut self.sent);
        self.let_others_try(sent);
        let claims_free =
            self.claims < self.config.claims_max && self.bytes < self.config.queue_bytes_max;
        let moves = !self.unused_hosts.is_empty() || (claims_free && !self.claim_line.is_empty());
        if moves {
            self.move_lines_on();
        }
        moves
    }

    /// Lets lanes in lines try where there may be room: in the line of claims, and in those of
    /// hosts that sent a lane which then had no use for the place.
    pub(super) fn move_lines_on(&mut self) {
        for _ in self.claims..self.config.claims_max {
            let Some(next) = self.claim_line.next() else {
                break;
            };
            self.clear(next, Obstacle::Claims);
        }
        while let Some(host) = self.unused_hosts.pop() {
            self.pass_on(Some(host));
        }
    }

    /// What alarms were set for can be looked at again.
    pub(super) fn ring_alarms(&mut self) {
        while let Some((_, alarm)) = self
            .alarms
            .first()
            .copied()
            .filter(|(at, _)| *at <= self.now.mono)
        {
            self.alarms.pop_first();
            match alarm {
                Alarm::Rate(endpoint) => {
                    self.clear(endpoint, Obstacle::Rate);
                }
                Alarm::Rest(endpoint) => {
                    let over = |until: &mut Duration| *until <= self.now.mono;
                    if let Some(state) = self.lanes.get_mut(&endpoint) {
                        state.rest_until.take_if(over);
                    }
                    self.settle(endpoint);
                }
                Alarm::Application(application) => self.fair.resume(application),
                Alarm::Age => {}
            }
        }
    }

    /// Attempts grow older: young ones leave their host's window, and old ones make their lane
    /// slow. Each is looked at once for either, in the order in which they were begun.
    pub(super) fn note_age(&mut self) {
        while let Some((number, attempt)) = self.in_flight.range_mut(self.young_from..).next() {
            if self.now.mono.saturating_sub(attempt.begun) < YOUNG {
                break;
            }
            attempt.young = false;
            self.young_from = number + 1;
            let host = attempt.host.clone();
            if let Some(host) = &host {
                self.hosts.ripen(host);
            }
            self.pass_on(host);
        }
        while let Some((number, attempt)) = self.in_flight.range_mut(self.not_old_from..).next() {
            if self.now.mono.saturating_sub(attempt.begun) < OLD {
                break;
            }
            attempt.old = true;
            self.not_old_from = number + 1;
            let endpoint = attempt.endpoint;
            if let Some(state) = self.lanes.get_mut(&endpoint) {
                state.old += 1;
            }
            self.settle(endpoint);
        }
    }

    /// While lanes wait for a host, the time when the next attempt is young no more is waited for.
    pub(super) fn wait_for_age(&mut self) {
        let next = self.in_flight.range(self.young_from..).next();
        if let Some((_, attempt)) = next
            && self.hosts.anyone_waits()
        {
            self.alarms.insert((attempt.begun + YOUNG, Alarm::Age));
        }
    }
}
