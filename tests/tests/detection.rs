//! Detection in a real server: what is far from usual is one event, nothing is done about it unless
//! somebody says so, and whoever is blocked then is let in again.

use e2e::command::postrider;
use e2e::place;
use e2e::{Api, Call, Options, Reply, Server, Source, eventually, within};
use http::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

const SECRET: &str = "whsec_only_the_provider_and_we_know";
const HERE: &str = "198.51.100.7";
const ELSEWHERE: &str = "198.51.100.8";

/// A server with this `[detection]`, which believes this machine on whose behalf it sends.
async fn server(home: &TempDir, detection: &str) -> Server {
    let file = home.path().join("postrider.toml");
    std::fs::write(&file, detection).expect("a file can be written");
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    let options = Options::dev().option("--config", file);
    Server::start(options.option("--trusted-proxy", "127.0.0.0/8")).await
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
    let rule = "[detection]\nblock_for = '4s'\n[detection.brute-force-by-address]\n\
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
    assert!(text.contains("requests from 198.51.100.7 are refused for 4 s"));
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
