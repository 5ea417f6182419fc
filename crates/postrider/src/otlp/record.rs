//! Which traces are recorded, and their steps until they are sent. To record one is to put it into
//! a bounded list; beyond that, it is dropped and counted.

use crate::config::Otlp;
use model::Entropy;
use model::entropy::{fraction, random};
use model::meter::Counter;
use model::trace::{Step, TraceParent};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// How many steps wait at the most: a second's, of a node that is busy.
const STEPS_MAX: usize = 8_192;
/// How many are sent at once.
pub(super) const AT_ONCE: usize = 512;

/// Records steps.
pub(crate) struct Recorder {
    /// The share of traces begun here that is recorded; 0: nothing at all is.
    share: f64,
    entropy: Arc<dyn Entropy>,
    steps: Mutex<Vec<Step>>,
    enough: Notify,
    dropped: Counter,
}

impl Recorder {
    /// As it is configured, if it is.
    pub(crate) fn of(otlp: Option<&Otlp>, entropy: Arc<dyn Entropy>) -> Option<Arc<Self>> {
        otlp.map(|otlp| {
            Arc::new(Self {
                share: otlp.traces,
                entropy,
                steps: Mutex::default(),
                enough: Notify::new(),
                dropped: Counter::default(),
            })
        })
    }

    /// Where a message is accepted that comes from there: what its sender records is gone on with,
    /// what it doesn't record stays so, and where it has no trace one may be begun.
    pub(crate) fn enter(&self, from: Option<TraceParent>) -> Option<TraceParent> {
        match from {
            from if self.share <= 0.0 => from,
            Some(from) if from.is_sampled() => Some(from.from_here(random(&*self.entropy))),
            Some(from) => Some(from),
            None if fraction(&*self.entropy) < self.share => {
                TraceParent::begin(random(&*self.entropy), random(&*self.entropy))
            }
            None => None,
        }
    }

    /// Takes a step of a trace that is recorded.
    pub(crate) fn record(&self, step: Step) {
        if self.share <= 0.0 {
            return;
        }
        let mut steps = self.steps.lock().expect("no holder panics");
        match steps.len() {
            ..STEPS_MAX => steps.push(step),
            _ => self.dropped.count(),
        }
        if steps.len() == AT_ONCE {
            self.enough.notify_one();
        }
    }

    /// How many were not sent.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// There are enough for a request.
    pub(super) async fn enough(&self) {
        self.enough.notified().await;
    }

    /// The next for a request.
    pub(super) fn take(&self) -> Vec<Step> {
        let mut steps = self.steps.lock().expect("no holder panics");
        let count = steps.len().min(AT_ONCE);
        steps.drain(..count).collect()
    }

    /// So many are on their way.
    pub(super) fn away(&self, steps: usize) -> Away<'_> {
        Away {
            recorder: self,
            steps,
        }
    }
}

/// Steps on their way: dropped unless they arrive.
pub(super) struct Away<'r> {
    recorder: &'r Recorder,
    steps: usize,
}

impl Away<'_> {
    pub(super) fn arrived(mut self) {
        self.steps = 0;
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        self.recorder.dropped.add(self.steps as u64);
    }
}
