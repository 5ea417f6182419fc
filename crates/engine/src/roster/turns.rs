//! Turns: from what is due and who wants a slot to what is to be done, and back when it was done.

use super::lane_state::{Claiming, LaneState, Obstacle};
use super::waits::OLD;
use super::{AttemptNumber, Brought, Ended, InFlight, InHand, Order, Roster, ToClaim};
use crate::host::HostName;
use crate::lane::How;
use crate::rate::Rate;
use model::id::EndpointKey;
use std::time::Duration;
use store::{Lane, registry};

/// A lane is left alone so long after something failed that may work again soon.
pub(super) const SHORT_REST: Duration = Duration::from_secs(1);
/// A lane is left alone so long after something that would probably happen again, or for background
/// work to end its deliveries.
pub(super) const LONG_REST: Duration = Duration::from_secs(30);
/// How far back a rate limit can reach.
pub(super) const RATE_MEMORY: Duration = Duration::from_secs(1);

impl Roster {
    /// What is to be done now. `may_start`: whether outcomes can be recorded; if not, nothing is.
    pub(crate) fn orders(&mut self, may_start: bool) -> Vec<Order> {
        let mut orders = Vec::new();
        if may_start {
            orders.append(&mut self.begun);
        }
        self.ring_alarms();
        self.wake_due_lanes();
        self.note_age();
        let missed = std::mem::take(&mut self.missed);
        self.let_others_try(missed);
        self.move_lines_on();
        while self.open && may_start {
            if let Some(endpoint) = self.fair.next() {
                orders.extend(self.renewal(endpoint));
                orders.extend(self.turn(endpoint));
            } else if !self.pass_by() {
                break;
            }
        }
        if self.open && may_start {
            orders.extend(self.ask_for_rights());
        }
        self.missed = std::mem::take(&mut self.sent);
        self.wait_for_age();
        orders
    }

    /// An attempt came to its end.
    pub(crate) fn ended(&mut self, number: AttemptNumber, ended: Ended) {
        let Some(attempt) = self.in_flight.remove(&number) else {
            return;
        };
        let endpoint = attempt.endpoint;
        self.count_bytes(attempt.application, |counted| counted - attempt.bytes);
        if let Some(state) = self.lanes.get_mut(&endpoint) {
            state
                .admission
                .end(&self.config.lane, ended.how, ended.took);
            state.old -= usize::from(attempt.old);
            if ended.how != How::NotSent {
                state.shown_quick = ended.took < OLD;
            }
            let lane = state.lane;
            if let Some(due) = ended.due {
                self.waiting(lane, due);
            }
        }
        if let Some(rest) = ended.rest {
            self.rest(endpoint, rest);
        }
        let answered = matches!(ended.how, How::Success | How::Failure);
        self.leave(endpoint, attempt.host, (answered, attempt.young));
    }

    /// A claim came to its end; its first delivery begins with what the claim has taken. Gives back
    /// what there is no room for in memory, to be let go of.
    pub(crate) fn claimed(&mut self, lane: Lane, brought: Brought) -> Vec<InHand> {
        let endpoint = lane.endpoint;
        self.claims -= 1;
        let Some(state) = self.lanes.get_mut(&endpoint) else {
            return brought.deliveries;
        };
        let claiming = state.claiming.take();
        let asked_later = claiming.as_ref().is_some_and(|claiming| claiming.later);
        let host = claiming.and_then(|claiming| claiming.host);
        state.stored |= brought.more;
        state.later |= asked_later && brought.more;
        if let Some(due) = brought.next_due {
            self.waiting_from(lane, due);
        }
        if let Some(rest) = brought.rest {
            self.rest(endpoint, rest);
        }
        // Without the right, which another node may have taken meanwhile, nothing begins.
        let may_begin = self.open && self.missing_right(lane).is_none();
        let spilled = match may_begin {
            true => self.keep(brought.deliveries),
            false => brought.deliveries,
        };
        let first = if may_begin { self.pop(endpoint) } else { None };
        match first {
            Some(in_hand) => {
                let order = self.begin(in_hand, host);
                self.begun.push(order);
            }
            None => self.give_back_claim(endpoint, host),
        }
        self.settle(endpoint);
        spilled
    }

    /// Other nodes tell nobody here of what they change: beside a lane's turn, what is known of it
    /// is looked up again when it has become old. The turn does not wait for that, so that the lane
    /// keeps its place in lines; whether there is still an endpoint is looked at by each attempt.
    fn renewal(&mut self, endpoint: EndpointKey) -> Option<Order> {
        let oldest = self.now.mono.saturating_sub(registry::AGE_MAX);
        let state = self.lanes.get_mut(&endpoint);
        let state = state.filter(|_| self.config.shared)?;
        state.renew(oldest).then_some(Order::Learn(state.lane))
    }

