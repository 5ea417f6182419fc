//! The gateway killed again and again in the midst of what comes in. Its senders repeat what was
//! not answered, as providers do, Stripe's signed anew: so every event becomes one message, whether
//! its answer was lost with the server or not, and none is delivered under two ids.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::chance::Chance;
use e2e::senders::Event;
use e2e::server::quiet_address;
use e2e::wait::within_time;
use e2e::{Answer, Api, Options, Received, Receiver, Sender, Server, Signed, Source, within};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::kills_or;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Kills, unless E2E_KILLS says otherwise.
const KILLS: u64 = 12;
/// What each source gets.
const EVENTS: usize = 4_000;
/// How many requests are open at each source.
const OPEN: usize = 16;
/// For the last deliveries, after the last start.
const LAST_DELIVERIES: Duration = Duration::from_secs(180);

/// What arrived behind the sources: by source and number, the ids that it came under.
#[derive(Default)]
struct Book {
    arrived: Mutex<BTreeMap<(String, u64), BTreeSet<String>>>,
    count: watch::Sender<usize>,
}

impl Book {
    fn note(&self, request: &Received) -> Answer {
        let number = request.json()["number"].as_u64().expect("a number");
        let mut arrived = self.arrived.lock().expect("nobody panics with it");
        let key = (request.path.clone(), number);
        let ids = arrived.entry(key).or_default();
        ids.insert(request.id().to_owned());
        self.count.send_replace(arrived.len());
        Answer::status(200)
    }
}

/// A sender with all that it sends, until each is answered.
#[derive(Clone)]
struct Stream {
    path: &'static str,
    source: Source,
    /// Each event, as it is signed for one attempt and for the next.
    requests: Arc<[[Signed; 2]]>,
    taken: watch::Sender<u64>,
    starts: watch::Receiver<u64>,
}

/// What of it was answered: the message that each became, and how many answers were lost.
#[derive(Default)]
struct Sent {
    taken: BTreeMap<(String, u64), String>,
    cut_off: u64,
    repeats: u64,
}

impl Stream {
    /// Sends every so manieth.
    async fn run(mut self, first: usize) -> Sent {
        let mut sent = Sent::default();
        let requests = Arc::clone(&self.requests);
        for (number, event) in requests.iter().enumerate().skip(first).step_by(OPEN) {
            let reply = self.send(event, &mut sent.cut_off).await;
            sent.repeats += u64::from(reply["duplicate"] == true);
            let id = reply["id"].as_str().expect("an id").to_owned();
            sent.taken.insert((self.path.to_owned(), number as u64), id);
            self.taken.send_modify(|count| *count += 1);
        }
        sent
    }

    async fn send(&mut self, event: &[Signed; 2], cut_off: &mut u64) -> Value {
        let mut attempts = event.iter().cycle();
        loop {
            let request = attempts.next().expect("it goes round");
            let start = *self.starts.borrow_and_update();
            match self.source.try_send(request).await {
                Ok(reply) => return reply.expect(200).json(),
                Err(error) => {
                    *cut_off += 1;
                    let what = format!("a start after the server was gone ({error})");
                    let again = self.starts.wait_for(|starts| *starts > start);
                    let again = within(what, again).await;
                    again.expect("the test holds the sender");
                }
            }
        }
    }
}

/// All messages of a source's application.
async fn messages(api: &Api, source: &Source) -> BTreeSet<String> {
    let (mut all, mut iterator) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/app/{}/msg?limit=250{iterator}", source.id);
        let page = api.get(&path).await.expect(200).json();
        let items = page["data"].as_array().expect("a list").iter();
        all.extend(items.map(|item| item["id"].as_str().expect("an id").to_owned()));
        if page["done"] == true {
            return all;
        }
        iterator = format!("&iterator={}", page["iterator"].as_str().expect("a place"));
    }
}

