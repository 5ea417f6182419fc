//! The roster: every lane that has something to do, what waits in it, and whose turn it is.
//!
//! All policies meet here: a lane's admission, fair shares, hosts, rate limits, due times. It is a
//! state machine without clock, randomness or I/O: the engine keeps it under its one lock, tells it
//! what happened and what time it is, and carries out the [`Order`]s that it gives. It never waits,
//! and none of its work grows with the number of lanes or deliveries that are not concerned.
//!
//! A lane with something to do gets its turn when a slot is free and its share is the smallest. In
//! its turn it takes all that an attempt needs (a slot, a place at the host, its rate limits) and
//! then either begins the first delivery that waits in memory, or claims from the store: a claim
//! holds all that for the first delivery that it brings. So what is in memory stays bounded however
//! many lanes are due, and claims are as fair as attempts.
//!
//! Parts: `talk` (what it is told and orders), `turns` (turns and their ends), `waits` (what keeps
//! a lane from its turn), `owning` (lanes that are one node's alone), `coming` (lanes that come and
//! go), `counted` (how many do what), `lane_state`.

mod coming;
mod counted;
mod lane_state;
mod owning;
mod talk;
mod turns;
mod waits;

pub(crate) use owning::{Ceded, Owner};
pub(crate) use talk::{AttemptNumber, Brought, Ended, Facts, InHand, Moment, Order, ToClaim};

use crate::EngineConfig;
use crate::due::Dues;
use crate::fair::Fair;
use crate::host::{HostName, Hosts};
use crate::line::Line;
use crate::rate::Rate;
use lane_state::{LaneState, Obstacle};
use model::Timestamp;
use model::delivery::Class;
use model::id::{ApplicationKey, EndpointKey};
use owning::Asking;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::{Lane, Place, Sole};

/// An application may have this part of the payloads' memory even when that is full.
const SHARES: usize = 8;

/// When something is to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Rate(EndpointKey),
    Rest(EndpointKey),
    Application(ApplicationKey),
    Age,
}

/// An attempt in flight.
#[derive(Debug)]
struct InFlight {
    endpoint: EndpointKey,
    application: ApplicationKey,
    host: Option<HostName>,
    begun: Duration,
    bytes: usize,
    /// It counts in its host's window.
    young: bool,
    /// It makes its lane slow.
    old: bool,
}

