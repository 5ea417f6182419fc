//! Folds security events: those of one kind, subject and remote network are one for a while. Pure.
//!
//! It is bounded: of each kind so many are told apart, and what comes beyond is counted together,
//! so that nothing is left out of the count, and whoever floods one kind hides no other.

use model::Timestamp;
use model::address::network;
use model::id::SecurityEventId;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use store::Sealed;
use store::security::{FoldedEvent, SecurityWrite};

/// For so long equal events are one row: a flood that goes on leaves six an hour.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// So many of each kind are told apart within that.
pub(crate) const TOLD_APART_MAX: usize = 64;
/// How often is looked for what is older than that.
const LOOKED_OVER_EVERY: Duration = Duration::from_secs(1);
/// Longer texts are cut off: whoever reports writes a sentence, but others' words may be in it.
const TEXT_BYTES_MAX: usize = 1_000;

/// What has happened lately.
#[derive(Default)]
pub(crate) struct Folding {
    entries: BTreeMap<Key, Entry>,
    looked_over_at: Timestamp,
}

/// What is to be written, in order.
pub(crate) type Batch = Vec<(Key, SecurityWrite)>;

/// What makes events equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    kind: SecurityKind,
    subject: Subject,
    network: Option<IpAddr>,
}

struct Entry {
    began_at: Timestamp,
    /// Where it was written.
    row: Option<SecurityEventId>,
    /// What happened since then.
    unwritten: Option<FoldedEvent>,
}

impl Folding {
    /// Takes an event.
    pub(crate) fn take(&mut self, event: SecurityEvent) {
        self.look_over(event.at);
        let event = self.told_apart(event);
        let key = Key::of(&event);
        let fresh = Entry {
            began_at: event.at,
            row: None,
            unwritten: None,
        };
        match self.entries.get_mut(&key) {
            Some(entry) if !entry.is_done(event.at) => entry.add(folded(event)),
            _ => self
                .entries
                .entry(key)
                .insert_entry(fresh)
                .get_mut()
                .add(folded(event)),
        }
    }

    /// Takes out what is to be written.
    pub(crate) fn unwritten(&mut self) -> Batch {
        let entries = self.entries.iter_mut();
        let unwritten = entries.filter_map(|(key, entry)| {
            let event = entry.unwritten.take()?;
            let onto = entry.row;
            Some((key.clone(), SecurityWrite { onto, event }))
        });
        unwritten.collect()
    }

    /// It was written, into these rows.
    pub(crate) fn written(&mut self, batch: Batch, rows: &[SecurityEventId]) {
        for ((key, _), row) in batch.into_iter().zip(rows) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.row = Some(*row);
            }
        }
    }

    /// It was not, and is to be written with what has happened since.
    pub(crate) fn not_written(&mut self, batch: Batch) {
        for (key, SecurityWrite { onto, event }) in batch {
            let entry = self.entries.entry(key).or_insert(Entry {
                began_at: event.first_seen,
                row: onto,
                unwritten: None,
            });
            entry.add(event);
        }
    }

    /// The event, or as one of all that are not told apart.
    fn told_apart(&self, mut event: SecurityEvent) -> SecurityEvent {
        let key = Key::of(&event);
        if self.entries.contains_key(&key) || self.of_kind(event.kind) < TOLD_APART_MAX {
            return event;
        }
        event.subject = Subject::others();
        (event.application, event.remote_address, event.sample) = (None, None, None);
        event.description =
            "there was more of this kind than is told apart: these are counted together".to_owned();
        event
    }

    fn of_kind(&self, kind: SecurityKind) -> usize {
        let from = self.entries.range(Key::first(kind)..);
        from.take_while(|(key, _)| key.kind == kind).count()
    }

    /// Forgets what is over and written.
    fn look_over(&mut self, now: Timestamp) {
        if between(self.looked_over_at, now) >= LOOKED_OVER_EVERY {
            self.looked_over_at = now;
            self.entries.retain(|_, entry| !entry.is_done(now));
        }
    }
}

impl Key {
    fn of(event: &SecurityEvent) -> Self {
        Self {
            kind: event.kind,
            subject: event.subject.clone(),
            network: event.remote_address.map(network),
        }
    }

    /// Before all others of a kind.
    fn first(kind: SecurityKind) -> Self {
        Self {
            kind,
            subject: Subject::new(SubjectKind::ALL[0], ""),
            network: None,
        }
    }
}

impl Entry {
    fn add(&mut self, event: FoldedEvent) {
        let Some(known) = &mut self.unwritten else {
            self.unwritten = Some(event);
            return;
        };
        known.count = known.count.saturating_add(event.count);
        // What could not be written is added after what has happened since.
        let (later, earlier) = match event.last_seen >= known.last_seen {
            true => (event.sample, known.sample.take()),
            false => (known.sample.take(), event.sample),
        };
        known.sample = later.or(earlier);
        known.first_seen = known.first_seen.min(event.first_seen);
        known.last_seen = known.last_seen.max(event.last_seen);
    }

    /// Whether all of it is written, and what happens from now on is another row's.
    fn is_done(&self, now: Timestamp) -> bool {
        self.unwritten.is_none() && between(self.began_at, now) >= WINDOW
    }
}

fn folded(event: SecurityEvent) -> FoldedEvent {
    let SecurityEvent { mut subject, .. } = event;
    subject.id = cut(subject.id);
    FoldedEvent {
        kind: event.kind,
        severity: event.kind.severity(),
        subject,
        application: event.application,
        remote_address: event.remote_address,
        count: 1,
        first_seen: event.at,
        last_seen: event.at,
        description: cut(event.description),
        sample: event.sample.as_deref().map(Sealed::copy_from_slice),
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text.replace('\0', "\u{fffd}")
}

/// Clocks are set back, too.
fn between(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests;