async fn signed(sender: Sender) -> Arc<[[Signed; 2]]> {
    let timestamp = jiff::Timestamp::now().as_second();
    let event = |number: usize| {
        let event = Event {
            id: format!("evt_{number}"),
            event_type: "push".to_owned(),
            timestamp,
            body: format!(r#"{{"id":"evt_{number}","type":"push","number":{number}}}"#).into(),
        };
        [event.older(1), event]
    };
    let events: Vec<_> = (0..EVENTS).flat_map(event).collect();
    let signed = sender.sign(SECRET, &events).await;
    let attempts = signed.chunks_exact(2);
    attempts
        .map(|two| [two[0].clone(), two[1].clone()])
        .collect()
}

/// Senders at work.
struct Load {
    sources: Vec<Source>,
    taken: watch::Sender<u64>,
    starts: watch::Sender<u64>,
    streams: JoinSet<Sent>,
}

impl Load {
    /// Starts them. Of one, the time is signed; of the other, what came is known by its content
    /// alone.
    async fn start(api: &Api, receiver: &Receiver) -> Self {
        let mut load = Self {
            sources: Vec::new(),
            taken: watch::Sender::new(0),
            starts: watch::Sender::new(1),
            streams: JoinSet::new(),
        };
        let kinds = [
            ("stripe", "/stripe", Sender::Stripe),
            ("github", "/github", Sender::Octokit),
        ];
        for (source_type, path, sender) in kinds {
            // However long the kills take.
            let config = json!({"secret": SECRET, "toleranceSeconds": 3_600});
            let source = Source::new(api, source_type, config).await;
            source.endpoint(&receiver.url(path)).await;
            let stream = Stream {
                path,
                source: source.clone(),
                requests: signed(sender).await,
                taken: load.taken.clone(),
                starts: load.starts.subscribe(),
            };
            load.sources.push(source);
            for first in 0..OPEN {
                load.streams.spawn(stream.clone().run(first));
            }
        }
        load
    }

    async fn kill_again_and_again(&self, server: &mut Server, chance: &mut Chance) {
        let all = (self.sources.len() * EVENTS) as u64;
        let kills = kills_or(KILLS);
        for kill in 1..=kills {
            let aim = all * kill / (kills + 1) + chance.below(1 + all / kills / 4);
            let mut counter = self.taken.subscribe();
            let counted = counter.wait_for(|count| *count >= aim);
            let counted = within("the stream to go on", counted).await;
            counted.expect("it is held");
            server.kill().await;
            server.restart().await;
            self.starts.send_modify(|starts| *starts += 1);
        }
    }

    /// Waits until all is sent.
    async fn finish(mut self) -> Sent {
        let mut all = Sent::default();
        while let Some(part) = within("the last requests", self.streams.join_next()).await {
            let part = part.unwrap_or_else(|error| panic!("a sender failed: {error}"));
            all.taken.extend(part.taken);
            all.cut_off += part.cut_off;
            all.repeats += part.repeats;
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_the_gateway_loses_nothing_and_takes_nothing_twice() {
    let (mut chance, book) = (Chance::new(), Arc::new(Book::default()));
    let receiver = Receiver::start({
        let book = Arc::clone(&book);
        move |request| book.note(request)
    })
    .await;
    let options = Options::dev()
        .listen(quiet_address(&mut chance))
        .option("--retry-schedule", ["1"; 40].join(","));
    let mut server = Server::start(options).await;
    let api = server.api().await;
    let load = Load::start(&api, &receiver).await;
    load.kill_again_and_again(&mut server, &mut chance).await;
    let sources = load.sources.clone();
    let sent = load.finish().await;

    let mut count = book.count.subscribe();
    let last = count.wait_for(|count| *count >= sent.taken.len());
    let last = within_time(LAST_DELIVERIES, "the last deliveries", last).await;
    last.expect("it is held");
    println!(
        "kills: {}, taken: {}, cut off and repeated: {}, of which had been taken: {}",
        kills_or(KILLS),
        sent.taken.len(),
        sent.cut_off,
        sent.repeats
    );
    assert!(sent.cut_off > 0, "no kill hit a request: there was no load");
    // What was answered is what there is, and what was delivered.
    let mut there = BTreeSet::new();
    for source in &sources {
        there.extend(messages(&api, source).await);
    }
    let answered: BTreeSet<_> = sent.taken.values().cloned().collect();
    assert_eq!(answered.len(), sources.len() * EVENTS);
    assert!(there == answered, "messages that nobody was told of");
    let one_each = sent.taken.into_iter();
    let one_each = one_each.map(|(key, id)| (key, BTreeSet::from([id])));
    let arrived = book.arrived.lock().expect("nobody panics with it");
    assert!(*arrived == one_each.collect(), "{}", server.log());
}
