//! Kills the server with SIGKILL at random moments under load, starts it again on the same data
//! directory, and counts: of what was accepted (a 202 was seen), nothing may be lost, and no more
//! may arrive twice than was in flight at the kills.
//!
//! The same of the gateway is in `gateway`.
//!
//! 25 kills; more by E2E_KILLS, and the same moments, as far as chance chose them, by E2E_SEED:
//!
//! ```sh
//! E2E_KILLS=100 cargo nextest run -p e2e --test crash --no-capture
//! ```

mod book;
mod gateway;
mod load;

use std::sync::Arc;
use std::time::Duration;

use book::Book;
use e2e::chance::Chance;
use e2e::server::quiet_address;
use e2e::{Api, Options, Receiver, Server, place, within};
use load::{Load, Sent};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Kills, unless E2E_KILLS says otherwise.
const KILLS: u64 = 25;
/// Attempts that the server may have in flight: so many deliveries at most may have reached their
/// endpoint without that being on disk when the server is killed.
const IN_FLIGHT_MAX: usize = 32;
/// Events between two kills at most.
const EVENTS_MAX: u64 = 1_500;
/// For the last deliveries, after the last start.
const LAST_DELIVERIES: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_nothing_that_was_accepted() {
    let mut chance = Chance::new();
    let (book, began) = (Arc::new(Book::default()), Instant::now());
    let receiver = Receiver::start({
        let book = Arc::clone(&book);
        move |request| book.note(request)
    })
    .await;
    let options = Options::dev()
        .listen(quiet_address(&mut chance))
        .option("--retry-schedule", ["1"; 40].join(","))
        .option("--attempts-in-flight-max", IN_FLIGHT_MAX.to_string());
    let mut server = Server::start(options).await;
    let api = server.api().await;
    api.application("shop").await;
    for path in book::ENDPOINTS {
        api.endpoint("shop", &json!({"url": receiver.url(path)}))
            .await;
    }

    let load = Load::start(&api);
    let mut world = World {
        server,
        receiver,
        book,
        load,
        chance,
    };
    let kills = world.kill_again_and_again().await;
    let World {
        server: _server,
        receiver: _receiver,
        book,
        load,
        ..
    } = world;
    let sent = load.finish().await;
    everything_arrives(&api, &book, &sent).await;

    let repeats = book.repeats(&kills);
    println!(
        "kills: {}, accepted: {}, requests cut off and repeated: {}, lost: 0, \
         arrived twice: {} of at most {}, most at one kill: {}, {:?}",
        kills.len(),
        sent.accepted.len(),
        sent.cut_off,
        repeats.iter().sum::<usize>(),
        kills.len() * IN_FLIGHT_MAX,
        repeats.iter().max().expect("there was a kill"),
        began.elapsed()
    );
    assert!(
        repeats.iter().all(|count| *count <= IN_FLIGHT_MAX),
        "more than in flight: {repeats:?}"
    );
    assert!(sent.cut_off > 0, "no kill hit a request: there was no load");
}

/// How many kills there are: so many, unless E2E_KILLS says otherwise.
fn kills_or(count: u64) -> u64 {
    let given = place::variable("E2E_KILLS");
    given.map_or(count, |text| text.parse().expect("E2E_KILLS is a number"))
}

/// All that takes part.
struct World {
    server: Server,
    receiver: Receiver,
    book: Arc<Book>,
    load: Load,
    chance: Chance,
}

impl World {
    /// Gives when each kill had taken effect.
    async fn kill_again_and_again(&mut self) -> Vec<Instant> {
        let mut kills = Vec::new();
        for _ in 0..kills_or(KILLS) {
            let events = 1 + self.chance.below(EVENTS_MAX);
            match self.chance.below(8) {
                0 => {} // as soon as it was ready
                1..4 => after(self.load.accepted.subscribe(), events).await,
                _ => after(self.book.delivered.subscribe(), events).await,
            }
            self.server.kill().await;
            kills.push(self.gone().await);
            if self.chance.below(4) == 0 {
                let soon = Duration::from_millis(self.chance.below(150));
                self.server.interrupt_start(soon).await;
                kills.push(self.gone().await);
            }
            self.server.restart().await;
            self.load.go_on();
        }
        kills
    }

    /// When all that the killed server had sent has been taken.
    async fn gone(&self) -> Instant {
        self.receiver.disconnected().await;
        Instant::now()
    }
}

/// Waits for so many more events.
async fn after(mut counter: watch::Receiver<u64>, events: u64) {
    let aim = *counter.borrow() + events;
    let counted = within("the load to go on", counter.wait_for(|count| *count >= aim)).await;
    counted.expect("the counter is held");
}

/// Every accepted message at every endpoint.
async fn everything_arrives(api: &Api, book: &Book, sent: &Sent) {
    let mut delivered = book.delivered.subscribe();
    let all = async {
        loop {
            let before = *delivered.borrow_and_update();
            let missing = book.missing(&sent.accepted).len() as u64;
            if missing == 0 {
                return;
            }
            let more = delivered.wait_for(|count| *count >= before + missing);
            more.await.expect("the counter is held");
        }
    };
    if timeout(LAST_DELIVERIES, all).await.is_ok() {
        return;
    }
    let (missing, expected) = (
        book.missing(&sent.accepted),
        sent.accepted.len() * book::ENDPOINTS.len(),
    );
    let (path, message) = missing.first().expect("something is missing");
    let attempts = api.get(&format!("/app/shop/attempt/msg/{message}")).await;
    let endpoints = api.get(&format!("/app/shop/msg/{message}/endpoint")).await;
    panic!(
        "lost: {} of {expected} deliveries, such as {message} at {path}\n{attempts}\n{endpoints}",
        missing.len()
    );
}
