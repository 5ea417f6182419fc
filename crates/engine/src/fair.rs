//! Who goes next: slots are shared fairly by application, then by endpoint.
//!
//! A slot is the right to have one attempt in flight. Whoever holds the fewest goes next, among
//! equals the one that has waited longest; so an application with a thousand busy endpoints and one
//! with a single endpoint each get half, if they can use it.
//!
//! Lanes come in two paces. A lane is [`Pace::Quick`] while it shows that its attempts end within a
//! second; until it has shown that, and when it no longer does, it is [`Pace::Slow`], and all slow
//! lanes together hold at most half of the slots, so that the other half keeps turning over,
//! whatever hangs. (A quick lane that begins to hang takes the slots that it holds with it; while
//! slow lanes hold more than half because of that, none of them gets another.)
//!
//! Nobody may use up the slow half: an application takes from it only while it holds fewer than
//! [`FIRST`] times what is free there, and for a lane that holds a slot already, fewer than
//! [`FURTHER`] times as many. So there is something left for an application that comes new, however
//! many dead endpoints another has, and for a new endpoint among an application's dead ones.
//!
//! Pure: no clock, and everything ordered, so that the same calls give the same order.

use model::id::{ApplicationKey, EndpointKey};
use std::collections::{BTreeMap, BTreeSet};
use store::Lane;

/// A lane gets its first slow slot while its application holds fewer than this many times what is
/// free.
pub(crate) const FIRST: usize = 7;
/// A lane gets a further one while its application holds fewer than this many times what is free.
pub(crate) const FURTHER: usize = 3;

/// Whether a lane's attempts end within a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// They do: the last one did, and none in flight is older.
    Quick,
    /// They don't, or nothing is known yet.
    Slow,
}

/// A lane or an application in its order: held slots, then the turn in which it last took one.
type Rank<K> = (usize, u64, K);

/// The slots, who holds them, and who wants one.
#[derive(Debug)]
pub(crate) struct Fair {
    slots: usize,
    paces: [Half; 2],
    lanes: BTreeMap<EndpointKey, Seat>,
    paused: BTreeSet<ApplicationKey>,
    turn: u64,
}

/// All that is at one pace.
#[derive(Debug, Default)]
struct Half {
    held: usize,
    applications: BTreeMap<ApplicationKey, Share>,
    /// Applications that have ready lanes, and are not paused.
    order: BTreeSet<Rank<ApplicationKey>>,
    /// Those of them that have a ready lane which holds nothing.
    first: BTreeSet<Rank<ApplicationKey>>,
}

/// An application's part of one pace.
#[derive(Debug, Default)]
struct Share {
    held: usize,
    last_turn: u64,
    ready: BTreeSet<Rank<EndpointKey>>,
}

#[derive(Debug, Clone, Copy)]
struct Seat {
    application: ApplicationKey,
    pace: Pace,
    held: usize,
    last_turn: u64,
    ready: bool,
}

