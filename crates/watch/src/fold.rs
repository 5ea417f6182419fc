//! Folds security events: those of one kind, subject and remote network (the /24 of an IPv4
//! address, the /64 of an IPv6 address) are one for a while. Pure.
//!
//! It is bounded three times over, and nothing is left out of the count. A subject has so many open
//! folds; what comes beyond is a counter for each kind, so that nobody who floods a subject hides
//! what else happens to it. A kind has so many over all subjects; what comes beyond is one counter,
//! so that whoever floods one kind hides no other. And samples together hold so many bytes.

use model::Timestamp;
use model::address::neighbourhood;
use model::id::SecurityEventId;
use model::security::{SecurityEvent, SecurityKind, Subject};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::ops::Bound;
use std::time::Duration;
use store::Sealed;
use store::security::{FoldedEvent, SecurityWrite};

/// For so long equal events are one row: a flood that goes on leaves six an hour.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// How often is looked for what is older than that.
const LOOKED_OVER_EVERY: Duration = Duration::from_secs(1);
/// Longer texts are cut off: whoever reports writes a sentence, but others' words may be in it.
const TEXT_BYTES_MAX: usize = 1_000;
/// So many are handed to the store at a time: they share a commit with what others wait for.
pub(crate) const BATCH_MAX: usize = 256;

/// How much is told apart within the window, and held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Of a subject.
    pub(crate) of_subject: usize,
    /// Of a kind. There are some 25 kinds, and a fold of which nothing is to be written takes some
    /// 300 bytes.
    pub(crate) of_kind: usize,
    /// Samples that are not written yet.
    pub(crate) sample_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            of_subject: 1_000,
            of_kind: 2_048,
            sample_bytes: 8 * 1_024 * 1_024,
        }
    }
}

/// What has happened lately.
#[derive(Default)]
pub(crate) struct Folding {
    bounds: Bounds,
    entries: BTreeMap<Key, Entry>,
    of_subjects: HashMap<Subject, usize>,
    of_kinds: HashMap<SecurityKind, usize>,
    sample_bytes: usize,
    looked_over_at: Timestamp,
    /// Up to where the last batch came.
    handed_over: Option<Key>,
}

/// What is to be written, in order.
pub(crate) type Batch = Vec<(Key, SecurityWrite)>;

