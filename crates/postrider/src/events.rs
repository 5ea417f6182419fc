//! Where security events go: to `watch`, which keeps them and looks for what is far from usual, and
//! into the log. There, a flood of one kind becomes one line a second with a count, so that whoever
//! causes it can't fill the disk. Steps of traces go to whoever records them, if anybody does.

use crate::otlp::Recorder;
use model::Timestamp;
use model::meter::Counter;
use model::security::{EventSink, SecurityEvent, SecurityKind, Severity, Subject};
use model::trace::{Step, TraceParent};
use model::witness::Witnessed;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use watch::{Detector, Keeper};

/// How long a kind is silent after it was logged.
const SILENCE: Duration = Duration::from_secs(1);

/// Passes security events on. Made within a runtime.
pub(crate) struct Events {
    log: EventLog,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) detector: Arc<Detector>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    counts: Counts,
}

/// How many there were of each kind.
struct Counts([Counter; SecurityKind::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl Events {
    /// `detects`: whether any rule of detection is on.
    pub(crate) fn new(detects: bool, recorder: Option<Arc<Recorder>>) -> Self {
        Self {
            log: EventLog::default(),
            keeper: Arc::default(),
            detector: Arc::new(Detector::new(detects)),
            recorder,
            counts: Counts::default(),
        }
    }

    /// How many events of a kind there were.
    pub(crate) fn count(&self, kind: SecurityKind) -> u64 {
        self.counts.0[kind as usize].get()
    }
}

impl EventSink for Events {
    fn report(&self, event: SecurityEvent) {
        self.log.take(&event);
        self.counts.0[event.kind as usize].count();
        self.detector.take(&event);
        self.keeper.report(event);
    }

    fn witness(&self, what: Witnessed<'_>, at: Timestamp) {
        self.detector.witness(what, at);
    }

    fn enter(&self, from: Option<TraceParent>) -> Option<TraceParent> {
        match &self.recorder {
            Some(recorder) => recorder.enter(from),
            None => from,
        }
    }

    fn step(&self, step: Step) {
        if let Some(recorder) = &self.recorder {
            recorder.record(step);
        }
    }
}

/// Logs security events.
struct EventLog {
    kinds: Arc<Kinds>,
    /// What counts the last of a flood, when no further event does.
    runtime: Option<Handle>,
}

/// What each kind has done lately.
#[derive(Default)]
struct Kinds(Mutex<HashMap<SecurityKind, Recent>>);

struct Recent {
    logged_at: Timestamp,
    unlogged: u64,
}

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It is logged, and so many of its kind were passed over since the last.
    Logged { unlogged: u64 },
    /// It is passed over, as the first since the last of its kind was logged.
    FirstPassedOver,
    /// It is passed over like others before it.
    PassedOver,
}

/// Within a runtime, which logs what is left of a flood when it is over.
impl Default for EventLog {
    fn default() -> Self {
        Self {
            kinds: Arc::default(),
            runtime: Handle::try_current().ok(),
        }
    }
}

impl EventLog {
    fn take(&self, event: &SecurityEvent) {
        match (self.kinds.fate(event), &self.runtime) {
            (Fate::Logged { unlogged }, _) => log(event, unlogged),
            (Fate::FirstPassedOver, Some(runtime)) => {
                let (kinds, kind) = (Arc::clone(&self.kinds), event.kind);
                runtime.spawn(async move {
                    tokio::time::sleep(SILENCE).await;
                    kinds.log_rest(kind);
                });
            }
            (Fate::FirstPassedOver, None) | (Fate::PassedOver, _) => {}
        }
    }
}

impl Kinds {
    fn fate(&self, event: &SecurityEvent) -> Fate {
        let mut kinds = self.0.lock().expect("no holder panics");
        let Some(recent) = kinds.get_mut(&event.kind) else {
            let recent = Recent {
                logged_at: event.at,
                unlogged: 0,
            };
            kinds.insert(event.kind, recent);
            return Fate::Logged { unlogged: 0 };
        };
        // A clock that was set back must not silence a kind for longer.
        if event.at >= recent.logged_at && event.at.since(recent.logged_at) < SILENCE {
            recent.unlogged += 1;
            return match recent.unlogged {
                1 => Fate::FirstPassedOver,
                _ => Fate::PassedOver,
            };
        }
        recent.logged_at = event.at;
        let unlogged = std::mem::take(&mut recent.unlogged);
        Fate::Logged { unlogged }
    }

    /// Logs how many were passed over since the last that was logged, unless that was said.
    fn log_rest(&self, kind: SecurityKind) {
        if let Some((at, unlogged)) = self.take_rest(kind) {
            let text = "more of this kind, which were not logged one by one";
            log(
                &SecurityEvent::new(kind, Subject::others(), at, text),
                unlogged,
            );
        }
    }

    fn take_rest(&self, kind: SecurityKind) -> Option<(Timestamp, u64)> {
        let mut kinds = self.0.lock().expect("no holder panics");
        let recent = kinds.get_mut(&kind).filter(|recent| recent.unlogged > 0)?;
        // That line is one of the kind too, and begins a silence.
        recent.logged_at = recent.logged_at.plus(SILENCE);
        Some((recent.logged_at, std::mem::take(&mut recent.unlogged)))
    }
}

fn log(event: &SecurityEvent, unlogged: u64) {
    let (kind, subject) = (event.kind.as_str(), event.subject.id.as_str());
    let remote = event.remote_address.map(|address| address.to_string());
    let remote = remote.as_deref().unwrap_or("-");
    let description = event.description.as_str();
    match event.kind.severity() {
        Severity::Info => tracing::info!(kind, subject, remote, unlogged, "{description}"),
        Severity::Warning => tracing::warn!(kind, subject, remote, unlogged, "{description}"),
        Severity::Critical => tracing::error!(kind, subject, remote, unlogged, "{description}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn event(kind: SecurityKind, millis: i64) -> SecurityEvent {
        let at = Timestamp::from_micros(millis * 1_000);
        SecurityEvent::new(kind, Subject::others(), at, "")
    }

    #[test]
    fn a_flood_of_one_kind_is_one_line_a_second_and_hides_no_other_kind() {
        let kinds = Kinds::default();
        let at = |kind, millis| kinds.fate(&event(kind, millis));
        let logged = |unlogged| Fate::Logged { unlogged };
        assert_eq!(at(SecurityKind::AuthenticationFailed, 0), logged(0));
        assert_eq!(
            at(SecurityKind::AuthenticationFailed, 10),
            Fate::FirstPassedOver
        );
        assert_eq!(
            at(SecurityKind::AuthenticationFailed, 999),
            Fate::PassedOver
        );
        assert_eq!(at(SecurityKind::SecretRead, 999), logged(0));
        assert_eq!(at(SecurityKind::AuthenticationFailed, 1_000), logged(2));
        assert_eq!(at(SecurityKind::AuthenticationFailed, 500), logged(0));
    }

    /// What was logged on this thread.
    #[derive(Default)]
    struct Lines(Mutex<Vec<u8>>);

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for &Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_of_a_flood_are_counted_although_none_follows() {
        let lines = Arc::new(Lines::default());
        let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone());
        let _guard = tracing::subscriber::set_default(subscriber.finish());
        let log = EventLog::default();
        for millis in 0..100 {
            log.take(&event(SecurityKind::AuthenticationFailed, millis));
        }
        assert_eq!(lines.text().lines().count(), 1, "{}", lines.text());
        tokio::time::sleep(SILENCE * 3).await;
        let text = lines.text();
        assert!(text.contains("\"unlogged\":99"), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
