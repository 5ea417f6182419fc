//! Detection in a real server: what is far from usual is one event, nothing is done about it unless
//! somebody says so, and whoever is blocked then is let in again.

use e2e::command::postrider;
use e2e::place;
use e2e::wait::PATIENCE;
use e2e::{Answer, Api, Call, Options, Receiver, Reply, Server, Source, eventually, within};
use http::Method;
use model::Timestamp;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

const SECRET: &str = "whsec_only_the_provider_and_we_know";
const HERE: &str = "198.51.100.7";
const ELSEWHERE: &str = "198.51.100.8";
/// In January 2026.
const LONG_AGO: i64 = 1_767_571_200;

/// A server with this `[detection]`, which believes this machine on whose behalf it sends, and
/// tries twice to deliver.
async fn server(home: &TempDir, detection: &str) -> Server {
    let file = home.path().join("postrider.toml");
    std::fs::write(&file, detection).expect("a file can be written");
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    let options = Options::dev().option("--config", file);
    let options = options.option("--trusted-proxy", "127.0.0.0/8");
    Server::start(options.option("--retry-schedule", "1")).await
}

/// Asks on behalf of an address.
async fn from(api: &Api, address: &str) -> Reply {
    let call = Call::new(Method::GET, "/app");
    api.call(call.header("x-forwarded-for", address)).await
}

/// What detection has found, once it has found something.
async fn found(api: &Api) -> Vec<Value> {
    eventually("a finding", || async {
        let list = api.get("/security/event?kind=traffic.anomaly").await;
        let list = list.expect(200).json();
        let found = list["data"].as_array().filter(|rows| !rows.is_empty());
        found.cloned().ok_or_else(|| list.to_string())
    })
    .await
}

