//! What the operator is told, taken down.

use model::operational::{Happened, OperationalEvent, OperationalSink};
use std::sync::Mutex;

/// Keeps what is told.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<OperationalEvent>>);

impl OperationalSink for Told {
    fn report(&self, event: OperationalEvent) {
        self.0.lock().expect("no panic under it").push(event);
    }
}

impl Told {
    pub(crate) fn all(&self) -> Vec<Happened> {
        let told = self.0.lock().expect("no panic under it");
        told.iter().map(|event| event.what.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.all().iter().map(Happened::name).collect()
    }
}
