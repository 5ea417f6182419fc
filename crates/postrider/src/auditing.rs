//! Seals the audit log, second by second, with what commands left beside it, takes away what has
//! reached its age, and tells of checkpoints outside: all of them to the configured file, one a
//! minute to the log and to operational webhooks, the last one at the end.
//!
//! Every node does so. What is sealed, and that two don't seal the same, the rooms below know.

use crate::config::AuditConfig;
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use app::App;
use model::operational::{CheckpointTold, Happened, OperationalEvent};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;
use store::audit::SignedCheckpoint;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use vault::AuditKey;
use watch::audit::{Sealer, SigningKey};

/// What stands before a checkpoint in the log.
pub(crate) const TOLD_AS: &str = "audit checkpoint ";
/// How long an entry waits to be sealed.
const PERIOD: Duration = Duration::from_secs(1);
/// The log and operational webhooks hear of a checkpoint so often at the most.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// So many lines wait for a file that can't be written; the latest confirm what older ones do.
const UNWRITTEN_MAX: usize = 10_000;
/// How often it is looked for what has reached its age.
const CUT_EVERY: Duration = Duration::from_secs(3_600);

/// The key, as `watch` has use for it.
struct Key(AuditKey);

impl SigningKey for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key()
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes)
    }
}

/// Refuses a file that can't be appended to, before anything relies on it.
pub(crate) fn check(config: &AuditConfig) -> Result<(), Failure> {
    let Some(path) = &config.checkpoint_file else {
        return Ok(());
    };
    let opened = open(path).with_context(|| format!("audit_checkpoint_file {}", path.display()));
    opened.map(drop).map_err(Failure::CouldNot)
}

/// Seals until it is stopped, and then what is left.
pub(crate) async fn run(app: App, config: AuditConfig, stop: CancellationToken) {
    let mut auditing = Auditing {
        app,
        config,
        sealer: None,
        cut_at: Instant::now(),
        untold: None,
        told_at: None,
        unwritten: Vec::new(),
    };
    let mut period = tokio::time::interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        let stopped = stop.run_until_cancelled(period.tick()).await.is_none();
        match auditing.step().await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!("the audit log can't be sealed, and will be later: {error:#}");
            }
            Err(_) => {}
        }
        auditing.tell(stopped);
        if stopped {
            return;
        }
    }
}

struct Auditing {
    app: App,
    config: AuditConfig,
    sealer: Option<Sealer>,
    cut_at: Instant,
    /// The latest checkpoint, if it was not told of.
    untold: Option<SignedCheckpoint>,
    told_at: Option<Instant>,
    /// Lines that are not in the file yet.
    unwritten: Vec<String>,
}

impl Auditing {
    async fn step(&mut self) -> anyhow::Result<()> {
        let sealer = match &self.sealer {
            Some(sealer) => sealer,
            None => {
                let key = self.app.audit_key().await?;
                let (store, clock) = (self.app.store.clone(), self.app.clock.clone());
                self.sealer
                    .insert(Sealer::new(store, Box::new(Key(key)), clock))
            }
        };
        // Also where that fails, what is in the log is sealed.
        let taken_in = sealer.take_in().await;
        let mut sealed = Vec::new();
        let done = loop {
            match sealer.seal().await {
                Ok(Some(checkpoint)) => sealed.push(checkpoint),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        // Also where the next could not be sealed: what was is to be known outside.
        self.untold = sealed.last().copied().or(self.untold);
        if self.config.checkpoint_file.is_some() {
            self.unwritten
                .extend(sealed.iter().map(SignedCheckpoint::line));
            let over = self.unwritten.len().saturating_sub(UNWRITTEN_MAX);
            self.unwritten.drain(..over);
        }
        let written = self.write().await;
        done?;
        taken_in?;
        if Instant::now() >= self.cut_at {
            self.cut().await?;
            self.cut_at = Instant::now() + CUT_EVERY;
        }
        written
    }

    async fn cut(&self) -> anyhow::Result<()> {
        let border = self.app.clock.now().minus(self.config.retention);
        if let Some(sealer) = &self.sealer {
            while sealer.cut(border).await? {}
        }
        Ok(())
    }

    /// Into the file. A line that can't be written is written later.
    async fn write(&mut self) -> anyhow::Result<()> {
        let Some(path) = self.config.checkpoint_file.clone() else {
            return Ok(());
        };
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let lines = self.unwritten.clone();
        let shown = format!("audit_checkpoint_file {}", path.display());
        let written = tokio::task::spawn_blocking(move || append(&path, &lines));
        written
            .await
            .map_err(|error| anyhow!(error))?
            .context(shown)?;
        self.unwritten.clear();
        Ok(())
    }

    fn tell(&mut self, last: bool) {
        let is_time = self.told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
        if !is_time && !last {
            return;
        }
        let Some(signed) = self.untold.take() else {
            return;
        };
        self.told_at = Some(Instant::now());
        let line = signed.line();
        tracing::info!("{TOLD_AS}{line}");
        self.app.operational.report(OperationalEvent {
            at: signed.checkpoint.at,
            what: Happened::AuditCheckpoint(CheckpointTold { line }),
        });
    }
}

fn append(path: &Path, lines: &[String]) -> io::Result<()> {
    let mut file = open(path)?;
    let text: String = lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect();
    let before = file.metadata()?.len();
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_data());
    if written.is_err() {
        // Half a line would be none, and the next one with it.
        let _ = file.set_len(before);
    }
    written
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}
