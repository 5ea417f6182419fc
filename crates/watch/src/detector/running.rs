//! Detection while it runs: what it is given, minute by minute, and what it has learnt from one
//! start to the next.

use super::gathered::{Followed, Minute, Of};
use super::{Detector, Surroundings};
use crate::detect::{Config, Detection, Finding, Observation, Traffic};
use model::id::ApplicationKey;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Chain, Timestamp};
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::StoreError;
use store::change::{Change, ChangeError, ChangeRequest, SettingsChange};
use store::rows::ApplicationRef;
use store::work::WorkState;

/// Under this name what was learnt is kept. Nodes that share a store share it: one that starts goes
/// on from what was kept last, whoever kept it. Nothing is merged, and nobody reads it but then.
const LEARNT: &str = "detection";
/// How often it is kept.
const KEPT_EVERY: Duration = Duration::from_secs(3_600);
/// More than this is not kept.
const LEARNT_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// How often types and networks may be told of again, that were told of before.
const TOLD_AGAIN_EVERY: Duration = Duration::from_secs(86_400);
/// The pause after the store could not be read.
const REST: Duration = Duration::from_secs(1);
const MINUTE_SECONDS: i64 = 60;

/// See the file's head.
pub(super) struct Running {
    around: Surroundings,
    detection: Detection,
    /// The minute that is under way: its beginning.
    minute: Timestamp,
    followed: Vec<Followed>,
    kept_at: Duration,
    told_at: Duration,
}

impl Running {
    /// Goes on from what was learnt before.
    pub(super) async fn begin(around: Surroundings, config: Config) -> Self {
        let learnt = loop {
            match around.store.setting(LEARNT).await {
                Ok(learnt) => break learnt,
                Err(error) => {
                    tracing::warn!("what detection has learnt can't be read: {}", Chain(&error))
                }
            }
            tokio::time::sleep(REST).await;
        };
        let restored = learnt.map(|learnt| Detection::restore(config.clone(), &learnt));
        let detection = restored.unwrap_or_else(|| Ok(Detection::new(config.clone())));
        let detection = detection.unwrap_or_else(|error| {
            tracing::warn!("detection begins to learn anew: {error}");
            Detection::new(config)
        });
        let now = around.clock.monotonic();
        Self {
            minute: minute_of(around.clock.now()),
            around,
            detection,
            followed: Vec::new(),
            kept_at: now,
            told_at: now,
        }
    }

    /// Gives the rules what was observed.
    pub(super) fn observe(&mut self, observation: Observation) {
        let found = self.detection.observe(observation);
        self.report(found);
    }

    /// Ends a minute that is over, and does what is done now and then.
    pub(super) async fn look_at_clock(&mut self, detector: &Detector) {
        self.around.responses.pass();
        let now = self.around.clock.now();
        if minute_of(now) == self.minute {
            return;
        }
        self.end_minute(detector).await;
        self.minute = minute_of(now);
        let found = self.detection.pass(now);
        self.report(found);
        let now = self.around.clock.monotonic();
        if now.saturating_sub(self.told_at) >= TOLD_AGAIN_EVERY {
            self.told_at = now;
            detector.gathered().forget_told();
        }
        if now.saturating_sub(self.kept_at) >= KEPT_EVERY {
            self.kept_at = now;
            self.keep().await;
        }
    }

    /// Ends the minute that is under way, and keeps what was learnt.
    pub(super) async fn end(&mut self, detector: &Detector) {
        self.end_minute(detector).await;
        self.keep().await;
    }

    async fn end_minute(&mut self, detector: &Detector) {
        let Minute {
            traffic,
            bulk,
            begun,
        } = detector.gathered().take();
        let at = self.minute;
        for (of, amount) in traffic {
            if let Some(of) = self.subject(of).await {
                self.observe(Observation::Traffic(Traffic {
                    of,
                    at,
                    total: amount.total,
                    failed: amount.failed,
                }));
            }
        }
        for (doer, count) in bulk {
            self.observe(Observation::Bulk {
                what: doer.what(),
                by: doer.by,
                application: doer.application,
                count,
                at,
            });
        }
        self.followed.extend(begun);
        self.follow().await;
        let missed = detector.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            tracing::warn!("{missed} observations came faster than detection looks at them");
        }
    }

    /// Tells how far work has come that sends many again.
    async fn follow(&mut self) {
        for mut one in std::mem::take(&mut self.followed) {
            let row = match self.around.store.work_row(one.task).await {
                Ok(Some(row)) => row,
                Ok(None) => continue,
                Err(_) => {
                    self.followed.push(one);
                    continue;
                }
            };
            let count = row.done.saturating_sub(one.told);
            one.told = row.done;
            if count > 0 {
                self.observe(Observation::Bulk {
                    by: one.doer.by.clone(),
                    application: one.doer.application,
                    what: one.doer.what(),
                    count,
                    at: self.minute,
                });
            }
            if row.state == WorkState::Running {
                self.followed.push(one);
            }
        }
        let most = super::gathered::FOLLOWED_MAX;
        let beyond = self.followed.len().saturating_sub(most);
        self.followed.drain(..beyond);
    }

    /// Whose traffic it is, by a name that people know. `None`: it is gone.
    async fn subject(&mut self, of: Of) -> Option<Subject> {
        match of {
            Of::Source(source) => Some(Subject::new(SubjectKind::Source, source)),
            Of::Application(key) => self.application(key).await,
        }
    }

    async fn application(&mut self, key: ApplicationKey) -> Option<Subject> {
        let found = self.around.registry.find(&ApplicationRef::Key(key)).await;
        let row = found.ok()??;
        let id = row.application.application.id;
        Some(Subject::new(SubjectKind::Application, id))
    }

    fn report(&self, found: Vec<Finding>) {
        for finding in found {
            let done = self.around.responses.respond(&finding);
            let done = done.map(|done| format!(" ({done})")).unwrap_or_default();
            let Finding {
                rule, explanation, ..
            } = &finding;
            let event = SecurityEvent {
                kind: SecurityKind::TrafficAnomaly,
                description: format!("{rule}: {explanation}{done}"),
                subject: finding.subject,
                application: finding.application,
                remote_address: finding.remote_address,
                at: finding.at,
                sample: None,
            };
            self.around.events.report(event);
        }
    }

    /// Keeps what was learnt. Where another node was faster, that one's is as good.
    async fn keep(&mut self) {
        let learnt = self.detection.save();
        if learnt.len() > LEARNT_BYTES_MAX {
            let bytes = learnt.len();
            tracing::warn!("what detection has learnt is too much to be kept: {bytes} bytes");
            return;
        }
        match self.swap(learnt).await {
            Ok(()) | Err(ChangeError::Stale) => {}
            Err(error) => tracing::warn!(
                "what detection has learnt can't be kept, and will be later: {}",
                Chain(&error)
            ),
        }
    }

    async fn swap(&mut self, after: Vec<u8>) -> Result<(), ChangeError> {
        let store = &self.around.store;
        let before = store.setting(LEARNT).await;
        let before = before.map_err(|error: StoreError| ChangeError::from(error))?;
        let change = Change::SwapSetting {
            name: LEARNT,
            values: SettingsChange { before, after },
        };
        let request = ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        };
        store.change(request).await.map(drop)
    }
}

fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.seconds().div_euclid(MINUTE_SECONDS) * MINUTE_SECONDS)
}
