//! What docs/moving-in.md tells a team to do, from the first step to the last, and the way back:
//! two servers side by side, each with messages on their way to the same receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use e2e::command::run;
use e2e::{Answer, Api, Options, Received, Receiver, Server, eventually};
use serde_json::{Value, json};

use super::{Move, SECRET, contents, text};

/// How often it is tried again, two seconds apart: longer than the test takes, so that what fails
/// stays open until its receiver works again.
const RETRIES: usize = 50;

/// A team that moves, and its customer's receiver.
struct Team {
    here: Move,
    receiver: Receiver,
    /// The status that the receiver answers with.
    answers: Arc<AtomicU16>,
}

impl Team {
    /// With two applications at the old sender, and nothing at the new one.
    async fn new() -> Self {
        let schedule = ["2"; RETRIES].join(",");
        let options = || Options::dev().option("--retry-schedule", &schedule);
        let (old, new) = (
            Server::start(options()).await,
            Server::start(options()).await,
        );
        let here = Move::between(old, new).await;
        let answers = Arc::new(AtomicU16::new(200));
        let status = Arc::clone(&answers);
        let answer = move |_: &Received| Answer::status(status.load(Ordering::SeqCst));
        let receiver = Receiver::start(answer).await;
        let schema = json!({"type": "object", "examples": [{"id": "order_0"}]});
        let event_type = json!({"name": "order.paid", "description": "", "schemas": {"1": schema}});
        here.from.post("/event-type", &event_type).await.expect(201);
        for app in ["acme", "globex"] {
            here.from.application(app).await;
            let url = receiver.url(&format!("/{app}"));
            let endpoint = json!({"url": url, "uid": "first", "secret": SECRET});
            here.from.endpoint(app, &endpoint).await;
        }
        Self {
            here,
            receiver,
            answers,
        }
    }

    /// From now on the receiver answers with this status.
    fn receiver_answers(&self, status: u16) {
        self.answers.store(status, Ordering::SeqCst);
    }

    /// What a command prints at the new server.
    async fn asks(&self, line: &str, more: &[&str]) -> String {
        let words: Vec<&str> = line.split(' ').chain(more.iter().copied()).collect();
        let command = self.here.command_to(&self.here.target.url(), &words);
        run(command).await.text().to_owned()
    }

    /// Sends a message of an application, and gives its id when it has arrived: genuine, and at
    /// this path, whatever is answered.
    async fn orders(&self, api: &Api, app: &str, path: &str) -> String {
        let id = api.send(app, "order.paid", &json!({"id": "order_1"})).await;
        loop {
            // What failed before is tried in between.
            let request = self.receiver.next().await;
            if request.id() == id {
                assert_eq!(request.path, path);
                assert_eq!(self.here.verdict(SECRET, &request).await, "genuine");
                return id;
            }
        }
    }

    async fn moves(&self, app: &str) {
        let (report, status) = self.here.report(&["--app", app, "--yes"]).await;
        let is = (status, &report["complete"]);
        assert_eq!(is, (Some(0), &json!(true)), "{report}");
    }
}

#[tokio::test]
async fn one_application_after_another_is_moved_and_there_is_a_way_back() {
    let mut team = Team::new().await;
    import_and_try(&team).await;
    let waiting = move_one(&team).await;
    turn_the_old_one_off(&mut team, &waiting).await;
    go_back(&mut team).await;
}

/// Steps 2 and 3: shown, done, and repeated until all is the same; then an example, verified.
async fn import_and_try(team: &Team) {
    let here = &team.here;
    let shown = here.import(&[]).await;
    assert!(shown.text().contains("Nothing was done yet"), "{shown:?}");
    here.import(&["--yes"]).await.expect(0);
    let again = here.import(&["--yes"]).await;
    for same in ["event types: 1", "applications: 2", "endpoints: 2"] {
        let same = format!("{same} the same");
        assert!(again.text().contains(&same), "no {same:?} in {again:?}");
    }
    assert_eq!(contents(&here.to).await, contents(&here.from).await);

    let own = Receiver::willing().await;
    let create = "endpoint create --app trial --uid own --url";
    team.asks("app create --name Trial --uid trial", &[]).await;
    team.asks(create, &[&own.url("/")]).await;
    let example = "endpoint send-example --app trial own --type order.paid";
    team.asks(example, &[]).await;
    let request = own.next().await;
    assert_eq!(request.json(), json!({"id": "order_0"}));
    let secret = team.asks("endpoint secret --app trial own", &[]).await;
    assert_eq!(here.verdict(&secret, &request).await, "genuine");
}

