//! What waits for the writer: a queue bounded by bytes. When it is full, callers wait for room in
//! the order they came; when it is closed, they are told so.
//!
//! A commit costs as much as what some ten messages add to it, so two kinds of it are put off a
//! moment. Outcomes that find the writer idle wait for an accept to share its commit: half as many
//! commits at low load. And where much has come while one commit was made, the next one waits for
//! more, about as long as that one took: at full load many small ones would cost more than they
//! bring. In between nothing waits.

use crate::batch::Batch;
use crate::failure::Failure;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Taken for one commit: what fits is what is there, up to these.
const BATCH_REQUESTS_MAX: usize = 1_024;
const BATCH_KIB_MAX: u32 = 1_024;
/// So many requests are a commit's worth: nothing more is waited for.
const WORTH_A_COMMIT: usize = 512;
/// So many that came while a commit was made show that the writer is under load.
const UNDER_LOAD: usize = 16;

/// What kind of request it is, as far as waiting is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody waits for the answer.
    Now,
    /// An outcome: can share the next commit, and waits for as long as none succeeds.
    Patient,
    /// Removes what is old: tried even while nothing else can be written, since it makes room.
    MakesRoom,
}

/// How long a commit is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Linger {
    /// Outcomes, for an accept.
    pub(crate) for_company: Duration,
    /// Under load, for a commit's worth.
    pub(crate) for_more: Duration,
}

/// A request on its way through the writer.
pub(crate) trait Request: Send {
    /// Does its part of a transaction. May be called again after a rollback.
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), Failure>;
    /// The transaction is on disk: answers.
    fn committed(self: Box<Self>);
    /// Nothing was committed and it is not tried again: answers.
    fn refused(self: Box<Self>, failure: &Failure);
    /// See [`Urgency`].
    fn urgency(&self) -> Urgency;
    /// What it holds in memory.
    fn kib(&self) -> u32;
}

/// The one implementation of [`Request`]: what was asked, how it is done, and who waits.
pub(crate) struct Asked<I, T> {
    pub(crate) input: I,
    pub(crate) run: fn(&mut Batch<'_>, &I) -> Result<T, Failure>,
    pub(crate) refuse: fn(&I, &Failure) -> T,
    pub(crate) urgency: Urgency,
    pub(crate) kib: u32,
    pub(crate) answer: Option<T>,
    pub(crate) reply: oneshot::Sender<T>,
}

impl<I: Send, T: Send> Request for Asked<I, T> {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), Failure> {
        self.answer = Some((self.run)(batch, &self.input)?);
        Ok(())
    }

    fn committed(self: Box<Self>) {
        let Asked {
            input,
            answer,
            reply,
            ..
        } = *self;
        // An outcome's hold lets go after the commit, and before anybody hears of it.
        drop(input);
        // Whoever asked may have gone; then what was answered is dropped, and its holds let go.
        let _ = reply.send(answer.expect("a committed request was run"));
    }

    fn refused(self: Box<Self>, failure: &Failure) {
        let Asked {
            input,
            refuse,
            reply,
            ..
        } = *self;
        let _ = reply.send(refuse(&input, failure));
    }

    fn urgency(&self) -> Urgency {
        self.urgency
    }

    fn kib(&self) -> u32 {
        self.kib
    }
}

/// The queue.
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    arrived: Condvar,
    room: Semaphore,
    capacity_kib: u32,
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Box<dyn Request>>,
    urgent: usize,
    /// What the writer waits for.
    awaited: Awaited,
    nudged: bool,
    closed: bool,
}

/// What the writer is to be woken for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Nothing: it is at work, and waking it would be a call into the kernel for nothing.
    #[default]
    Nothing,
    /// A request, or a nudge.
    Something,
    /// A request that somebody waits for, or a commit's worth.
    SomethingUrgent,
    /// A commit's worth.
    Much,
}

impl Queue {
    /// Whether what is awaited is there. Whatever it is, nobody waits for it when the inbox closes.
    fn has(&self, awaited: Awaited) -> bool {
        let much = self.requests.len() >= WORTH_A_COMMIT;
        let there = match awaited {
            Awaited::Nothing => true,
            Awaited::Something => !self.requests.is_empty() || self.nudged,
            Awaited::SomethingUrgent => self.urgent > 0 || much,
            Awaited::Much => much,
        };
        there || self.closed
    }
}

