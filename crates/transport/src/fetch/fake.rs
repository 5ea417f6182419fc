//! A network that answers as a test tells it to, and notes what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use model::{Clock, Entropy, Timestamp};
use tokio::sync::Semaphore;

use crate::{Answer, Outgoing, SendError, Stage, Transport};

/// Answers in order, each once; then nobody is there.
pub(crate) struct Fake {
    answers: Mutex<VecDeque<(u16, Bytes)>>,
    seen: Mutex<Vec<Outgoing>>,
    /// What every answer asks to wait.
    retry_after: Mutex<Option<String>>,
    /// As many answers as it has permits.
    gate: Semaphore,
}

impl Fake {
    pub(crate) fn answering<const N: usize>(answers: [(u16, &str); N]) -> Arc<Self> {
        let fake = Self {
            answers: Mutex::default(),
            seen: Mutex::default(),
            retry_after: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        };
        fake.then(answers);
        Arc::new(fake)
    }

    /// Answers nothing until [`Self::open`].
    pub(crate) fn shut(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn then<const N: usize>(&self, answers: [(u16, &str); N]) {
        let answers = answers.map(|(status, body)| (status, Bytes::from(body.to_owned())));
        let mut queue = self.answers.lock().expect("no panic while held");
        queue.extend(answers);
    }

    /// Asks to wait from now on.
    pub(crate) fn ask_to_wait(&self, wait: &str) {
        *self.retry_after.lock().expect("no panic while held") = Some(wait.to_owned());
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.seen.lock().expect("no panic while held").len()
    }

    pub(crate) fn last(&self) -> Outgoing {
        let seen = self.seen.lock().expect("no panic while held");
        seen.last().expect("a request").clone()
    }
}

#[async_trait]
impl Transport for Fake {
    async fn send(&self, request: Outgoing) -> Result<Answer, SendError> {
        let kept = request.limits.response_bytes_max;
        self.seen.lock().expect("no panic while held").push(request);
        let _permit = self.gate.acquire().await.expect("it is never closed");
        let next = self
            .answers
            .lock()
            .expect("no panic while held")
            .pop_front();
        let nobody = || SendError::new(Stage::Connect, "nobody is there");
        let (status, body) = next.ok_or_else(nobody)?;
        Ok(Answer {
            status,
            retry_after: self
                .retry_after
                .lock()
                .expect("no panic while held")
                .clone(),
            allowed: None,
            truncated: body.len() > kept,
            body: body.slice(..body.len().min(kept)),
            headers_after: Duration::ZERO,
            date: None,
            handshake: None,
            observed: Box::default(),
        })
    }
}

/// A clock that stands still.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Counts.
#[derive(Default)]
pub(crate) struct Counting(Mutex<u8>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let mut next = self.0.lock().expect("no panic while held");
        *next += 1;
        bytes.fill(*next);
    }
}