/// Steps 4 and 5: one application is moved while the old sender still tries to deliver a message of
/// it, and the customer's receiver is out of order. Gives that message.
async fn move_one(team: &Team) -> String {
    let here = &team.here;
    team.receiver_answers(503);
    let waiting = team.orders(&here.from, "acme", "/acme").await;
    let changed = json!({"url": team.receiver.url("/acme/v2")});
    let endpoint = "/app/acme/endpoint/first";
    here.from.patch(endpoint, &changed).await.expect(200);
    team.moves("acme").await;

    let moved = team.orders(&here.to, "acme", "/acme/v2").await;
    let stayed = team.orders(&here.from, "globex", "/globex").await;
    for (api, app, id) in [
        (&here.to, "acme", &waiting),
        (&here.from, "acme", &moved),
        (&here.to, "globex", &stayed),
    ] {
        let path = format!("/app/{app}/msg/{id}");
        api.get(&path).await.expect_error(404, "not_found");
    }
    let failed = "attempt list --app acme --endpoint first --status fail";
    eventually("the failed attempt to be shown", async || {
        let shown = team.asks(failed, &[]).await;
        match shown.contains(&moved) && !shown.contains(&waiting) {
            true => Ok(()),
            false => Err(shown),
        }
    })
    .await;
    waiting
}

/// The rest of step 5, and step 6: all is moved, and the old sender ends what it has accepted.
async fn turn_the_old_one_off(team: &mut Team, waiting: &str) {
    team.moves("globex").await;
    team.orders(&team.here.to, "globex", "/globex").await;
    team.receiver_answers(200);
    nothing_is_open(&team.here, &team.here.source, "old.token").await;
    let path = format!("/app/acme/attempt/msg/{waiting}?status=0");
    let delivered = team.here.from.get(&path).await.expect(200).json();
    assert_eq!(delivered["data"].as_array().map(Vec::len), Some(1));
    assert!(team.here.source.terminate().await.success());
    team.orders(&team.here.to, "acme", "/acme/v2").await;
    nothing_is_open(&team.here, &team.here.target, "new.token").await;
}

/// The way back: what was changed meanwhile is not there, and what was accepted meanwhile arrives.
async fn go_back(team: &mut Team) {
    let update = "endpoint update --app acme first --url";
    let changed = team.receiver.url("/acme/v3");
    team.asks(update, &[&changed]).await;
    team.receiver_answers(503);
    team.orders(&team.here.to, "acme", "/acme/v3").await;
    team.here.source.restart().await;
    team.orders(&team.here.from, "acme", "/acme/v2").await;

    let again = team.here.report(&["--app", "acme"]).await.0;
    assert_eq!(again["applied"], false);
    let steps = again["steps"].as_array().expect("steps").iter();
    let shown: Vec<_> = steps
        .map(|step| (text(step, "name"), &step["fields"]))
        .collect();
    assert_eq!(shown, [("acme/first", &json!(["url"]))], "{again}");

    let open = "delivery list --state pending --json";
    let open: Value = serde_json::from_str(&team.asks(open, &[]).await).expect("JSON");
    let open = open["data"].as_array().map(Vec::len);
    assert_eq!(open, Some(1), "it is tried until it arrives");
    team.receiver_answers(200);
    nothing_is_open(&team.here, &team.here.target, "new.token").await;
    assert!(team.here.target.terminate().await.success());
    team.orders(&team.here.from, "acme", "/acme/v2").await;
}

/// Waits until a server says that it has nothing left to deliver.
async fn nothing_is_open(here: &Move, server: &Server, token: &str) {
    eventually("nothing to be open", async || {
        let list = ["delivery", "list", "--state", "pending"];
        let mut list = here.command_to(&server.url(), &list);
        list.env("POSTRIDER_TOKEN_FILE", here.file(token));
        let shown = run(list).await.text().to_owned();
        (shown == "none").then_some(()).ok_or(shown)
    })
    .await;
}
