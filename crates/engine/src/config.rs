//! What can be set on the engine. Every bound is here, with its default.

use crate::lane::LaneLimits;
use model::retry::RetrySchedule;
use std::num::NonZeroUsize;
use std::time::Duration;
use transport::Limits;
use webhook::HeaderFamily;

/// How often a store that other nodes write to is looked through: what one of them left for anybody
/// waits for as long at most, and so does what a node held that is gone. Seldomer, and its first
/// retries would come late; more often, and idle nodes would keep the database busy.
pub const SURVEY_SHARED_EVERY: Duration = Duration::from_secs(1);

/// The engine's settings.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Attempts in flight, over all lanes. Default 2,048. Lanes whose attempts take longer than a
    /// second, or of which nothing is known yet, hold at most half of them.
    pub slots: usize,
    /// Attempts in flight to one destination host, over all applications. Default 1,024.
    pub per_host: usize,
    /// How each lane's share grows and falls.
    pub lane: LaneLimits,
    /// Deliveries in memory beyond one for each slot. Default 4,096. What finds no place waits in
    /// the store.
    pub queue_max: usize,
    /// Bytes of payload that wait in memory, or are in flight. Default 32 MiB; beyond it deliveries
    /// wait in the store, but for those of applications that hold less than an eighth of it, and
    /// the first of each lane that has none in flight: what others fill memory with stops nobody.
    pub queue_bytes_max: usize,
    /// Claims of the store at the same time. Default 16.
    pub claims_max: usize,
    /// Lanes in memory. Default 65,536; beyond it, deliveries of further lanes wait in the store
    /// until one is idle, but for those of an application of which this node has the sole right.
    pub lanes_max: usize,
    /// A lane without work is forgotten after this, and starts small when it comes back. Default
    /// 60 s; at least 1 s, the memory of rate limits.
    pub lane_idle: Duration,
    /// Endpoints whose parsed keys and headers are kept ready. Default 4,096.
    pub endpoints_cached: NonZeroUsize,
    /// Connect and total time-out (10 s, 30 s; the total covers the response's body), and how much
    /// of a response is kept (20,000 bytes).
    pub limits: Limits,
    /// The waits between a delivery's attempts, where its event type has no schedule of its own.
    pub retry_schedule: RetrySchedule,
    /// How long an endpoint may be failing without a success before it is disabled. Default 5 days.
    pub disable_after: Duration,
    /// Which names signatures travel under. Default `webhook-*`.
    pub header_family: HeaderFamily,
    /// Whether response excerpts are encrypted in the store. Default true.
    pub encrypt_payloads: bool,
    /// How often all lanes are looked through in the store, in case one was missed. Default 30 s.
    pub survey_every: Duration,
    /// Whether other nodes write to the store, which tell nobody here: then it is looked through
    /// every [`SURVEY_SHARED_EVERY`], and what is known of endpoints is looked up again. Default
    /// false.
    pub shared: bool,
    /// What is removed by age.
    pub retention: Retention,
    /// How long attempts in flight may go on once the engine is told to end. Default 30 s.
    pub drain_timeout: Duration,
    /// What this node is called in what is reported of it. Default: nothing.
    pub node_name: String,
    /// Where the API is reached from outside, without a slash at its end: thin events lead there.
    /// Default: unknown, and none are sent.
    pub public_url: Option<String>,
    /// What requests say they come from. Default `Postrider/` and the version.
    pub user_agent: String,
    /// The name by which receivers are asked whether they want what is sent, as DNS has it. Default
    /// `localhost`.
    pub origin: String,
}

/// What is removed by age, and how gently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Attempts and messages older than this go away. Default 90 days.
    pub keep: Duration,
    /// How often it is looked for. Default 60 s.
    pub every: Duration,
    /// The most messages that go in one slice. Default 200.
    pub slice_rows: usize,
    /// The pause between two slices, for traffic to pass. Default 20 ms.
    pub pause: Duration,
}

impl EngineConfig {
    /// How often the store is looked through for what nobody told of.
    pub(crate) fn look_every(&self) -> Duration {
        if self.shared {
            self.survey_every.min(SURVEY_SHARED_EVERY)
        } else {
            self.survey_every
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            slots: 2_048,
            per_host: 1_024,
            lane: LaneLimits::default(),
            queue_max: 4_096,
            queue_bytes_max: 32 << 20,
            claims_max: 16,
            lanes_max: 65_536,
            lane_idle: Duration::from_secs(60),
            endpoints_cached: NonZeroUsize::new(4_096).expect("it is not zero"),
            limits: Limits::default(),
            retry_schedule: RetrySchedule::default(),
            disable_after: Duration::from_secs(5 * 86_400),
            header_family: HeaderFamily::default(),
            encrypt_payloads: true,
            survey_every: Duration::from_secs(30),
            shared: false,
            retention: Retention::default(),
            drain_timeout: Duration::from_secs(30),
            node_name: String::new(),
            public_url: None,
            user_agent: concat!("Postrider/", env!("CARGO_PKG_VERSION")).to_owned(),
            origin: "localhost".to_owned(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(90 * 86_400),
            every: Duration::from_secs(60),
            slice_rows: 200,
            pause: Duration::from_millis(20),
        }
    }
}