/// What makes events equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    kind: SecurityKind,
    subject: Subject,
    network: Option<IpAddr>,
    /// Of what detection found, the rule that found it: there are few.
    rule: String,
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
    pub(crate) fn take(&mut self, mut event: SecurityEvent) {
        self.look_over(event.at);
        event.subject.id = cut(event.subject.id);
        let (key, mut event) = self.told_apart(event);
        let sample = event.sample.as_ref().map_or(0, |sample| sample.len());
        if self.sample_bytes.saturating_add(sample) > self.bounds.sample_bytes {
            event.sample = None;
        }
        let fresh = Entry::since(event.at);
        let known = self.entries.get_mut(&key);
        if let Some(entry) = known.filter(|entry| entry.is_done(event.at)) {
            *entry = fresh;
        }
        self.add(key, folded(event), None);
    }

    /// Takes out what is to be written, one batch of it. `true`: there may be more.
    pub(crate) fn unwritten(&mut self) -> (Batch, bool) {
        let from = self.handed_over.take();
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let entries = self.entries.range_mut((from, Bound::Unbounded));
        let unwritten = entries.filter_map(|(key, entry)| {
            let event = entry.unwritten.take()?;
            let onto = entry.row;
            Some((key.clone(), SecurityWrite { onto, event }))
        });
        let batch: Batch = unwritten.take(BATCH_MAX).collect();
        let samples = batch.iter().map(|(_, write)| sample_bytes(&write.event));
        self.sample_bytes = self.sample_bytes.saturating_sub(samples.sum());
        let is_full = batch.len() == BATCH_MAX;
        if is_full {
            self.handed_over = batch.last().map(|(key, _)| key.clone());
        }
        (batch, is_full)
    }

    /// What is to be written next, left where it is.
    pub(crate) fn waiting(&self) -> Batch {
        let entries = self.entries.iter();
        let waiting = entries.filter_map(|(key, entry)| {
            let (event, onto) = (entry.unwritten.clone()?, entry.row);
            Some((key.clone(), SecurityWrite { onto, event }))
        });
        waiting.collect()
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
        self.handed_over = None;
        for (key, SecurityWrite { onto, event }) in batch {
            self.add(key, event, onto);
        }
    }

    /// The event with its key, or as one of all that are not told apart.
    fn told_apart(&self, mut event: SecurityEvent) -> (Key, SecurityEvent) {
        let key = Key::of(&event);
        let counter = Key {
            network: None,
            ..key.clone()
        };
        let is_kind_full = count(&self.of_kinds, &event.kind) >= self.bounds.of_kind;
        let is_subject_full = count(&self.of_subjects, &event.subject) >= self.bounds.of_subject;
        if self.entries.contains_key(&key) || !(is_kind_full || is_subject_full) {
            return (key, event);
        }
        (event.remote_address, event.sample) = (None, None);
        event.description =
            "there was more of this kind than is told apart: these are counted together".to_owned();
        if !is_kind_full || self.entries.contains_key(&counter) {
            return (counter, event);
        }
        (event.subject, event.application) = (Subject::others(), None);
        (Key::of(&event), event)
    }

    /// Adds to a fold, or begins one, which is that of a row.
    fn add(&mut self, key: Key, event: FoldedEvent, onto: Option<SecurityEventId>) {
        if !self.entries.contains_key(&key) {
            *self.of_kinds.entry(key.kind).or_default() += 1;
            *self.of_subjects.entry(key.subject.clone()).or_default() += 1;
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            row: onto,
            ..Entry::since(event.first_seen)
        });
        let before = entry.sample_bytes();
        entry.add(event);
        self.sample_bytes = (self.sample_bytes + entry.sample_bytes()).saturating_sub(before);
    }

    /// Forgets what is over and written.
    fn look_over(&mut self, now: Timestamp) {
        if between(self.looked_over_at, now) < LOOKED_OVER_EVERY {
            return;
        }
        self.looked_over_at = now;
        let (of_kinds, of_subjects) = (&mut self.of_kinds, &mut self.of_subjects);
        self.entries.retain(|key, entry| {
            let is_done = entry.is_done(now);
            if is_done {
                one_less(of_kinds, &key.kind);
                one_less(of_subjects, &key.subject);
            }
            !is_done
        });
    }
}

fn count<K: std::hash::Hash + Eq>(counts: &HashMap<K, usize>, of: &K) -> usize {
    counts.get(of).copied().unwrap_or_default()
}

fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

impl Key {
    fn of(event: &SecurityEvent) -> Self {
        Self {
            kind: event.kind,
            subject: event.subject.clone(),
            network: event.remote_address.map(neighbourhood),
            rule: match (event.kind, event.description.split_once(':')) {
                (SecurityKind::TrafficAnomaly, Some((rule, _))) => cut(rule.to_owned()),
                _ => String::new(),
            },
        }
    }
}

impl Entry {
    fn since(began_at: Timestamp) -> Self {
        Self {
            began_at,
            row: None,
            unwritten: None,
        }
    }

    fn sample_bytes(&self) -> usize {
        self.unwritten.as_ref().map_or(0, sample_bytes)
    }

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
    FoldedEvent {
        kind: event.kind,
        severity: event.kind.severity(),
        subject: event.subject,
        application: event.application,
        remote_address: event.remote_address,
        count: 1,
        first_seen: event.at,
        last_seen: event.at,
        description: cut(event.description),
        sample: event.sample.as_deref().map(Sealed::copy_from_slice),
    }
}

fn sample_bytes(event: &FoldedEvent) -> usize {
    event.sample.as_ref().map_or(0, Sealed::len)
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
mod bounds;
#[cfg(test)]
mod tests;
