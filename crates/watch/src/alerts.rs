//! Alerts: security events reach people, by chat and e-mail, and the operator's own programs, by
//! operational webhooks.
//!
//! Events come from the keeper as it folds them, after they were written, or as soon as they can't
//! be: alerts work with a broken store, by the settings that were read last. Each node alerts of
//! what it saw itself. What is counted and not yet told is in memory; when the process is stopped,
//! it is sent as it stands, and when it is killed, it is in the log alone.
//!
//! Map: `desk` (what is sent when on one channel: pure), `tally` (its counts) · `telling` (what
//! operational webhooks are told: pure) · `words` (how it is said) · `office` (all channels, and
//! what is under way) · [`sender`] (how it leaves).

mod desk;
mod office;
pub mod sender;
mod tally;
mod telling;
mod words;

use crate::keeper::{Fold, FoldSink};
use app::App;
use model::address::network;
use model::security::{SecurityKind, Subject};
use office::Office;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// So many folds wait to be told; of more, their kinds are counted.
const INBOX_MAX: usize = 4_000;

/// What makes folds the same.
type FoldKey = (SecurityKind, Subject, Option<IpAddr>);

/// Takes folds, and sees to it that people hear of them.
pub struct Alerter {
    /// What alerts call this node.
    node: String,
    inbox: Mutex<BTreeMap<FoldKey, Fold>>,
    arrived: Notify,
}

impl FoldSink for Alerter {
    fn take(&self, fold: Fold) {
        let mut inbox = self.lock();
        let mut fold = fold;
        if inbox.len() >= INBOX_MAX && !inbox.contains_key(&key_of(&fold)) {
            (fold.event.subject, fold.event.remote_address) = (Subject::others(), None);
        }
        match inbox.get_mut(&key_of(&fold)) {
            Some(known) => known.add(fold),
            None => drop(inbox.insert(key_of(&fold), fold)),
        }
        self.arrived.notify_one();
    }
}

impl Alerter {
    /// For a node of this name.
    pub fn new(node: String) -> Self {
        Self {
            node,
            inbox: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Tells people until it is stopped, and then once more what is left.
    pub async fn run(&self, app: &App, stop: CancellationToken) {
        let mut office = Office::new(self.node.clone(), app);
        office.read_settings().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.arrived.notified() => {}
                () = office.wait() => {}
            }
            office.turn(self.arrived_folds()).await;
        }
        office.turn(self.arrived_folds()).await;
        office.close().await;
    }

    fn arrived_folds(&self) -> Vec<Fold> {
        std::mem::take(&mut *self.lock()).into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<FoldKey, Fold>> {
        self.inbox
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

fn key_of(fold: &Fold) -> FoldKey {
    let event = &fold.event;
    let network = event.remote_address.map(network);
    (event.kind, event.subject.clone(), network)
}
