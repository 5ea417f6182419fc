//! What the use cases tell others, taken down: the sender's side, and security events. And what
//! they get of the sender.

use async_trait::async_trait;
use bytes::Bytes;
use model::Timestamp;
use model::id::ApplicationKey;
use model::operational::{OperationalEvent, OperationalSink};
use model::security::{EventSink, SecurityEvent};
use model::trace::{Step, TraceParent};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use store::rows::{Claimed, MessageRow};
use store::{Fetched, Fetching, Fresh, Lane, Lanes, Place, StoreError};

/// What each accepted message is called in its trace.
pub(crate) const STEP: [u8; 8] = [9; 8];

/// Takes down security events, and steps of traces.
#[derive(Default)]
pub(crate) struct TestEvents(Mutex<Vec<SecurityEvent>>, Mutex<Vec<Step>>);

impl TestEvents {
    /// The steps of traces that it was told of since this was last asked.
    pub(crate) fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.1.lock().expect("nobody panics"))
    }

    /// What was reported since this was last asked.
    pub(crate) fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }

    /// The same, only the kinds.
    pub(crate) fn take_kinds(&self) -> Vec<&'static str> {
        let kind = |event: &SecurityEvent| event.kind.as_str();
        self.take().iter().map(kind).collect()
    }
}

impl EventSink for TestEvents {
    fn report(&self, event: SecurityEvent) {
        self.0.lock().expect("nobody panics").push(event);
    }

    fn enter(&self, from: Option<TraceParent>) -> Option<TraceParent> {
        from.map(|from| from.from_here(STEP))
    }

    fn step(&self, step: Step) {
        self.1.lock().expect("nobody panics").push(step);
    }
}

/// Takes down what the operator is to be told.
#[derive(Default)]
pub(crate) struct TestTold(Mutex<Vec<OperationalEvent>>);

impl TestTold {
    /// What happened since this was last asked.
    pub(crate) fn take(&self) -> Vec<OperationalEvent> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }

    /// The same, only the names.
    pub(crate) fn take_names(&self) -> Vec<&'static str> {
        let name = |event: &OperationalEvent| event.what.name();
        self.take().iter().map(name).collect()
    }
}

impl OperationalSink for TestTold {
    fn report(&self, event: OperationalEvent) {
        self.0.lock().expect("nobody panics").push(event);
    }
}

/// A sender that sends nothing, and knows what it was told.
#[derive(Default)]
pub(crate) struct TestLanes {
    told: Mutex<Told>,
    /// Places that were granted and not given back.
    granted: Arc<AtomicUsize>,
}

/// What lanes were told since it was last taken.
#[derive(Default)]
pub(crate) struct Told {
    /// How many places there are; `None`: enough.
    room: Option<usize>,
    handed: Vec<Handed>,
    pub(crate) waiting: Vec<(Lane, Timestamp)>,
    changed: Vec<ApplicationKey>,
    pub(crate) work: usize,
}

/// A delivery that was handed over.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) claimed: Claimed,
    pub(crate) payload: Bytes,
    pub(crate) place: Place,
}

impl TestLanes {
    /// From now on, this many places are granted at the most.
    pub(crate) fn limit(&self, room: usize) {
        self.lock().room = Some(room);
    }

    /// What was handed over since this was last asked.
    pub(crate) fn take(&self) -> Vec<Handed> {
        std::mem::take(&mut self.lock().handed)
    }

    /// The one delivery that was handed over since this was last asked.
    pub(crate) fn take_one(&self) -> Handed {
        let [one] = <[Handed; 1]>::try_from(self.take())
            .unwrap_or_else(|all| panic!("{} were handed over", all.len()));
        one
    }

    /// How many changes of applications it was told of since this was last asked.
    pub(crate) fn take_changed(&self) -> usize {
        std::mem::take(&mut self.lock().changed).len()
    }

    /// How many places are in use.
    pub(crate) fn granted(&self) -> usize {
        self.granted.load(Ordering::Relaxed)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("nobody panics")
    }
}

impl Lanes for TestLanes {
    fn grant(&self, _: Lane, _: bool) -> Option<Place> {
        if self.lock().room.is_some_and(|room| self.granted() >= room) {
            return None;
        }
        self.granted.fetch_add(1, Ordering::Relaxed);
        Some(Place::new(Granted(self.granted.clone())))
    }

    fn hand_over(&self, claimed: Claimed, fresh: Fresh, place: Place) {
        self.lock().handed.push(Handed {
            claimed,
            payload: fresh.payload,
            place,
        });
    }

    fn waiting(&self, lane: Lane, due: Timestamp) {
        self.lock().waiting.push((lane, due));
    }

    fn changed(&self, application: ApplicationKey) {
        self.lock().changed.push(application);
    }

    fn work(&self) {
        self.lock().work += 1;
    }
}

struct Granted(Arc<AtomicUsize>);

impl Drop for Granted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A sender that makes of each payload a text that says whose it is.
pub(crate) struct TestFetching;

#[async_trait]
impl Fetching for TestFetching {
    async fn fetched(
        &self,
        lane: Lane,
        message: MessageRow,
    ) -> Result<Option<Fetched>, StoreError> {
        let id = message.message.id.to_string();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(Some(Fetched {
            headers: vec![
                header("webhook-id", &id),
                header("content-type", "application/jose"),
            ],
            body: format!(r#"{{"of":"{id}","for":"{:?}"}}"#, lane.endpoint).into(),
        }))
    }
}