/// An application that has lanes here.
#[derive(Debug, Default)]
struct ApplicationState {
    /// Of payloads, waiting and in flight.
    bytes: usize,
    rate: Rate,
    rate_limit: Option<NonZeroU16>,
    lanes: BTreeSet<EndpointKey>,
    /// The right to be the only node that works on them.
    sole: Option<Sole>,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Roster {
    config: EngineConfig,
    now: Moment,
    /// Whether attempts may be begun: false once the engine ends.
    open: bool,
    lanes: BTreeMap<EndpointKey, LaneState>,
    applications: BTreeMap<ApplicationKey, ApplicationState>,
    fair: Fair,
    hosts: Hosts,
    dues: Dues,
    alarms: BTreeSet<(Duration, Alarm)>,
    /// Lanes without anything to do, and since when.
    idle: BTreeSet<(Duration, EndpointKey)>,
    in_flight: BTreeMap<AttemptNumber, InFlight>,
    next_number: AttemptNumber,
    /// Attempts from this number on are young, as far as has been looked.
    young_from: AttemptNumber,
    /// Attempts from this number on are not old, as far as has been looked.
    not_old_from: AttemptNumber,
    claims: usize,
    /// Sole rights that lanes wait for.
    asking: Asking,
    /// Attempts that began with what claims had taken, to be ordered.
    begun: Vec<Order>,
    /// Lanes that wait for another's claim to end.
    claim_line: Line,
    /// Lanes that a host's line has sent to their turn.
    sent: BTreeSet<EndpointKey>,
    /// Those of them that have not taken it when orders were last given.
    missed: BTreeSet<EndpointKey>,
    /// Hosts that sent a lane to its turn which can't take it now.
    unused_hosts: Vec<HostName>,
    /// When the engine will ask for orders again though nothing happens.
    armed: Duration,
    queued: usize,
    /// Of payloads, waiting and in flight.
    bytes: usize,
    /// Places that were granted and not yet used or given back.
    granted: Arc<AtomicUsize>,
}

/// A granted place, until it is used or given back.
struct Granted {
    of_lane: Arc<AtomicUsize>,
    of_all: Arc<AtomicUsize>,
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.of_lane.fetch_sub(1, Ordering::Relaxed);
        self.of_all.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Roster {
    /// No lanes, and nothing may be begun before [`Roster::open`].
    pub(crate) fn new(config: EngineConfig) -> Self {
        Self {
            fair: Fair::new(config.slots),
            hosts: Hosts::new(config.per_host),
            config,
            now: Moment::default(),
            open: false,
            lanes: BTreeMap::new(),
            applications: BTreeMap::new(),
            dues: Dues::default(),
            alarms: BTreeSet::new(),
            idle: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            next_number: 0,
            young_from: 0,
            not_old_from: 0,
            claims: 0,
            asking: Asking::default(),
            begun: Vec::new(),
            claim_line: Line::default(),
            sent: BTreeSet::new(),
            missed: BTreeSet::new(),
            unused_hosts: Vec::new(),
            armed: Duration::MAX,
            queued: 0,
            bytes: 0,
            granted: Arc::default(),
        }
    }

    /// Says what time it is: before everything else is said.
    pub(crate) fn at(&mut self, now: Moment) -> &mut Self {
        self.now = now;
        self
    }

    /// Attempts may be begun.
    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    /// No more attempts are begun, and no more places granted. Gives back all that waits in memory,
    /// to be let go of.
    pub(crate) fn close(&mut self) -> Vec<InHand> {
        self.open = false;
        let lanes: Vec<_> = self.lanes.keys().copied().collect();
        let mut waiting = Vec::new();
        for endpoint in lanes {
            waiting.extend(self.empty(endpoint));
        }
        for order in std::mem::take(&mut self.begun) {
            if let Order::Attempt(number, in_hand) = order {
                self.ended(number, Ended::NOT_SENT);
                waiting.push(*in_hand);
            }
        }
        waiting
    }

    /// Attempts and claims that hold a slot.
    pub(crate) fn held(&self) -> usize {
        self.fair.held()
    }

    /// Deliveries that wait in memory.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// Lanes in memory, and lanes that wait for their due time.
    pub(crate) fn lane_counts(&self) -> (usize, usize) {
        (self.lanes.len(), self.dues.len())
    }

    /// A place for a delivery that is about to be accepted.
    ///
    /// While deliveries of the lane are due in the store, only as many as could start at once: the
    /// rest queues up behind those. Else some more of them may wait in memory. None where a limit
    /// holds for which another node has the sole right, or nobody yet.
    pub(crate) fn grant(&mut self, lane: Lane, limited: bool) -> Option<Place> {
        let all = self.queued + self.fair.held() + self.granted.load(Ordering::Relaxed);
        if !self.open || all >= self.config.slots + self.config.queue_max {
            return None;
        }
        if limited && !self.may_take_limited(lane) {
            self.learn_of_limit(lane);
            return None;
        }
        let granted = self.granted.clone();
        let state = self.lane(lane)?;
        if !state.has_place() {
            return None;
        }
        let token = Granted {
            of_lane: state.granted.clone(),
            of_all: granted,
        };
        token.of_lane.fetch_add(1, Ordering::Relaxed);
        token.of_all.fetch_add(1, Ordering::Relaxed);
        Some(Place::new(token))
    }

    /// Takes over a delivery from memory. Gives it back, to be let go of, when the engine is ending
    /// or memory is full.
    pub(crate) fn hand_over(&mut self, in_hand: InHand) -> Option<InHand> {
        let lane = in_hand.lane();
        if !self.open || self.lane(lane).is_none() || !self.has_memory(lane, in_hand.bytes()) {
            return Some(in_hand);
        }
        self.enqueue(in_hand);
        // It need not wait for others' claims any more.
        if !self.clear(lane.endpoint, Obstacle::Claims) {
            self.settle(lane.endpoint);
        }
        None
    }

    /// A delivery of this lane waits in the store, and is due then.
    pub(crate) fn waiting(&mut self, lane: Lane, due: Timestamp) {
        let (now, mut due) = (self.now, due);
        if due <= now.wall
            && let Some(state) = self.lanes.get_mut(&lane.endpoint)
        {
            match state.elsewhere_until(now.mono) {
                None => {
                    state.stored = true;
                    return self.settle(lane.endpoint);
                }
                Some(until) => due = now.wall.plus(until.saturating_sub(now.mono)),
            }
        }
        self.dues.note(lane, due, false);
    }

    /// Deliveries of this lane wait in the store; the earliest is due then.
    pub(crate) fn waiting_from(&mut self, lane: Lane, earliest: Timestamp) {
        // On a full roster it would wait behind lanes that have no place there.
        let has_place = self.lanes.contains_key(&lane.endpoint) || self.has_to_add(lane);
        match earliest <= self.now.wall && has_place {
            true => self.wake(lane, true),
            false => self.dues.note(lane, earliest, true),
        }
    }

    /// What is configured of an application's lanes is looked up again before their next turn.
    pub(crate) fn changed(&mut self, application: ApplicationKey) {
        let lanes = self
            .applications
            .get(&application)
            .map(|state| state.lanes.clone());
        for endpoint in lanes.into_iter().flatten() {
            if let Some(state) = self.lanes.get_mut(&endpoint) {
                state.unlearn();
                // It may lead elsewhere: its next turn tells.
                state.obstacle.take_if(|met| *met == Obstacle::Host);
            }
            self.settle(endpoint);
        }
    }

    /// What an [`Order::Learn`] found; `None`: it could not be found out now.
    ///
    /// Gives back what waits in memory for an endpoint that is gone, to be let go of: background
    /// work ends its deliveries, and is given time for it before the lane looks what is left over.
    pub(crate) fn learned(&mut self, lane: Lane, facts: Option<Facts>) -> Vec<InHand> {
        let Some(state) = self.lanes.get_mut(&lane.endpoint) else {
            return Vec::new();
        };
        if facts.is_none() {
            state.learn(None, self.now.mono);
            self.rest(lane.endpoint, turns::SHORT_REST);
            self.settle(lane.endpoint);
            return Vec::new();
        }
        let mut given_back = Vec::new();
        // What was changed meanwhile is looked up again, in the next turn.
        if let Some(facts) = state.learn(facts, self.now.mono) {
            let (live, rate_limit) = (facts.live, facts.application_rate_limit);
            let newly_gone = !live && !state.gone;
            let is_back = live && state.gone;
            state.gone = !live;
            state.rest_until.take_if(|_| is_back);
            if let Some(application) = self.applications.get_mut(&lane.application) {
                application.rate_limit = rate_limit;
            }
            self.give_up_needless(lane);
            if newly_gone {
                self.rest(lane.endpoint, turns::LONG_REST);
                given_back = self.empty(lane.endpoint);
            }
        }
        self.settle(lane.endpoint);
        given_back
    }

    /// Some of what waits in memory for a lane was cancelled: gives back all of it, to be let go
    /// of. The lane is given time for background work to end what it is to end.
    pub(crate) fn give_back(&mut self, lane: Lane) -> Vec<InHand> {
        self.rest(lane.endpoint, turns::SHORT_REST);
        let waiting = self.empty(lane.endpoint);
        self.settle(lane.endpoint);
        waiting
    }

    /// How long the engine may wait before it asks for orders though nothing happened; `None`: for
    /// ever. It must be told, by [`Roster::wants_earlier_wake`], when that turns out too long.
    pub(crate) fn arm(&mut self) -> Option<Duration> {
        let wake = self.next_wake();
        self.armed = wake.unwrap_or(Duration::MAX);
        wake.map(|wake| wake.saturating_sub(self.now.mono))
    }

    /// Whether there is now something to do before the time that [`Roster::arm`] said.
    pub(crate) fn wants_earlier_wake(&mut self) -> bool {
        let wake = self.next_wake().filter(|wake| *wake < self.armed);
        self.armed = wake.unwrap_or(self.armed);
        wake.is_some()
    }

    fn next_wake(&self) -> Option<Duration> {
        let due = self.dues.first().filter(|_| self.can_add_lane());
        let due = due.map(|due| self.now.mono.saturating_add(due.since(self.now.wall)));
        let alarm = self.alarms.first().map(|(at, _)| *at);
        due.into_iter().chain(alarm).min()
    }

    fn enqueue(&mut self, in_hand: InHand) {
        let (lane, bytes) = (in_hand.lane(), in_hand.bytes());
        if let Some(state) = self.lanes.get_mut(&lane.endpoint) {
            state.note_size(bytes);
            match in_hand.claimed.delivery.trigger.class() {
                Class::Live => state.live.push_back(in_hand),
                Class::Replayed => state.replayed.push_back(in_hand),
            }
            self.queued += 1;
            self.count_bytes(lane.application, |counted| counted + bytes);
        }
    }

    /// Whether so much more of a lane's payloads may be in memory. When that is full, applications
    /// that hold little of it still may: what one of them fills it with stops no other.
    fn has_memory(&self, lane: Lane, bytes: usize) -> bool {
        let max = self.config.queue_bytes_max;
        let of_application = self.applications.get(&lane.application);
        let held = of_application.map_or(0, |state| state.bytes);
        self.bytes + bytes <= max || held + bytes <= max / SHARES || held == 0
    }

    fn count_bytes(&mut self, application: ApplicationKey, count: impl Fn(usize) -> usize) {
        self.bytes = count(self.bytes);
        if let Some(state) = self.applications.get_mut(&application) {
            state.bytes = count(state.bytes);
        }
    }

    /// Takes all that waits in memory out of a lane.
    fn empty(&mut self, endpoint: EndpointKey) -> Vec<InHand> {
        let Some(state) = self.lanes.get_mut(&endpoint) else {
            return Vec::new();
        };
        let (application, waiting) = (state.lane.application, state.take_all());
        let bytes: usize = waiting.iter().map(InHand::bytes).sum();
        self.queued -= waiting.len();
        self.count_bytes(application, |counted| counted - bytes);
        waiting
    }

    /// The lane's state changed: says to all orders what follows from it.
    fn settle(&mut self, endpoint: EndpointKey) {
        let Some(state) = self.lanes.get_mut(&endpoint) else {
            return;
        };
        let ready = state.is_ready();
        if !ready {
            self.unused_hosts.extend(state.sent_by.take());
        }
        self.fair.set(state.lane, state.pace(), ready);
        match (state.is_idle(), state.idle_since) {
            (true, None) => {
                state.idle_since = Some(self.now.mono);
                self.idle.insert((self.now.mono, endpoint));
            }
            (false, Some(since)) => {
                state.idle_since = None;
                self.idle.remove(&(since, endpoint));
            }
            _ => {}
        }
    }

    /// Leaves a lane alone for a while.
    fn rest(&mut self, endpoint: EndpointKey, rest: Duration) {
        if let Some(state) = self.lanes.get_mut(&endpoint)
            && state.rest_until.is_none()
        {
            let until = self.now.mono + rest;
            state.rest_until = Some(until);
            self.alarms.insert((until, Alarm::Rest(endpoint)));
        }
    }

    /// The obstacle in a lane's way is gone, if it is still this one.
    fn clear(&mut self, endpoint: EndpointKey, obstacle: Obstacle) -> bool {
        let state = self.lanes.get_mut(&endpoint);
        let Some(state) = state.filter(|state| state.obstacle == Some(obstacle)) else {
            return false;
        };
        state.obstacle = None;
        self.settle(endpoint);
        true
    }
}

#[cfg(test)]
mod tests;
