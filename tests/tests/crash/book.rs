//! What arrived at the endpoints, and what that says: what is missing, and what came twice.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use e2e::{Answer, Received};
use tokio::sync::watch;
use tokio::time::Instant;

/// The endpoints' paths.
pub(crate) const ENDPOINTS: [&str; 2] = ["/steady", "/flaky"];
/// The second endpoint fails every so many requests.
const FAILS_EVERY: u64 = 7;

/// What arrived and was answered with 200.
pub(crate) struct Book {
    arrivals: Mutex<HashMap<(String, String), Vec<Instant>>>,
    requests: AtomicU64,
    /// How many requests were answered with 200.
    pub(crate) delivered: watch::Sender<u64>,
}

impl Default for Book {
    fn default() -> Self {
        let (arrivals, requests) = (Mutex::default(), AtomicU64::new(0));
        Self {
            arrivals,
            requests,
            delivered: watch::Sender::new(0),
        }
    }
}

impl Book {
    /// Takes a request, and answers it.
    pub(crate) fn note(&self, request: &Received) -> Answer {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if request.path == "/flaky" && number.is_multiple_of(FAILS_EVERY) {
            return Answer::status(500);
        }
        let key = (request.path.clone(), request.id().to_owned());
        self.arrivals
            .lock()
            .expect("nobody panics with it")
            .entry(key)
            .or_default()
            .push(request.at);
        self.delivered.send_modify(|count| *count += 1);
        Answer::status(200)
    }

    /// Accepted and not delivered: endpoint and message.
    pub(crate) fn missing(&self, accepted: &HashMap<u64, String>) -> Vec<(&'static str, String)> {
        let arrivals = self.arrivals.lock().expect("nobody panics with it");
        let everything = accepted
            .values()
            .flat_map(|id| ENDPOINTS.map(|path| (path, id.clone())));
        everything
            .filter(|(path, id)| !arrivals.contains_key(&((*path).into(), id.clone())))
            .collect()
    }

    /// How often something arrived once more, by the first kill after it had arrived.
    ///
    /// # Panics
    /// When something arrived twice with no kill in between.
    pub(crate) fn repeats(&self, kills: &[Instant]) -> Vec<usize> {
        let mut repeats = vec![0; kills.len()];
        for (what, times) in self.arrivals.lock().expect("nobody panics with it").iter() {
            for pair in times.windows(2) {
                let kill = kills.partition_point(|kill| *kill < pair[0]);
                let between = kills.get(kill).is_some_and(|kill| *kill < pair[1]);
                assert!(
                    between,
                    "{what:?} arrived twice, and no kill in between explains it"
                );
                repeats[kill] += 1;
            }
        }
        repeats
    }
}
