//! What is asked of the writer while it is at something else. It waits for the next commit, unless
//! the one under way takes long: then whoever can ask again is told so.
//!
//! A commit costs as much as what some ten messages add to it, so two kinds of it are put off a
//! moment. Outcomes alone wait for an accept to share its commit; and where much has come while one
//! commit was made, the next one waits for more, as long as that one took. In between nothing
//! waits.

use crate::failure::Failure;
use crate::node::RENEWAL;
use crate::request::Request;
use std::time::Duration;
use store::Condition;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// The most requests of a commit.
const GROUP_MAX: usize = 1_024;
/// How long a commit may take before nobody is kept waiting for the next one. Less than clients
/// wait for an answer.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// So many requests are a commit's worth: nothing more is waited for.
const WORTH_A_COMMIT: usize = 512;
/// So many that came while a commit was made show that the node is under load.
const UNDER_LOAD: usize = 128;
/// Outcomes wait so long for an accept.
const FOR_COMPANY: Duration = Duration::from_millis(2);
/// Under load a commit is put off by so much at the most.
const FOR_MORE_MAX: Duration = Duration::from_millis(4);

/// See the file's head.
pub(crate) struct Inbox {
    requests: mpsc::UnboundedReceiver<Request>,
    condition: watch::Receiver<Condition>,
    /// Outcomes, which wait however long it takes.
    kept: Vec<Request>,
    /// How long the last commit took.
    last: Duration,
}

impl Inbox {
    pub(crate) fn new(
        requests: mpsc::UnboundedReceiver<Request>,
        condition: watch::Receiver<Condition>,
    ) -> Self {
        Self {
            requests,
            condition,
            kept: Vec::new(),
            last: Duration::ZERO,
        }
    }

    /// Whatever waits, as soon as something does. Nothing: it is time to renew the lease. None:
    /// nobody can ask any more.
    pub(crate) async fn next(&mut self) -> Option<Vec<Request>> {
        let mut group = std::mem::take(&mut self.kept);
        if !group.is_empty() {
            self.fill(&mut group);
            return Some(group);
        }
        let received = self.requests.recv_many(&mut group, GROUP_MAX);
        match tokio::time::timeout(RENEWAL, received).await {
            Ok(0) => return None,
            Ok(_) => self.linger(&mut group).await,
            Err(_) => {}
        }
        Some(group)
    }

    /// Waits a moment for what could share the group's commit.
    async fn linger(&mut self, group: &mut Vec<Request>) {
        let under_load = group.len() >= UNDER_LOAD;
        let wait = match under_load {
            true => self.last.min(FOR_MORE_MAX),
            false => FOR_COMPANY,
        };
        let until = Instant::now() + wait;
        while group.len() < WORTH_A_COMMIT && (under_load || group.iter().all(Request::waits)) {
            let room = GROUP_MAX - group.len();
            let more = self.requests.recv_many(group, room);
            match tokio::time::timeout_at(until, more).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Adds what waits to a group that has waited before.
    pub(crate) fn fill(&mut self, group: &mut Vec<Request>) {
        group.append(&mut self.kept);
        while group.len() < GROUP_MAX
            && let Ok(request) = self.requests.try_recv()
        {
            group.push(request);
        }
    }

    /// Waits for a commit. When it takes long, or turns out to fail, who asks meanwhile is refused.
    pub(crate) async fn beside(&mut self, commit: impl Future<Output = ()> + Unpin) {
        let begun = Instant::now();
        self.wait_beside(commit).await;
        self.last = begun.elapsed();
    }

    async fn wait_beside(&mut self, mut commit: impl Future<Output = ()> + Unpin) {
        let late = Instant::now() + WAIT_MAX;
        let _ = self.condition.borrow_and_update();
        loop {
            tokio::select! {
                biased;
                () = &mut commit => return,
                () = tokio::time::sleep_until(late) => break,
                // It also ends when the sender is gone, which the writer holds.
                changed = self.condition.changed() => match changed {
                    Ok(()) if *self.condition.borrow() == Condition::Writable => {}
                    _ => break,
                },
            }
        }
        let away = Failure::Unavailable("the database does not answer".to_owned());
        loop {
            let request = tokio::select! {
                biased;
                () = &mut commit => return,
                request = self.requests.recv() => request,
            };
            match request {
                Some(request) if request.waits() => self.kept.push(request),
                Some(request) => request.refuse(&away),
                None => return commit.await,
            }
        }
    }
}
