//! What the store's handle, the writer and the checkpoint loop share.

use crate::checkpoint::Checkpoints;
use crate::config::SqliteConfig;
use crate::directory::DataDirectory;
use crate::failure::Failure;
use crate::inbox::Inbox;
use crate::remembered::Indices;
use model::node::{Node, Roles};
use model::{Clock, Timestamp};
use std::sync::{Arc, Mutex};
use store::Condition;
use store::owned::Owned;
use store::vitals::{Cause, Fill, Meter, Vitals};
use tokio::sync::watch;

/// One store's common ground.
pub(crate) struct Shared {
    pub(crate) config: SqliteConfig,
    /// Whether whoever submits drives the writer, and reads where it stands.
    pub(crate) inline: bool,
    pub(crate) clock: Arc<dyn Clock>,
    /// When the store was opened.
    pub(crate) since: Timestamp,
    pub(crate) inbox: Inbox,
    pub(crate) owned: Arc<Owned>,
    pub(crate) indices: Indices,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) condition: watch::Sender<Condition>,
    pub(crate) meter: Meter,
    /// Why only a restart helps, once that is so.
    pub(crate) fatal: Mutex<Option<String>>,
    /// Unlocked when the last part of the store is gone.
    pub(crate) directory: DataDirectory,
}

impl Shared {
    /// From now on only a restart helps.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(
            reason,
            "the store has failed: the process must be restarted"
        );
        self.fatal
            .lock()
            .expect("nothing panics while it holds this lock")
            .get_or_insert(reason);
        self.meter.in_trouble(Cause::Broken, self.clock.now());
        self.turn(Condition::Failed);
        self.inbox.nudge();
    }

    /// Why only a restart helps, if that is so.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let fatal = self
            .fatal
            .lock()
            .expect("nothing panics while it holds this lock");
        fatal.clone().map(Failure::Fatal)
    }

    /// Tells everybody how the store stands. [`Condition::Failed`] is for good.
    pub(crate) fn turn(&self, condition: Condition) {
        self.condition.send_if_modified(|now| {
            let news = *now != condition && *now != Condition::Failed;
            if news {
                *now = condition;
            }
            news
        });
    }

    /// The one node that there is: the locked data directory is its lease, so it does everything.
    pub(crate) fn node(&self) -> Node {
        Node {
            slot: 0,
            name: self.config.name.clone(),
            version: self.config.version.clone(),
            roles: Roles::default(),
            since: self.since,
            lease_ends: None,
            alive: true,
            deliveries: self.owned.count() as u64,
            master_keys: Vec::new(),
        }
    }

    /// What was counted, how full the queue is, and what is wrong.
    pub(crate) fn vitals(&self) -> Vitals {
        let (taken, of) = self.inbox.kib();
        let bytes = |kib: u32| u64::from(kib) * 1_024;
        let queue = Fill {
            taken: bytes(taken),
            of: bytes(of),
        };
        self.meter.read(queue, None)
    }

    /// How the store stands.
    pub(crate) fn standing(&self) -> Condition {
        *self.condition.borrow()
    }
}
