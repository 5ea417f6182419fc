//! The endpoints: one receiver for all, which verifies every request as a consumer would, with the
//! library that Postrider publishes for it. What isn't genuine is answered with 400, and counted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::{Answer, Gate, Received, Receiver};
use tokio::sync::watch;
use webhook::{HeaderFamily, Verifier, VerifyingKey};

use crate::ledger::Ledger;
use crate::run::lasts;

/// The endpoint that answers when it is told to.
pub const SLOW: &str = "slow";

/// Every second endpoint, by the end of its path, takes this long to answer, so that attempts are
/// in flight whenever something breaks.
const UNHURRIED: [char; 5] = ['1', '3', '5', '7', '9'];
const WHILE: Duration = Duration::from_millis(300);

/// The receiver's side of all endpoints.
pub struct Endpoints {
    ledger: Arc<Ledger>,
    keys: Mutex<HashMap<String, VerifyingKey>>,
    tolerance_seconds: u32,
    refused: Mutex<Vec<String>>,
    /// Of the slow endpoint.
    pub slow: Slow,
}

/// An endpoint whose first answers are held back, and that fails from then on until it is opened:
/// what becomes of a message there must not be decided by whoever was answered first and is late.
#[derive(Default)]
pub struct Slow {
    seen: Mutex<HashSet<String>>,
    /// How many messages arrived for the first time, and how many again.
    pub arrived: watch::Sender<(u64, u64)>,
    /// Lets the first answers pass.
    pub first: Gate,
    /// Repeats succeed.
    pub willing: watch::Sender<bool>,
}

impl Endpoints {
    /// Starts the receiver.
    pub async fn start(ledger: &Arc<Ledger>, tolerance_seconds: u32) -> (Arc<Self>, Receiver) {
        let endpoints = Arc::new(Self {
            ledger: Arc::clone(ledger),
            keys: Mutex::default(),
            tolerance_seconds,
            refused: Mutex::default(),
            slow: Slow::default(),
        });
        let answering = Arc::clone(&endpoints);
        let receiver = Receiver::start(move |request| answering.answer(request)).await;
        (endpoints, receiver)
    }

    /// An endpoint at this path signs with this secret.
    ///
    /// # Panics
    /// When it is none.
    pub fn trust(&self, path: String, secret: &str) {
        let key = VerifyingKey::parse(secret).expect("a secret of the API");
        self.keys.lock().expect("nobody panics").insert(path, key);
    }

    /// What was not genuine, and why.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().expect("nobody panics").clone()
    }

    fn answer(&self, request: &Received) -> Answer {
        if let Err(reason) = self.verify(request) {
            self.refused.lock().expect("nobody panics").push(reason);
            return Answer::status(400);
        }
        let answer = match request.path.strip_prefix('/') {
            Some(SLOW) => self.slow.answer(request.id()),
            Some(path) if path.ends_with(UNHURRIED) => Some(after_a_while()),
            _ => Some(Answer::status(200)),
        };
        let Some(answer) = answer else {
            return Answer::status(503);
        };
        let number = request.json()["n"].as_u64().expect("a number");
        let number = usize::try_from(number).expect("an index");
        self.ledger.arrive(number, request.id());
        answer
    }

    fn verify(&self, request: &Received) -> Result<(), String> {
        let keys = self.keys.lock().expect("nobody panics");
        let key = keys.get(&request.path).ok_or("an unknown path")?;
        let verifier = Verifier {
            keys: std::slice::from_ref(key),
            family: HeaderFamily::Webhook,
            tolerance_seconds: self.tolerance_seconds,
        };
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let headers: Vec<(&str, &[u8])> = headers.collect();
        let verified = verifier.verify(headers, &request.body, now());
        verified.map(drop).map_err(|refused| refused.to_string())
    }
}

impl Slow {
    /// None: it fails.
    fn answer(&self, id: &str) -> Option<Answer> {
        let mut seen = self.seen.lock().expect("nobody panics");
        let new = seen.insert(id.to_owned());
        self.arrived.send_modify(|(first, again)| match new {
            true => *first += 1,
            false => *again += 1,
        });
        match (new, *self.willing.borrow()) {
            (true, _) => Some(Answer::status(200).after(&self.first)),
            (false, true) => Some(Answer::status(200)),
            (false, false) => None,
        }
    }
}

fn after_a_while() -> Answer {
    let gate = Gate::new();
    let answer = Answer::status(200).after(&gate);
    tokio::spawn(async move {
        lasts(WHILE).await;
        gate.open();
    });
    answer
}

/// Seconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "a consumer judges the age of a request by the machine's clock"
)]
fn now() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    let seconds = since.expect("it is later than 1970").as_secs();
    i64::try_from(seconds).expect("it is not that late")
}