impl Fair {
    /// All `slots` are free.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            paces: Default::default(),
            lanes: BTreeMap::new(),
            paused: BTreeSet::new(),
            turn: 0,
        }
    }

    /// How many slots are held.
    pub(crate) fn held(&self) -> usize {
        self.paces.iter().map(|half| half.held).sum()
    }

    /// Says of a lane at which pace it is, and whether it wants a slot.
    pub(crate) fn set(&mut self, lane: Lane, pace: Pace, ready: bool) {
        let known = self.lanes.get(&lane.endpoint).copied();
        if known.is_some_and(|seat| (seat.pace, seat.ready) == (pace, ready)) {
            return;
        }
        let seat = known.unwrap_or(Seat {
            application: lane.application,
            pace,
            held: 0,
            last_turn: 0,
            ready: false,
        });
        self.replace(
            lane.endpoint,
            seat,
            Seat {
                pace,
                ready,
                ..seat
            },
        );
    }

    /// The lane that goes next; `None` while there is no slot for any that wants one.
    pub(crate) fn next(&self) -> Option<EndpointKey> {
        if self.held() >= self.slots {
            return None;
        }
        let [quick, slow] = &self.paces;
        if slow.held < quick.held {
            self.next_slow().or_else(|| quick.next())
        } else {
            quick.next().or_else(|| self.next_slow())
        }
    }

    /// Gives a slot to a lane that [`Fair::next`] named.
    pub(crate) fn take(&mut self, endpoint: EndpointKey) {
        self.turn += 1;
        let turn = self.turn;
        self.hold(endpoint, |seat| {
            seat.held += 1;
            seat.last_turn = turn;
        });
    }

    /// A lane gives a slot back.
    pub(crate) fn give_back(&mut self, endpoint: EndpointKey) {
        self.hold(endpoint, |seat| seat.held -= 1);
    }

    /// None of the application's lanes goes next until [`Fair::resume`].
    pub(crate) fn pause(&mut self, application: ApplicationKey) {
        if self.paused.insert(application) {
            for half in &mut self.paces {
                half.unlist(application);
            }
        }
    }

    /// Whether none of the application's lanes goes next.
    pub(crate) fn is_paused(&self, application: ApplicationKey) -> bool {
        self.paused.contains(&application)
    }

    /// The application's lanes may go again.
    pub(crate) fn resume(&mut self, application: ApplicationKey) {
        if self.paused.remove(&application) {
            for half in &mut self.paces {
                half.list(application);
            }
        }
    }

    /// Forgets a lane that neither holds nor wants a slot.
    pub(crate) fn forget(&mut self, endpoint: EndpointKey) {
        let idle = |seat: &Seat| seat.held == 0 && !seat.ready;
        if self.lanes.get(&endpoint).is_some_and(idle) {
            self.lanes.remove(&endpoint);
        }
    }

    fn next_slow(&self) -> Option<EndpointKey> {
        let slow = &self.paces[Pace::Slow as usize];
        let free = (self.slots / 2).max(1).saturating_sub(slow.held);
        let within = |order: &BTreeSet<Rank<ApplicationKey>>, times: usize| {
            let first = order.first().filter(|_| free > 0);
            first.is_some_and(|(held, ..)| *held < free * times)
        };
        if within(&slow.order, FURTHER) {
            slow.next_of(&slow.order)
        } else if within(&slow.first, FIRST) {
            slow.next_of(&slow.first)
        } else {
            None
        }
    }

    fn hold(&mut self, endpoint: EndpointKey, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.lanes.get(&endpoint).copied() {
            let mut next = seat;
            change(&mut next);
            self.replace(endpoint, seat, next);
        }
    }

    /// The only place where a seat changes: all orders follow from it.
    fn replace(&mut self, endpoint: EndpointKey, before: Seat, after: Seat) {
        let application = before.application;
        let paused = self.paused.contains(&application);
        let both = [before.pace, after.pace];
        let touched = &both[usize::from(before.pace == after.pace)..];
        for pace in touched {
            self.paces[*pace as usize].unlist(application);
        }
        self.paces[before.pace as usize].remove(endpoint, before);
        self.paces[after.pace as usize].insert(endpoint, after);
        self.lanes.insert(endpoint, after);
        for pace in touched {
            let half = &mut self.paces[*pace as usize];
            if !paused {
                half.list(application);
            }
            half.forget_if_empty(application);
        }
    }
}

impl Half {
    fn next(&self) -> Option<EndpointKey> {
        self.next_of(&self.order)
    }

    fn next_of(&self, order: &BTreeSet<Rank<ApplicationKey>>) -> Option<EndpointKey> {
        let (_, _, application) = order.first()?;
        let (_, _, endpoint) = self.applications.get(application)?.ready.first()?;
        Some(*endpoint)
    }

    fn remove(&mut self, endpoint: EndpointKey, seat: Seat) {
        if let Some(share) = self.applications.get_mut(&seat.application) {
            share.ready.remove(&(seat.held, seat.last_turn, endpoint));
            share.held -= seat.held;
            self.held -= seat.held;
        }
    }

    fn insert(&mut self, endpoint: EndpointKey, seat: Seat) {
        let share = self.applications.entry(seat.application).or_default();
        share.held += seat.held;
        share.last_turn = share.last_turn.max(seat.last_turn);
        self.held += seat.held;
        if seat.ready {
            share.ready.insert((seat.held, seat.last_turn, endpoint));
        }
    }

    fn list(&mut self, application: ApplicationKey) {
        let Some(share) = self.applications.get(&application) else {
            return;
        };
        let rank = (share.held, share.last_turn, application);
        let first = share.ready.first().map(|(held, ..)| *held);
        if first.is_some() {
            self.order.insert(rank);
        }
        if first == Some(0) {
            self.first.insert(rank);
        }
    }

    fn unlist(&mut self, application: ApplicationKey) {
        if let Some(share) = self.applications.get(&application) {
            let rank = (share.held, share.last_turn, application);
            self.order.remove(&rank);
            self.first.remove(&rank);
        }
    }

    fn forget_if_empty(&mut self, application: ApplicationKey) {
        let empty = |share: &Share| share.held == 0 && share.ready.is_empty();
        if self.applications.get(&application).is_some_and(empty) {
            self.applications.remove(&application);
        }
    }
}

#[cfg(test)]
mod tests;