#[tokio::test]
async fn a_burst_of_wrong_signatures_is_one_anomaly_and_nobody_is_blocked_for_it() {
    let home = tempfile::tempdir().expect("a directory");
    let rule = "[detection.brute-force-by-address]\nfailures = 5\n";
    let mut server = server(&home, rule).await;
    let api = server.api().await;
    let source = Source::new(&api, "stripe", json!({"secret": SECRET})).await;
    let token = home.path().join("token");
    std::fs::write(&token, server.token().await).expect("a file can be written");
    let url = server.url();
    let mut tail = Tail::start(&url, &token).await;

    for _ in 0..12 {
        let forged = Call::post(&source.inbound, "{}");
        let forged = forged.header("x-forwarded-for", HERE);
        api.call(forged.header("stripe-signature", "t=1,v1=00"))
            .await
            .expect(401);
    }
    let rows = found(&api).await;
    assert_eq!((rows.len(), &rows[0]["count"]), (1, &json!(1)), "{rows:?}");
    assert_eq!(rows[0]["severity"], "warning");
    assert_eq!(rows[0]["remoteAddress"], HERE);
    let subject = json!({"type": "source", "id": source.id});
    assert_eq!(rows[0]["subject"], subject);
    let text = rows[0]["description"].as_str().expect("a text");
    assert!(text.starts_with("brute-force-by-address: "), "{text}");
    assert!(text.contains("since"), "{text}");
    from(&api, HERE).await.expect(200);

    assert_eq!(tail.next().await, rows[0]);
    let door = ["--server", &url, "--token-file", text_of(&token)];
    let list = ["security", "list", "--kind", "traffic.anomaly"];
    let shown = postrider(&[&list[..], &door].concat()).await;
    assert!(shown.text().contains("brute-force-by-address"));
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn an_address_is_blocked_for_a_while_where_somebody_says_so_and_let_in_again() {
    let home = tempfile::tempdir().expect("a directory");
    let rule = "[detection]\nblock_for = '10s'\n[detection.brute-force-by-address]\n\
                failures = 5\nrespond = ['block-address']\n";
    let mut server = server(&home, rule).await;
    let api = server.api().await;
    let source = Source::new(&api, "stripe", json!({"secret": SECRET})).await;
    let guessing = api.with_token("made-up");
    eventually("a block", || async {
        let reply = from(&guessing, HERE).await;
        match reply.status {
            403 => Ok(()),
            other => Err(format!("it is answered with {other}")),
        }
    })
    .await;
    // With a good token too, and at the gateway.
    from(&api, HERE).await.expect_error(403, "address_blocked");
    let sent = Call::post(&source.inbound, "{}").header("x-forwarded-for", HERE);
    api.call(sent).await.expect_error(403, "address_blocked");
    from(&api, ELSEWHERE).await.expect(200);
    api.get("/app").await.expect(200);
    let rows = found(&api).await;
    let text = rows[0]["description"].as_str().expect("a text");
    assert!(text.contains("requests from 198.51.100.7 are refused for 10 s"));
    eventually("the block's end", || async {
        let reply = from(&api, HERE).await;
        match reply.status {
            200 => Ok(()),
            other => Err(format!("it is answered with {other}")),
        }
    })
    .await;
    server
        .printed("requests from 198.51.100.7 are answered again")
        .await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn an_endpoint_is_paused_where_somebody_says_so() {
    let home = tempfile::tempdir().expect("a directory");
    let rule = "[detection.url-change-then-secrets]\nsecrets = 1\n\
                respond = ['pause-endpoint', 'block-address']\n";
    let mut server = server(&home, rule).await;
    let api = server.api().await;
    api.application("shop").await;
    let url = |name: &str| json!({ "url": format!("http://127.0.0.1:8999/{name}") });
    let endpoint = api.endpoint("shop", &url("old")).await;
    let path = format!("/app/shop/endpoint/{endpoint}");
    api.patch(&path, &url("new")).await.expect(200);
    api.secret("shop", &endpoint).await;
    eventually("a paused endpoint", || async {
        let shown = api.get(&path).await.expect(200).json();
        let is_paused = shown["disabled"] == true;
        is_paused.then_some(()).ok_or_else(|| shown.to_string())
    })
    .await;
    let list = eventually("the event", || async {
        let list = api.get("/security/event?kind=endpoint.disabled").await;
        let list = list.expect(200).json();
        let rows = list["data"].as_array().filter(|rows| !rows.is_empty());
        rows.cloned().ok_or_else(|| list.to_string())
    })
    .await;
    let text = list[0]["description"].as_str().expect("a text");
    assert!(text.contains("url-change-then-secrets"), "{text}");
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_key_that_takes_very_much_out_is_ended_where_somebody_says_so_and_an_admin_never() {
    let home = tempfile::tempdir().expect("a directory");
    let rule = "[detection.mass-export]\ncount = 20\nrespond = ['disable-key']\n";
    let mut server = server(&home, rule).await;
    let api = server.api().await;
    api.application("shop").await;
    send(&api, 10).await;
    let key = Key::new(&api).await;
    long_known(&mut server).await;

    let content = "/app/shop/msg?with_content=true";
    for caller in [&key.api, &api] {
        for _ in 0..2 {
            let page = caller.get(content).await.expect(200).json();
            assert_eq!(page["data"].as_array().map(Vec::len), Some(10), "{page}");
        }
    }
    // It is counted once a minute.
    let line = format!("by the rule mass-export: the API key {} is ended", key.id);
    server.printed_within(PATIENCE * 2, &line).await;
    // It is written behind that.
    eventually("the key's end", async || {
        match key.api.get(content).await.status {
            401 => Ok(()),
            other => Err(format!("it is answered with {other}")),
        }
    })
    .await;
    api.get(content).await.expect(200);

    let rows = eventually("two findings", || async {
        let rows = found(&api).await;
        let both = rows.len() == 2;
        both.then_some(rows.clone()).ok_or(format!("{rows:?}"))
    })
    .await;
    for row in rows {
        let text = row["description"].as_str().expect("a text");
        assert!(text.starts_with("mass-export: "), "{text}");
        assert!(text.contains("now: 20 rows"), "{text}");
        let of_key = row["subject"] == json!({"type": "apiKey", "id": key.id});
        assert_eq!(text.contains("is ended"), of_key, "{row}");
    }
    let entry = key.end_in_audit(&api).await;
    assert!(
        entry["actor"].to_string().contains("mass-export"),
        "{entry}"
    );
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn replays_in_the_background_are_counted_and_what_is_found_at_the_end_is_acted_on() {
    let home = tempfile::tempdir().expect("a directory");
    let rule = "[detection.mass-replay]\ncount = 30\nrespond = ['disable-key']\n";
    let mut server = server(&home, rule).await;
    let api = server.api().await;
    api.application("shop").await;
    let refusing = Receiver::start(|_| Answer::status(500)).await;
    let willing = Receiver::willing().await;
    let since = api.get("/app/shop").await.expect(200).json()["createdAt"].clone();
    let body = json!({"uid": "early", "url": refusing.url("/")});
    api.endpoint("shop", &body).await;
    send(&api, 10).await;
    settled(&api, "early").await;
    let body = json!({"uid": "late", "url": willing.url("/")});
    api.endpoint("shop", &body).await;
    let key = Key::new(&api).await;
    long_known(&mut server).await;

    for (path, endpoint) in [
        ("recover", "early"),
        ("replay-missing", "late"),
        ("bulk-replay", "late"),
    ] {
        let path = format!("/app/shop/endpoint/{endpoint}/{path}");
        let task = key.api.post(&path, &json!({ "since": since })).await;
        let task = task.expect(202).json();
        finished(&api, &task).await;
        settled(&api, endpoint).await;
    }
    assert!(server.terminate().await.success());

    server.restart().await;
    key.api.get("/app").await.expect(401);
    let rows = found(&api).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["subject"], json!({"type": "apiKey", "id": key.id}));
    let text = rows[0]["description"].as_str().expect("a text");
    assert!(text.starts_with("mass-replay: "), "{text}");
    assert!(text.contains("now: 30 messages"), "{text}");
    assert!(text.contains(&format!("the API key {} is ended", key.id)));
    let entry = key.end_in_audit(&api).await;
    assert!(
        entry["actor"].to_string().contains("mass-replay"),
        "{entry}"
    );
    assert!(server.terminate().await.success());
}

/// An API key that may all.
struct Key {
    id: String,
    api: Api,
}

impl Key {
    async fn new(api: &Api) -> Self {
        let who = api.get("/auth/whoami").await.expect(200).json();
        let organisation = who["envId"].as_str().expect("an id");
        let path = format!("/management/authentication/{organisation}/api-token");
        let made = api.post(&path, &json!({"name": "CI"})).await;
        let made = made.expect(200).json();
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Self {
            id: text("id"),
            api: api.with_token(&text("token")),
        }
    }

    /// What the audit log has of its end.
    async fn end_in_audit(&self, api: &Api) -> Value {
        let list = api.get("/audit?action=api_key.expired").await;
        let list = list.expect(200).json();
        let rows = list["data"].as_array().expect("a list");
        assert_eq!(rows.len(), 1, "{list}");
        assert!(rows[0].to_string().contains(&self.id), "{list}");
        rows[0].clone()
    }
}

/// Starts the server again, as one that has been watched for more than a week: rules that rest on
/// what is usual say nothing before.
async fn long_known(server: &mut Server) {
    assert!(server.terminate().await.success());
    let mut detection = watch::detect::Detection::new(watch::detect::Config::default());
    detection.pass(Timestamp::from_seconds(LONG_AGO));
    let database = rusqlite::Connection::open(server.data_dir().join("postrider.db"));
    let database = database.expect("the database can be opened");
    let written = database.execute(
        "UPDATE setting SET value = ?1 WHERE name = 'detection'",
        [detection.save()],
    );
    assert_eq!(written.expect("it can be written"), 1, "it was kept before");
    drop(database);
    server.restart().await;
}

/// Sends so many messages.
async fn send(api: &Api, count: usize) {
    let message = json!({"eventType": "order.paid", "payload": {"total": 12}});
    let batch = json!({"messages": vec![message; count]});
    api.post("/app/shop/msg/batch", &batch).await.expect(202);
}

/// Waits until everything that an endpoint was to get has come to an end.
async fn settled(api: &Api, endpoint: &str) {
    eventually(format!("nothing under way to {endpoint}"), async || {
        let path = format!("/app/shop/endpoint/{endpoint}/stats");
        let stats = api.get(&path).await.expect(200).json();
        let [pending, sending, success, fail] =
            ["pending", "sending", "success", "fail"].map(|name| stats[name].as_u64());
        match (pending, sending) == (Some(0), Some(0)) && success.max(fail) > Some(0) {
            true => Ok(()),
            false => Err(stats.to_string()),
        }
    })
    .await;
}

/// Waits until background work has come to its end.
async fn finished(api: &Api, task: &Value) {
    let id = task["id"].as_str().expect("an id");
    eventually(format!("the end of {id}"), async || {
        let shown = api.get(&format!("/background-task/{id}")).await;
        let shown = shown.expect(200).json();
        let is_finished = shown["status"] == "finished";
        is_finished.then_some(()).ok_or_else(|| shown.to_string())
    })
    .await;
}

/// `security tail`, as it goes on.
struct Tail {
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    child: tokio::process::Child,
}

impl Tail {
    async fn start(url: &str, token: &Path) -> Self {
        let mut command = place::command(place::binary());
        command.args(["security", "tail", "--kind", "traffic.anomaly", "--json"]);
        command.args([
            "--after",
            "1h",
            "--server",
            url,
            "--token-file",
            text_of(token),
        ]);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let output = child.stdout.take().expect("it is piped");
        let lines = BufReader::new(output).lines();
        Self { lines, child }
    }

    /// The next event; then it is ended.
    async fn next(&mut self) -> Value {
        let line = within("a line", self.lines.next_line()).await;
        let line = line.expect("it is read").expect("there is one");
        self.child.kill().await.expect("it is ended");
        serde_json::from_str(&line).expect("JSON")
    }
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