    /// One turn of a lane: it takes what an attempt needs, or meets an obstacle. Either way it is
    /// not the same lane's turn again for nothing.
    fn turn(&mut self, endpoint: EndpointKey) -> Option<Order> {
        let state = self.lanes.get_mut(&endpoint)?;
        let sent_by = state.sent_by.take();
        self.sent.remove(&endpoint);
        self.missed.remove(&endpoint);
        let (lane, wants_claim, queued) = (state.lane, state.claims_next(), state.queued());
        let Some(facts) = state.facts().cloned() else {
            state.begin_learning();
            self.settle(endpoint);
            self.pass_on(sent_by);
            return Some(Order::Learn(lane));
        };
        if self.awaits_right(lane) {
            self.pass_on(sent_by);
            return None;
        }
        let must_wait = wants_claim && !self.may_claim(lane);
        let order = if must_wait && queued == 0 {
            self.claim_line.join(endpoint);
            self.meet(endpoint, Obstacle::Claims)
        } else if self.is_over_rate(lane) {
            None
        } else if let Some(host) = facts.host.as_ref().filter(|host| {
            let sent = sent_by.as_ref() == Some(*host);
            !self.hosts.take(host, sent)
        }) {
            self.hosts.wait(host, endpoint);
            let order = self.meet(endpoint, Obstacle::Host);
            // Where there is a place, it is for the first in the line.
            self.pass_on(Some(host.clone()));
            order
        } else {
            self.for_each_rate(lane, Rate::take);
            self.fair.take(endpoint);
            self.begin_or_claim(lane, facts.host.clone(), wants_claim && !must_wait)
        };
        self.pass_on(sent_by);
        order
    }

    /// Whether a lane's claim may begin: not too many are under way, and there is memory for what
    /// it brings, unless that is all that this lane would have in flight.
    fn may_claim(&self, lane: Lane) -> bool {
        let in_flight = |state: &LaneState| state.admission.in_flight() > 0;
        let has_some = self.lanes.get(&lane.endpoint).is_some_and(in_flight);
        self.claims < self.config.claims_max && (!has_some || self.has_memory(lane, 1))
    }

    fn begin_or_claim(
        &mut self,
        lane: Lane,
        host: Option<HostName>,
        claims: bool,
    ) -> Option<Order> {
        let queue_free = self.config.queue_max.saturating_sub(self.queued);
        let bytes_free = self.config.queue_bytes_max.saturating_sub(self.bytes);
        let state = self.lanes.get_mut(&lane.endpoint)?;
        state.admission.start();
        state.claimed_last = claims;
        let order = if claims {
            state.stored = false;
            let later = std::mem::take(&mut state.later);
            state.claiming = Some(Claiming { host, later });
            self.claims += 1;
            let wanted = ToClaim {
                limit: state.claim_size(queue_free, bytes_free),
                next_due: later,
            };
            Some(Order::Claim(lane, wanted))
        } else {
            self.pop(lane.endpoint)
                .map(|in_hand| self.begin(in_hand, host))
        };
        self.settle(lane.endpoint);
        order
    }

    /// The attempt that begins with what a turn or a claim has taken.
    fn begin(&mut self, mut in_hand: InHand, host: Option<HostName>) -> Order {
        let state = self.lanes.get(&in_hand.claimed.delivery.endpoint);
        in_hand.left_over = state.is_some_and(|state| state.gone);
        let number = self.next_number;
        self.next_number += 1;
        let attempt = InFlight {
            endpoint: in_hand.claimed.delivery.endpoint,
            application: in_hand.claimed.delivery.application,
            host,
            begun: self.now.mono,
            bytes: in_hand.bytes(),
            young: true,
            old: false,
        };
        self.in_flight.insert(number, attempt);
        Order::Attempt(number, Box::new(in_hand))
    }

    /// The next delivery of a lane, out of the queue; its bytes still count.
    fn pop(&mut self, endpoint: EndpointKey) -> Option<InHand> {
        let in_hand = self.lanes.get_mut(&endpoint)?.pop()?;
        self.queued -= 1;
        Some(in_hand)
    }

    /// Puts what was claimed into the queue, as far as memory goes, and gives back the rest.
    fn keep(&mut self, deliveries: Vec<InHand>) -> Vec<InHand> {
        let mut spilled = Vec::new();
        for (index, in_hand) in deliveries.into_iter().enumerate() {
            let has_memory = self.has_memory(in_hand.lane(), in_hand.bytes());
            if self.open && (index == 0 || has_memory) {
                self.enqueue(in_hand);
            } else {
                spilled.push(in_hand);
            }
        }
        spilled
    }

    /// A claim that brought nothing to begin gives all back that it took.
    fn give_back_claim(&mut self, endpoint: EndpointKey, host: Option<HostName>) {
        if let Some(state) = self.lanes.get_mut(&endpoint) {
            state
                .admission
                .end(&self.config.lane, How::NotSent, Duration::ZERO);
            let lane = state.lane;
            self.for_each_rate(lane, |rate, limit, _| rate.give_back(limit));
        }
        self.leave(endpoint, host, (false, true));
    }

    /// Gives slot and host back.
    fn leave(
        &mut self,
        endpoint: EndpointKey,
        host: Option<HostName>,
        (answered, young): (bool, bool),
    ) {
        if let Some(host) = &host {
            self.hosts.give_back(host, answered, young);
        }
        self.fair.give_back(endpoint);
        // A lane that has nothing in flight any more need not wait for memory.
        let state = self.lanes.get_mut(&endpoint);
        if let Some(state) = state.filter(|state| state.admission.in_flight() == 0) {
            state.obstacle.take_if(|met| *met == Obstacle::Claims);
        }
        self.settle(endpoint);
        self.pass_on(host);
    }

    fn wake_due_lanes(&mut self) {
        while self.dues.first().is_some_and(|due| due <= self.now.wall) && self.can_add_lane() {
            let Some((lane, later)) = self.dues.pop(self.now.wall) else {
                return;
            };
            self.wake(lane, later);
        }
    }

    /// Something of the lane is due in the store; `later`: there may be more, at later times.
    pub(super) fn wake(&mut self, lane: Lane, later: bool) {
        if let Some(state) = self.lane(lane) {
            state.stored = true;
            state.later |= later;
        }
        self.settle(lane.endpoint);
    }
}
