//! Runs detection within the process: takes what is observed, without making anybody wait, and
//! gives it to the rules in an order of its own; reports what they find; and keeps what they have
//! learnt in the store.
//!
//! What comes faster than it is looked at is left out and counted. What strangers cause waits in a
//! queue of its own, so that a flood of it leaves room for the rest. Each node judges what it has
//! seen itself.
//!
//! Map: `gathered` (what is counted until a minute is over) · `running` (the loop's state).

mod gathered;
mod running;

use crate::detect::{Config, Finding, Observation};
use gathered::{Doer, Followed, Gathered, Of};
use model::id::ApplicationKey;
use model::security::{EventSink, SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::witness::Witnessed;
use model::{Clock, Timestamp};
use running::Running;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use store::{Registry, Store};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// So much that strangers cause may wait, and so much of the rest.
const WAITING_MAX: usize = 4_096;
/// How often it looks at the clock.
const PERIOD: Duration = Duration::from_secs(1);

/// Takes what is observed. See the file's head.
pub struct Detector {
    is_on: bool,
    from_strangers: Sender<Observation>,
    from_others: Sender<Observation>,
    gathered: Mutex<Gathered>,
    missed: AtomicU64,
    /// Until it runs.
    waiting: Mutex<Option<Waiting>>,
}

struct Waiting {
    from_strangers: Receiver<Observation>,
    from_others: Receiver<Observation>,
}

/// What it works with.
pub struct Surroundings {
    /// Where what was learnt is kept.
    pub store: Arc<dyn Store>,
    /// Tells applications' ids.
    pub registry: Arc<Registry>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where findings are reported.
    pub events: Arc<dyn EventSink>,
    /// What is done about them.
    pub responses: Arc<dyn Respond>,
}

/// What is done about findings by itself.
pub trait Respond: Send + Sync {
    /// Does what is to be done about one, or begins it, and says what: it stands in the event.
    fn respond(&self, finding: &Finding) -> Option<String>;

    /// Time has come on.
    fn pass(&self);
}

impl Detector {
    /// One that takes what is observed, or, where no rule is on, nothing.
    pub fn new(is_on: bool) -> Self {
        let (from_strangers, strangers) = channel(WAITING_MAX);
        let (from_others, others) = channel(WAITING_MAX);
        Self {
            is_on,
            from_strangers,
            from_others,
            gathered: Mutex::default(),
            missed: AtomicU64::new(0),
            waiting: Mutex::new(Some(Waiting {
                from_strangers: strangers,
                from_others: others,
            })),
        }
    }

    /// Takes a security event.
    pub fn take(&self, event: &SecurityEvent) {
        // What was found is not looked at again.
        if !self.is_on || event.kind == SecurityKind::TrafficAnomaly {
            return;
        }
        let is_strange = event.kind.is_of_ingest()
            || matches!(
                event.kind,
                SecurityKind::AuthenticationFailed | SecurityKind::RevokedKeyUsed
            );
        let queue = match is_strange {
            true => &self.from_strangers,
            false => &self.from_others,
        };
        let event = SecurityEvent {
            sample: None,
            ..event.clone()
        };
        self.put(queue, Observation::Event(event));
    }

    /// Takes what is ordinary.
    pub fn witness(&self, what: Witnessed<'_>, at: Timestamp) {
        if !self.is_on {
            return;
        }
        let has_room = match what {
            Witnessed::Requested { source, refused } => {
                self.gathered().count(Of::Source(source), refused)
            }
            Witnessed::Attempted {
                application,
                failed,
            } => {
                let of = Of::Application(application);
                self.gathered().count(of, failed)
            }
            Witnessed::Exported {
                application,
                by,
                count,
            } => {
                let doer = doer(by, application, true);
                self.gathered().count_bulk(doer, count)
            }
            Witnessed::Resent { application, by } => {
                let doer = doer(by, Some(application), false);
                self.gathered().count_bulk(doer, 1)
            }
            Witnessed::ResendingMany {
                application,
                by,
                task,
            } => self.gathered().follow(Followed {
                task,
                doer: doer(by, Some(application), false),
                told: 0,
            }),
            Witnessed::CameIn {
                source,
                event_type,
                address,
            } if !self.gathered().is_new(source, event_type, address) => true,
            Witnessed::CameIn { .. }
            | Witnessed::Destination { .. }
            | Witnessed::SecretRead { .. } => {
                if let Some(observation) = observation(what, at) {
                    self.put(&self.from_others, observation);
                }
                true
            }
        };
        self.missed
            .fetch_add(u64::from(!has_room), Ordering::Relaxed);
    }

    /// Gives what is observed to the rules until it is stopped, and what waits then; then keeps
    /// what was learnt. It runs once.
    pub async fn run(&self, around: Surroundings, config: Config, stop: CancellationToken) {
        let waiting = self.waiting.lock().expect(NO_PANIC).take();
        let Some(mut waiting) = waiting.filter(|_| self.is_on) else {
            return;
        };
        let begun = stop.run_until_cancelled(Running::begin(around, config));
        let Some(mut running) = begun.await else {
            return;
        };
        let mut period = tokio::time::interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = period.tick() => running.look_at_clock(self).await,
                Some(one) = waiting.from_others.recv() => running.observe(one),
                Some(one) = waiting.from_strangers.recv() => running.observe(one),
            }
        }
        // Whoever stops it tells nothing any more: what waits is the end of what there was.
        for queue in [&mut waiting.from_others, &mut waiting.from_strangers] {
            let waits = std::iter::from_fn(|| queue.try_recv().ok());
            waits.take(WAITING_MAX).for_each(|one| running.observe(one));
        }
        running.end(self).await;
    }

    fn put(&self, queue: &Sender<Observation>, observation: Observation) {
        if queue.try_send(observation).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nothing panics while it holds this lock";

fn doer(by: &str, application: Option<ApplicationKey>, is_export: bool) -> Doer {
    Doer {
        by: by.to_owned(),
        application,
        is_export,
    }
}

/// What is told at once, as the rules are told it.
fn observation(what: Witnessed<'_>, at: Timestamp) -> Option<Observation> {
    Some(match what {
        Witnessed::CameIn {
            source,
            event_type,
            address,
        } => Observation::CameIn {
            source: Subject::new(SubjectKind::Source, source),
            event_type: Some(event_type.clone()),
            address,
            at,
        },
        Witnessed::Destination {
            endpoint,
            application,
            host,
            changed,
        } => Observation::Destination {
            endpoint: Subject::endpoint(endpoint),
            application,
            host: host.to_owned(),
            changed,
            at,
        },
        Witnessed::SecretRead {
            endpoint,
            application,
            by,
        } => Observation::SecretRead {
            endpoint: Subject::endpoint(endpoint),
            application: Some(application),
            by: by.to_owned(),
            at,
        },
        Witnessed::Requested { .. }
        | Witnessed::Attempted { .. }
        | Witnessed::Exported { .. }
        | Witnessed::Resent { .. }
        | Witnessed::ResendingMany { .. } => return None,
    })
}
