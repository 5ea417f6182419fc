//! Schemas of event types in memory, each compiled once for each time that its event type was
//! saved. Bounded by number and by memory: what was used longest ago goes.
//!
//! Staleness: what changes on this node is looked at again before the change is acknowledged; what
//! changed on another node, when an entry is older than [`AGE_MAX`]. To look again is to read a
//! row; it is compiled again only if it was saved since.

use crate::App;
use crate::event_types::newest;
use crate::schema::Schema;
use lru::LruCache;
use model::Timestamp;
use model::event_type::EventType;
use model::name::Name;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::StoreError;
use store::registry::AGE_MAX;

/// The most event types in memory.
const TYPES_MAX: usize = 2_048;
/// About how much memory their schemas may take.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many reads may be under way: those of one event type wait for each other.
const FLIGHTS: usize = 16;

/// What messages of an event type are held against.
#[derive(Debug, Clone)]
pub(super) enum Standard {
    /// Nothing: it is unknown or archived, or has no schema.
    Nothing,
    /// This.
    Schema(Arc<Versioned>),
    /// A schema that can't be used, and why.
    Unusable(Arc<str>),
}

/// A schema with its version.
#[derive(Debug)]
pub(super) struct Versioned {
    pub(super) version: String,
    pub(super) schema: Schema,
}

/// See the file's head.
pub(super) struct Kept {
    state: Mutex<State>,
    flights: [tokio::sync::Mutex<()>; FLIGHTS],
}

struct State {
    entries: LruCache<Name, Entry>,
    bytes: usize,
    /// Grows with each change on this node.
    changes: u64,
}

struct Entry {
    standard: Standard,
    /// When its event type was saved; `None`: there was none.
    saved_at: Option<Timestamp>,
    read_at: Duration,
    /// The changes that were known when it was read.
    changes: u64,
}

impl Default for Kept {
    fn default() -> Self {
        let types_max = NonZeroUsize::new(TYPES_MAX).expect("there may be some");
        let state = State {
            entries: LruCache::new(types_max),
            bytes: 0,
            changes: 0,
        };
        Self {
            state: Mutex::new(state),
            flights: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }
}

impl Kept {
    /// All is looked at again.
    pub(super) fn forget(&self) {
        self.lock().changes += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// What messages of this event type are held against now.
    pub(super) async fn standard(&self, event_type: &Name) -> Result<Standard, StoreError> {
        let kept = &self.environment.kept;
        let fresh = || kept.lock().fresh(event_type, self.clock.monotonic());
        if let Some(standard) = fresh() {
            return Ok(standard);
        }
        let flight = event_type.as_str().bytes().map(usize::from).sum::<usize>() % FLIGHTS;
        let _flight = kept.flights[flight].lock().await;
        if let Some(standard) = fresh() {
            return Ok(standard);
        }
        let changes = kept.lock().changes;
        let read_at = self.clock.monotonic();
        let names = std::slice::from_ref(event_type);
        let found = self.store.event_types_named(names).await?.pop();
        let saved_at = found.as_ref().map(|found| found.updated_at);
        let known = kept.lock().known(event_type, saved_at);
        let standard = known.unwrap_or_else(|| Standard::of(found));
        let entry = Entry {
            standard: standard.clone(),
            saved_at,
            read_at,
            changes,
        };
        kept.lock().put(event_type.clone(), entry);
        Ok(standard)
    }
}

impl State {
    fn fresh(&mut self, event_type: &Name, now: Duration) -> Option<Standard> {
        let changes = self.changes;
        let entry = self.entries.get(event_type)?;
        let is_fresh = entry.changes == changes && now.saturating_sub(entry.read_at) <= AGE_MAX;
        is_fresh.then(|| entry.standard.clone())
    }

    /// The same as long as the event type was not saved again.
    fn known(&self, event_type: &Name, saved_at: Option<Timestamp>) -> Option<Standard> {
        let entry = self.entries.peek(event_type)?;
        (entry.saved_at == saved_at).then(|| entry.standard.clone())
    }

