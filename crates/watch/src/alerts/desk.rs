//! What is sent when on one channel. Pure: what was heard and the time go in, and what is to be
//! sent comes out.
//!
//! - The first of its kind and subject is told at once, as long as no more than so many were within
//!   the time of a digest. What is critical has as much room of its own, so that nothing stands in
//!   its way.
//! - The same is not told by itself again for a while. It is counted, and comes with the next
//!   digest: at the end of that while, or sooner where there is ten times as much as was told.
//! - What has no room is told with the next digest, within the time of one.
//!
//! Time is monotonic. Nothing that was counted is left out: what was not taken comes back.

use super::tally::{Heard, Same, Tally};
use model::alerts::{Channel, Pace};
use model::security::Severity;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many kinds with their subjects are remembered; others are told in digests.
const REMEMBERED_MAX: usize = 1_000;
/// With so many times as much as was told, the rest of its silence is not waited for.
const GROWTH: u64 = 10;

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Letter {
    /// Of one.
    One(Heard),
    /// Of several, or of more of the same.
    Digest(Tally),
}

/// One channel's.
pub(super) struct Desk {
    channel: Channel,
    pace: Pace,
    told: BTreeMap<Same, Told>,
    /// What is yet to be told.
    held: Tally,
    /// When.
    due_at: Option<Duration>,
    digest_at: Option<Duration>,
    /// Of what is critical, and of the rest.
    rooms: [Room; 2],
}

/// What was told of the same.
struct Told {
    at: Duration,
    count: u64,
    /// How many there were since.
    since: u64,
}

/// How many were told at once.
#[derive(Clone, Copy, Default)]
struct Room {
    began_at: Option<Duration>,
    taken: u16,
}

impl Desk {
    pub(super) fn new(channel: Channel, pace: Pace) -> Self {
        Self {
            channel,
            pace,
            told: BTreeMap::new(),
            held: Tally::default(),
            due_at: None,
            digest_at: None,
            rooms: [Room::default(); 2],
        }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// From now on at this pace.
    pub(super) fn keep_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Takes what was heard. What is to be sent of it at once is returned.
    pub(super) fn take(&mut self, heard: Heard, now: Duration) -> Option<Letter> {
        if heard.count == 0 || !self.channel.wants(heard.kind, heard.severity) {
            return None;
        }
        let pace = self.pace;
        let same = heard.same();
        if let Some(told) = self.told.get_mut(&same)
            && now < told.at + pace.dedup
        {
            told.since = told.since.saturating_add(heard.count);
            let is_much = told.since >= told.count.saturating_mul(GROWTH);
            let silent_until = told.at + pace.dedup;
            let due_at = match is_much {
                true => silent_until.min(now + pace.digest),
                false => silent_until,
            };
            self.hold(heard, due_at);
            return None;
        }
        let room = usize::from(heard.severity == Severity::Critical);
        if self.remembers_more(&same, now) && self.rooms[room].take(pace, now) {
            self.remember(same, heard.count, now);
            return Some(Letter::One(heard));
        }
        self.hold(heard, now + pace.digest);
        None
    }

    /// A digest, if it is time for one.
    pub(super) fn due(&mut self, now: Duration) -> Option<Letter> {
        (self.due_at()? <= now).then(|| self.rest(now)).flatten()
    }

    /// When there is a digest to send.
    pub(super) fn due_at(&self) -> Option<Duration> {
        let earliest = self
            .digest_at
            .map_or(Duration::ZERO, |at| at + self.pace.digest);
        self.due_at.map(|at| at.max(earliest))
    }

    /// All that is yet to be told, now.
    pub(super) fn rest(&mut self, now: Duration) -> Option<Letter> {
        self.due_at = None;
        if self.held.is_empty() {
            return None;
        }
        self.digest_at = Some(now);
        let digest = std::mem::take(&mut self.held);
        for heard in digest.worst() {
            let same = heard.same();
            if self.remembers_more(&same, now) {
                self.remember(same, heard.count, now);
            }
        }
        Some(Letter::Digest(digest))
    }

    /// This was not taken: it is told with the next digest.
    pub(super) fn returned(&mut self, letter: Letter, now: Duration) {
        let due_at = now + self.pace.digest;
        match letter {
            Letter::One(heard) => self.hold(heard, due_at),
            Letter::Digest(tally) => {
                self.held.absorb(tally);
                self.due_by(due_at);
            }
        }
    }

    fn hold(&mut self, heard: Heard, due_at: Duration) {
        self.held.add(heard);
        self.due_by(due_at);
    }

    fn due_by(&mut self, at: Duration) {
        self.due_at = Some(self.due_at.map_or(at, |known| known.min(at)));
    }

    fn remember(&mut self, same: Same, count: u64, now: Duration) {
        let told = Told {
            at: now,
            count,
            since: 0,
        };
        self.told.insert(same, told);
    }

    /// Whether it could be remembered that this is told. What is over is forgotten for it.
    fn remembers_more(&mut self, same: &Same, now: Duration) -> bool {
        let has_room = |told: &BTreeMap<Same, Told>| told.len() < REMEMBERED_MAX;
        if !has_room(&self.told) && !self.told.contains_key(same) {
            let dedup = self.pace.dedup;
            self.told.retain(|_, told| now < told.at + dedup);
        }
        has_room(&self.told) || self.told.contains_key(same)
    }
}

impl Room {
    /// Takes a place, if there is one.
    fn take(&mut self, pace: Pace, now: Duration) -> bool {
        if self
            .began_at
            .is_none_or(|began_at| now >= began_at + pace.digest)
        {
            *self = Self {
                began_at: Some(now),
                taken: 0,
            };
        }
        let has_one = self.taken < pace.at_once;
        self.taken += u16::from(has_one);
        has_one
    }
}

#[cfg(test)]
mod tests;
