//! What the engine reports, kept: security events, and the steps of traces.

use model::security::{EventSink, SecurityEvent, SecurityKind};
use model::trace::Step;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

/// Keeps what is reported.
#[derive(Default)]
pub(crate) struct Reports {
    events: Mutex<Vec<SecurityEvent>>,
    steps: Mutex<Vec<Step>>,
}

impl EventSink for Reports {
    fn report(&self, event: SecurityEvent) {
        self.events().push(event);
    }

    fn step(&self, step: Step) {
        self.steps.lock().expect("no panic under it").push(step);
    }
}

impl Reports {
    /// The steps of traces, in the order of their end.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.steps.lock().expect("no panic under it").clone()
    }

    pub(crate) fn kinds(&self) -> Vec<SecurityKind> {
        self.events().iter().map(|event| event.kind).collect()
    }

    pub(crate) fn subjects(&self) -> BTreeSet<String> {
        let events = self.events();
        events
            .iter()
            .map(|event| event.subject.id.clone())
            .collect()
    }

    fn events(&self) -> MutexGuard<'_, Vec<SecurityEvent>> {
        self.events.lock().expect("no panic under it")
    }
}
