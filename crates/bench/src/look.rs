//! Somebody who looks while a server works: one client that reads lists and searches, one call
//! after the other, with a pause between two.
//!
//! A list is the first page of what has happened: an application's messages, an endpoint's
//! attempts. A search asks the same with a filter that nothing passes, so that the server looks at
//! as much as it is ready to for one call.

use crate::BenchError;
use crate::histogram::{Histogram, Latency};
use crate::tenants::Tenants;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until it is asked what it saw.
pub(crate) struct Looker {
    seen: Arc<Mutex<Seen>>,
    looking: JoinHandle<BenchError>,
}

#[derive(Default)]
struct Seen {
    lists: Histogram,
    searches: Histogram,
}

/// How long lists and searches took.
pub(crate) type Looks = (Option<Latency>, Option<Latency>);

impl Looker {
    /// Begins to look at an application.
    pub(crate) async fn begin(tenants: &Tenants, application: &str) -> Result<Self, BenchError> {
        let mut control = tenants.control();
        let endpoints: Value = control
            .get(&format!("{application}/endpoint?limit=1"))
            .await?;
        let endpoint = endpoints["data"][0]["id"].as_str().unwrap_or_default();
        let lists = [
            format!("{application}/msg?limit=50"),
            format!("{application}/attempt/endpoint/{endpoint}?limit=50"),
        ];
        let searches = [
            format!("{application}/msg?limit=50&event_types=bench.absent"),
            format!("{application}/attempt/endpoint/{endpoint}?limit=50&event_types=bench.absent"),
        ];
        let seen = Arc::<Mutex<Seen>>::default();
        let told = seen.clone();
        let looking = tokio::spawn(async move {
            loop {
                for (list, search) in lists.iter().zip(&searches) {
                    for (path, is_search) in [(list, false), (search, true)] {
                        let began = Instant::now();
                        if let Err(error) = control.get::<Value>(path).await {
                            return error;
                        }
                        told.lock()
                            .expect("no holder panics")
                            .note(is_search, began.elapsed());
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        });
        Ok(Self { seen, looking })
    }

    /// Ends, and tells.
    pub(crate) async fn end(self) -> Result<Looks, BenchError> {
        self.looking.abort();
        if let Ok(error) = self.looking.await {
            return Err(error);
        }
        let seen = self.seen.lock().expect("no holder panics");
        Ok((seen.lists.latency(), seen.searches.latency()))
    }
}

impl Seen {
    fn note(&mut self, is_search: bool, took: Duration) {
        let histogram = if is_search {
            &mut self.searches
        } else {
            &mut self.lists
        };
        histogram.record(took.as_micros() as u64);
    }
}
