//! A world that is a function of its seed: time that only passes when everybody waits, randomness
//! drawn from the seed, and a network that answers as the seed wants and writes down what it saw.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use e2e::chance::Chance;
use model::security::{EventSink, SecurityEvent};
use model::{Clock, Entropy, Timestamp};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use transport::{Answer, Outgoing, SendError, Stage, Transport};

/// 2026-01-01, when every simulated world begins.
const BEGINNING: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// One thread, on which time passes only when everybody waits for it.
pub(crate) fn paused_runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    builder.build().expect("a runtime")
}

/// Simulated time: tokio's, which is paused.
pub(crate) struct SimulatedClock(Instant);

impl SimulatedClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        BEGINNING.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Randomness from a seed.
pub(crate) struct SeededEntropy(Mutex<Chance>);

impl SeededEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Chance::seeded(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut chance = self.0.lock().expect("nobody panics with it");
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&chance.draw().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A network of one: it takes its time, fails as often as not, and keeps a trace of every request.
pub(crate) struct SimulatedNetwork {
    clock: Arc<dyn Clock>,
    chance: Mutex<Chance>,
    trace: Mutex<String>,
}

impl SimulatedNetwork {
    pub(crate) fn new(seed: u64, clock: Arc<dyn Clock>) -> Self {
        let chance = Mutex::new(Chance::seeded(!seed));
        Self {
            clock,
            chance,
            trace: Mutex::default(),
        }
    }

    /// Every request with its time, headers and body, and what came of it.
    pub(crate) fn trace(&self) -> String {
        self.trace.lock().expect("nobody panics with it").clone()
    }

    fn note(&self, text: &str) {
        let mut trace = self.trace.lock().expect("nobody panics with it");
        let at = self.clock.monotonic();
        writeln!(trace, "{at:?} {text}").expect("writing to memory does not fail");
    }

    fn draw(&self) -> (Duration, u64) {
        let mut chance = self.chance.lock().expect("nobody panics with it");
        (
            Duration::from_millis(1 + chance.below(3_000)),
            chance.below(5),
        )
    }
}

#[async_trait]
impl Transport for SimulatedNetwork {
    async fn send(&self, request: Outgoing) -> Result<Answer, SendError> {
        let url = request.target.url().to_string();
        let (headers, body) = (&request.headers, &request.body);
        self.note(&format!("{} {url} {headers:?} {body:?}", request.method));
        let (latency, fate) = self.draw();
        tokio::time::sleep(latency).await;
        let answer = match fate {
            0 => answer(200, None, b"taken\0\xff", latency),
            1 => answer(500, None, b"broken", latency),
            2 => answer(503, Some("90"), b"", latency),
            3 => answer(302, None, b"elsewhere", latency),
            _ => Err(SendError::new(Stage::Connect, "nobody listens")),
        };
        self.note(&format!("{url} answered {answer:?}"));
        answer
    }
}

fn answer(
    status: u16,
    retry_after: Option<&str>,
    body: &'static [u8],
    headers_after: Duration,
) -> Result<Answer, SendError> {
    Ok(Answer {
        status,
        retry_after: retry_after.map(str::to_owned),
        allowed: None,
        body: body.into(),
        truncated: false,
        headers_after,
        date: None,
        handshake: None,
        observed: Box::default(),
    })
}

/// Takes security events, and forgets them.
pub(crate) struct NoEvents;

impl EventSink for NoEvents {
    fn report(&self, _event: SecurityEvent) {}
}