impl Inbox {
    /// A queue that holds at most so much.
    pub(crate) fn new(capacity_kib: u32) -> Self {
        Self {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            room: Semaphore::new(capacity_kib as usize),
            capacity_kib,
        }
    }

    /// Queues a request, after waiting for room. Gives it back when the inbox is closed.
    pub(crate) async fn push(&self, request: Box<dyn Request>) -> Result<(), Box<dyn Request>> {
        match self.room.acquire_many(self.cost(&*request)).await {
            Ok(room) => room.forget(),
            Err(_) => return Err(request),
        }
        let mut queue = self.lock();
        if queue.closed {
            return Err(request);
        }
        let urgent = request.urgency() != Urgency::Patient;
        queue.urgent += usize::from(urgent);
        queue.requests.push_back(request);
        if queue.awaited != Awaited::Nothing && queue.has(queue.awaited) {
            queue.awaited = Awaited::Nothing;
            drop(queue);
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Takes what there is, for one commit.
    pub(crate) fn take(&self) -> Vec<Box<dyn Request>> {
        self.take_from(&mut self.lock())
    }

    /// Waits for something to commit, or for `patience`: then it is empty. `None`: closed and
    /// empty. What should not be committed alone waits, as long as `linger`.
    pub(crate) fn wait(
        &self,
        patience: Option<Duration>,
        linger: Linger,
    ) -> Option<Vec<Box<dyn Request>>> {
        let mut queue = self.wait_for(Awaited::Something, patience);
        queue.nudged = false;
        if !queue.requests.is_empty() {
            let (awaited, limit) = match queue.requests.len() >= UNDER_LOAD {
                true => (Awaited::Much, linger.for_more),
                false => (Awaited::SomethingUrgent, linger.for_company),
            };
            drop(queue);
            queue = self.wait_for(awaited, Some(limit));
        }
        let over = queue.closed && queue.requests.is_empty();
        (!over).then(|| self.take_from(&mut queue))
    }

    fn wait_for(&self, awaited: Awaited, limit: Option<Duration>) -> MutexGuard<'_, Queue> {
        const POISON: &str = "nothing panics while it holds this lock";
        let missing = |queue: &mut Queue| {
            let missing = !queue.has(awaited);
            queue.awaited = if missing { awaited } else { Awaited::Nothing };
            missing
        };
        let mut queue = match limit {
            None => self.arrived.wait_while(self.lock(), missing).expect(POISON),
            Some(limit) => {
                let waited = self.arrived.wait_timeout_while(self.lock(), limit, missing);
                waited.expect(POISON).0
            }
        };
        queue.awaited = Awaited::Nothing;
        queue
    }

    /// Wakes the writer although nothing was queued.
    pub(crate) fn nudge(&self) {
        self.lock().nudged = true;
        self.arrived.notify_all();
    }

    /// How much is queued, and how much may be.
    pub(crate) fn kib(&self) -> (u32, u32) {
        let room = u32::try_from(self.room.available_permits()).unwrap_or(u32::MAX);
        (self.capacity_kib.saturating_sub(room), self.capacity_kib)
    }

    /// Takes no more requests; what is queued is still done.
    pub(crate) fn close(&self) {
        self.room.close();
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Closes, and drops what is queued: whoever waits for it is told that the store is closed.
    pub(crate) fn abandon(&self) {
        self.close();
        let queued = std::mem::take(&mut self.lock().requests);
        drop(queued);
    }

    fn take_from(&self, queue: &mut Queue) -> Vec<Box<dyn Request>> {
        let (mut taken, mut kib, mut room) = (Vec::new(), 0, 0);
        while taken.len() < BATCH_REQUESTS_MAX && kib < BATCH_KIB_MAX {
            let Some(request) = queue.requests.pop_front() else {
                break;
            };
            kib += request.kib();
            room += self.cost(&*request);
            queue.urgent -= usize::from(request.urgency() != Urgency::Patient);
            taken.push(request);
        }
        self.room.add_permits(room as usize);
        taken
    }

    /// One larger than the whole inbox gets in when it is alone.
    fn cost(&self, request: &dyn Request) -> u32 {
        request.kib().clamp(1, self.capacity_kib)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests;