    fn put(&mut self, event_type: Name, entry: Entry) {
        self.bytes += entry.standard.bytes();
        // The one that it takes the place of, or the one that was used longest ago.
        if let Some((_, entry)) = self.entries.push(event_type, entry) {
            self.bytes -= entry.standard.bytes();
        }
        while self.bytes > BYTES_MAX
            && let Some((_, entry)) = self.entries.pop_lru()
        {
            self.bytes -= entry.standard.bytes();
        }
    }
}

impl Standard {
    /// Of an event type: its newest schema.
    fn of(event_type: Option<EventType>) -> Self {
        let live = event_type.filter(|event_type| !event_type.archived);
        let Some(schemas) = live.and_then(|event_type| event_type.schemas) else {
            return Self::Nothing;
        };
        let Ok(schemas) = serde_json::from_str::<BTreeMap<String, &RawValue>>(&schemas) else {
            return Self::Unusable("its schemas can't be read".into());
        };
        let Some(version) = newest(schemas.keys()) else {
            return Self::Nothing;
        };
        let compiled = serde_json::from_str::<Value>(schemas[version].get())
            .map_err(|error| error.to_string())
            .and_then(|schema| Schema::compile(&schema).map_err(|error| error.to_string()));
        match compiled {
            Ok(schema) => Self::Schema(Arc::new(Versioned {
                version: version.clone(),
                schema,
            })),
            Err(reason) => Self::Unusable(format!("in version {version} {reason}").into()),
        }
    }

    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        const SMALL: usize = 1_024;
        SMALL
            + match self {
                Self::Nothing => 0,
                Self::Schema(versioned) => versioned.schema.bytes(),
                Self::Unusable(reason) => reason.len(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().expect("tests use valid words")
    }

    fn entry(standard: Standard, saved_at: i64, read_at: Duration) -> Entry {
        Entry {
            standard,
            saved_at: Some(Timestamp::from_seconds(saved_at)),
            read_at,
            changes: 0,
        }
    }

    fn schema(bytes: usize) -> Standard {
        let schema = serde_json::json!({ "title": "x".repeat(bytes) });
        Standard::Schema(Arc::new(Versioned {
            version: "1".to_owned(),
            schema: Schema::compile(&schema).expect("it is one"),
        }))
    }

    #[test]
    fn an_entry_is_used_until_its_age_or_a_change_and_then_if_it_was_not_saved_again() {
        let kept = Kept::default();
        let (paid, read_at) = (name("order.paid"), Duration::from_secs(5));
        kept.lock()
            .put(paid.clone(), entry(Standard::Nothing, 7, read_at));
        let fresh = |now: Duration| kept.lock().fresh(&paid, now).is_some();
        assert!(fresh(read_at + AGE_MAX));
        assert!(!fresh(read_at + AGE_MAX + Duration::from_millis(1)));
        kept.forget();
        assert!(!fresh(read_at));
        let known = |saved_at| kept.lock().known(&paid, saved_at).is_some();
        assert!(known(Some(Timestamp::from_seconds(7))));
        assert!(!known(Some(Timestamp::from_seconds(8))));
        assert!(!known(None));
    }

    #[test]
    fn memory_is_bounded_and_counted() {
        let kept = Kept::default();
        let large = schema(crate::schema::SCHEMA_BYTES_MAX - 100);
        for round in 0..3 {
            for number in 0..100 {
                let entry = entry(large.clone(), round, Duration::ZERO);
                kept.lock().put(name(&format!("t{number}")), entry);
                assert!(kept.lock().bytes <= BYTES_MAX);
            }
        }
        let mut state = kept.lock();
        let held: usize = state
            .entries
            .iter()
            .map(|(_, entry)| entry.standard.bytes())
            .sum();
        assert_eq!(state.bytes, held);
        assert!((2..100).contains(&state.entries.len()));
        for number in 0..2 * TYPES_MAX {
            let entry = entry(Standard::Nothing, 0, Duration::ZERO);
            state.put(name(&format!("u{number}")), entry);
        }
        assert_eq!(state.entries.len(), TYPES_MAX);
        let held: usize = state
            .entries
            .iter()
            .map(|(_, entry)| entry.standard.bytes())
            .sum();
        assert_eq!(state.bytes, held);
    }

    #[test]
    fn a_schema_is_that_of_the_newest_version_of_a_live_event_type() {
        let of = |schemas: Option<&str>, archived| {
            Standard::of(Some(EventType {
                name: name("order.paid"),
                description: String::new(),
                archived,
                deprecated: true,
                schemas: schemas.map(str::to_owned),
                sensitive: Vec::new(),
                feature_flags: Vec::new(),
                group_name: None,
                created_at: Timestamp::MIN,
                updated_at: Timestamp::MIN,
            }))
        };
        let two = Some(r#"{"9":true,"10":{"type":"object"}}"#);
        assert!(matches!(of(two, false), Standard::Schema(found) if found.version == "10"));
        assert!(matches!(of(two, true), Standard::Nothing));
        assert!(matches!(of(None, false), Standard::Nothing));
        assert!(matches!(of(Some("{}"), false), Standard::Nothing));
        assert!(matches!(Standard::of(None), Standard::Nothing));
        for bad in [
            r#"{"1":{"type":7}}"#,
            "[]",
            r#"{"1":{"$ref":"https://example.com"}}"#,
        ] {
            assert!(
                matches!(of(Some(bad), false), Standard::Unusable(_)),
                "{bad}"
            );
        }
    }
}
