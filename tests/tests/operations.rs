//! What an operator does and meets: starting, refusals to start, tokens, backup and restore, an
//! orderly end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::command::{Outcome, postrider};
use e2e::{Answer, Gate, Options, Receiver, Server, clients, within};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;

#[tokio::test]
async fn a_second_process_on_the_same_data_directory_is_refused() {
    let mut server = Server::start(Options::dev()).await;
    serve(server.data_dir(), &["--dev"])
        .await
        .expect(3)
        .complains_of("in use by another process");
    let api = server.api().await;
    api.application("still-works").await;
    // The lock goes with the process, however that ends.
    server.kill().await;
    server.restart().await;
}

#[tokio::test]
async fn a_wrong_master_key_refuses_to_start() {
    let mut server = Server::start(Options::dev()).await;
    server.api().await.application("shop").await;
    server.terminate().await;
    let key = server.data_dir().join("master.key");
    let (right, other) = (fs::read(&key).expect("a key"), server.home().join("other"));
    postrider(&["keys", "generate", "--data-dir", text(&other)])
        .await
        .expect(0);
    fs::copy(other.join("master.key"), &key).expect("a copy");
    serve(server.data_dir(), &["--dev"])
        .await
        .expect(3)
        .complains_of("master key");
    fs::write(&key, "no key at all").expect("a file");
    serve(server.data_dir(), &["--dev"])
        .await
        .expect(3)
        .complains_of("master key");
    fs::write(&key, right).expect("a file");
    server.restart().await;
    server.api().await.get("/app/shop").await.expect(200);
}

#[tokio::test]
async fn keys_are_never_overwritten() {
    let home = tempfile::tempdir().expect("a directory");
    let data_dir = home.path().join("data");
    let generate = ["keys", "generate", "--data-dir", text(&data_dir)];
    postrider(&generate).await.expect(0);
    let keys =
        ["master.key", "token.key"].map(|name| fs::read(data_dir.join(name)).expect("a key"));
    assert_ne!(keys[0], keys[1]);
    postrider(&generate).await.expect(3).complains_of("already");
    let again =
        ["master.key", "token.key"].map(|name| fs::read(data_dir.join(name)).expect("a key"));
    assert_eq!(keys, again);
    let server = Server::start(Options::dev().data_dir(&data_dir)).await;
    let used = fs::read(server.data_dir().join("master.key")).expect("a key");
    assert_eq!(used, keys[0], "serve takes the keys that are there");
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    let mut server = Server::start(Options::dev()).await;
    server.terminate().await;
    let database = server.data_dir().join("postrider.db");
    let connection = rusqlite::Connection::open(&database).expect("the database");
    let version = "user_version";
    let known: i64 = connection
        .pragma_query_value(None, version, |row| row.get(0))
        .expect("the schema's version");
    connection
        .pragma_update(None, version, known + 1)
        .expect("a newer version");
    let refused = serve(server.data_dir(), &["--dev"]).await;
    refused
        .expect(3)
        .complains_of("schema version")
        .complains_of(&(known + 1).to_string());
    connection
        .pragma_update(None, version, known)
        .expect("the version it was");
    drop(connection);
    server.restart().await;
}

#[tokio::test]
async fn the_data_directory_and_the_keys_are_for_their_owner_alone() {
    let server = Server::start(Options::dev()).await;
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(server.data_dir()), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(server.data_dir()).expect("the data directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 3, "a database and two keys at least, not {files}");
}

/// 1,024 is what most systems give at first, and the most that they allow is far more.
#[tokio::test]
async fn connections_are_not_limited_by_the_open_files_that_a_process_is_given_at_first() {
    let mut server = Server::start(Options::dev().open_files(64)).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        let connection = TcpStream::connect(server.address()).await;
        idle.push(connection.expect("the server listens"));
    }
    server.api().await.application("still-works").await;
}

#[tokio::test]
async fn tokens_are_minted_with_an_end_and_refused_after_it() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let claims = claims(&server.token().await);
    let seconds = |name: &str| {
        claims[name]
            .as_i64()
            .unwrap_or_else(|| panic!("{name}: {claims}"))
    };
    assert_eq!(seconds("exp") - seconds("iat"), 90 * 86_400, "{claims}");
    assert!(
        ["iss", "aud", "jti", "sub"]
            .iter()
            .all(|name| claims.get(name).is_some()),
        "{claims}"
    );
    let short = server.mint(&["--expires", "12h"]).await;
    let lasting = lifetime(short.text());
    assert_eq!(lasting, Some(12 * 3_600));
    let never = server.mint(&["--expires", "never"]).await;
    let years = lifetime(never.text()).map(|seconds| seconds / (365 * 86_400));
    assert!(
        years > Some(1_000),
        "never, but with an end: {years:?} years"
    );
    server
        .mint(&["--expires", "soon"])
        .await
        .expect(2)
        .complains_of("duration");
    server
        .mint(&["--app", "no-id"])
        .await
        .expect(2)
        .complains_of("id of an application");

    let key = fs::read_to_string(server.data_dir().join("token.key")).expect("a key");
    let now = Timestamp::now().as_second();
    let cases = [
        (json!({}), 200),
        (json!({"exp": now - 2 * 3_600}), 401),
        (json!({"exp": null}), 401),
        (json!({"iss": "somebody-else"}), 401),
        (json!({"aud": "somebody-else"}), 401),
        (json!({"iat": null}), 401),
        (json!({"iat": now + 2 * 3_600}), 401),
        (json!({"nbf": now + 2 * 3_600}), 401),
        (json!({"jti": null}), 401),
        (json!({"sub": "org_another"}), 401),
    ];
    for (changes, expected) in cases {
        let mut forged = claims.clone();
        for (name, value) in changes.as_object().expect("an object") {
            let claims = forged.as_object_mut().expect("an object");
            match value {
                Value::Null => claims.remove(name),
                value => claims.insert(name.clone(), value.clone()),
            };
        }
        let variables = [("KEY", key.trim()), ("CLAIMS", &forged.to_string())];
        let token = clients::run("mint.py", &variables).await;
        let reply = api.with_token(token.trim()).get("/app").await;
        assert_eq!(reply.status, expected, "{changes}: {reply}");
    }
    let reply = api.with_token(key.trim()).get("/app").await;
    reply.expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn the_embedded_store_has_one_node_which_is_listed_while_it_runs() {
    let mut server = Server::start(Options::dev()).await;
    let listed = server.api().await.get("/node").await.expect(200).json();
    let nodes = listed["data"].as_array().expect("a list");
    assert_eq!(nodes.len(), 1, "{listed}");
    assert_eq!(nodes[0]["roles"], json!(["api", "deliver"]), "{listed}");
    assert_eq!(nodes[0]["alive"], true, "{listed}");
    assert_eq!(nodes[0]["leaseEndsAt"], Value::Null, "{listed}");

    let (data_dir, address) = (server.data_dir().to_owned(), server.address().to_string());
    let list = [
        "node",
        "list",
        "--data-dir",
        text(&data_dir),
        "--listen",
        &address,
    ];
    let shown = postrider(&list).await;
    assert!(shown.text().contains("api, deliver"), "{shown:?}");
    let shown = postrider(&[&list[..], &["--json"]].concat()).await;
    let shown: Value = serde_json::from_str(shown.text()).expect("it is JSON");
    assert_eq!(shown["data"], listed["data"]);
    server.kill().await;
    postrider(&list)
        .await
        .expect(3)
        .complains_of("no server answers");
}

#[tokio::test]
async fn dev_prints_a_token_for_twelve_hours() {
    let mut server = Server::start(Options::dev()).await;
    // Tokens begin with the encoded `{"alg":` or `{"typ":`.
    let line = server.printed("eyJ").await;
    let start = line.find("eyJ").expect("the line was found by it");
    let end = line[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let token = &line[start..end.map_or(line.len(), |end| start + end)];
    assert_eq!(lifetime(token), Some(12 * 3_600));
    server
        .api()
        .await
        .with_token(token)
        .get("/app")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_backup_taken_while_running_is_restored_and_served() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    let endpoint = api
        .endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let secret = api.secret("shop", &endpoint).await;
    let message = api.send("shop", "x", &json!({"before": "backup"})).await;
    receiver.next().await;

    let (backup, target) = (server.home().join("backup"), server.home().join("restored"));
    let data_dir = server.data_dir().to_owned();
    let take = ["backup", text(&backup), "--data-dir", text(&data_dir)];
    let said = postrider(&take).await.expect(0).clone();
    let said = format!("{}{}", said.stdout, said.stderr).to_lowercase();
    assert!(
        said.contains("keys"),
        "a backup says that it has no keys: {said}"
    );
    let files = names(&backup);
    assert!(
        !files.is_empty() && !files.iter().any(|name| name.ends_with(".key")),
        "{files:?}"
    );
    postrider(&take).await.expect(3).complains_of("empty");
    api.send("shop", "x", &json!({"after": "backup"})).await;
    receiver.next().await;

    let restore = ["restore", text(&backup), "--data-dir", text(&target)];
    fs::create_dir(&target).expect("a directory");
    fs::write(target.join("something"), "else").expect("a file");
    postrider(&restore).await.expect(3).complains_of("empty");
    assert_eq!(names(&target), ["something"], "nothing was half-restored");
    fs::remove_file(target.join("something")).expect("it is there");
    postrider(&restore).await.expect(0);
    let keyless = serve(&target, &["--dev"]).await;
    keyless.expect(3).complains_of("master.key");
    let made = names(&target)
        .into_iter()
        .any(|name| name.ends_with(".key"));
    assert!(!made, "a new key could not read what was restored");
    for key in ["master.key", "token.key"] {
        fs::copy(data_dir.join(key), target.join(key)).expect("a key");
    }

    let mut restored = Server::start(Options::dev().data_dir(&target)).await;
    let api = restored.api().await;
    let list = api.get("/app/shop/msg").await.expect(200).json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["data"][0]["id"], message);
    assert_eq!(list["data"][0]["payload"], json!({"before": "backup"}));
    assert_eq!(api.secret("shop", &endpoint).await, secret);
    api.send("shop", "x", &json!({"from": "restored"})).await;
    let request = within("the restored server's delivery", async {
        loop {
            // What was not yet recorded as delivered at the backup comes again, as it should.
            let request = receiver.next().await;
            if request.id() != message {
                return request;
            }
        }
    })
    .await;
    assert_eq!(request.json(), json!({"from": "restored"}));
}

#[tokio::test]
async fn results_are_printed_as_json_where_that_is_asked_for() {
    let mut server = Server::start(Options::dev()).await;
    server.terminate().await;
    let data_dir = server.data_dir().to_owned();
    let [backup, restored, keys] =
        ["backup", "restored", "keys"].map(|name| server.home().join(name));
    let json = |outcome: Outcome| -> Value {
        serde_json::from_str(outcome.text()).unwrap_or_else(|_| panic!("no JSON: {outcome:?}"))
    };
    let line = [
        "backup",
        text(&backup),
        "--json",
        "--data-dir",
        text(&data_dir),
    ];
    let expected = json!({"dataDir": data_dir, "backup": backup, "keysIncluded": false});
    assert_eq!(json(postrider(&line).await), expected);
    let line = [
        "restore",
        text(&backup),
        "--json",
        "--data-dir",
        text(&restored),
    ];
    let expected = json!({"dataDir": restored, "backup": backup, "keysIncluded": false});
    assert_eq!(json(postrider(&line).await), expected);
    let line = ["keys", "generate", "--json", "--data-dir", text(&keys)];
    let expected = ["master.key", "token.key"].map(|name| keys.join(name));
    assert_eq!(json(postrider(&line).await), json!({"written": expected}));
    let allowed = json(postrider(&["check-url", "https://93.184.215.14/", "--json"]).await);
    assert_eq!(allowed["allow"], true);
}

#[tokio::test]
async fn a_result_that_nobody_can_be_told_is_an_error_and_no_panic() {
    let mut command = e2e::place::command(Path::new("sh"));
    command.args(["-c", "\"$0\" config >/dev/full"]);
    command.arg(e2e::place::binary());
    let refused = e2e::command::run(command).await;
    refused.expect(3).complains_of("standard output");
}

#[tokio::test]
async fn sigterm_ends_in_order_within_the_drain_timeout() {
    let gate = Gate::new();
    let held = Answer::status(200).after(&gate);
    let receiver = Receiver::in_turn([held, Answer::status(200)]).await;
    let mut server = Server::start(Options::dev().option("--drain-timeout", "20s")).await;
    let api = server.api().await;
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let message = api.send("shop", "x", &json!({})).await;
    receiver.next().await;
    server.signal("TERM").await;
    gate.open();
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());

    // The attempt in flight was finished and recorded: it is not made again.
    server.restart().await;
    let api = server.api().await;
    let list = api
        .get(&format!("/app/shop/attempt/msg/{message}"))
        .await
        .expect(200)
        .json();
    assert_eq!(list["data"][0]["statusText"], "success", "{list}");
    api.send("shop", "x", &json!({"n": 2})).await;
    assert_eq!(receiver.next().await.json(), json!({"n": 2}));
}

#[tokio::test]
async fn what_does_not_end_in_time_is_let_go_and_made_again() {
    for signal in ["TERM", "INT"] {
        let held = Answer::status(200).after(&Gate::new());
        let receiver = Receiver::in_turn([held, Answer::status(200)]).await;
        let mut server = Server::start(Options::dev().option("--drain-timeout", "1s")).await;
        let api = server.api().await;
        api.application("shop").await;
        api.endpoint("shop", &json!({"url": receiver.url("/")}))
            .await;
        let message = api.send("shop", "x", &json!({})).await;
        receiver.next().await;
        let began = Instant::now();
        server.signal(signal).await;
        let (ended, took) = (server.ended().await, began.elapsed());
        assert_eq!(ended.code(), Some(0), "{signal}: {}", server.log());
        // The attempt alone would go on for its 30 seconds.
        assert!(took < Duration::from_secs(25), "{signal}: {took:?}");
        server.restart().await;
        assert_eq!(receiver.next().await.id(), message, "{signal}");
    }
}

#[tokio::test]
async fn neither_the_files_nor_the_logs_hold_what_is_secret() {
    let options = Options::dev().variable("POSTRIDER_LOG", "debug");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    let answer = Answer::status(500).body("marker-in-response");
    let receiver = Receiver::in_turn([answer, Answer::status(200)]).await;
    api.application("shop").await;
    let headers = json!({"x-api-key": "marker-in-header"});
    let body = json!({"url": receiver.url("/"), "headers": headers});
    let endpoint = api.endpoint("shop", &body).await;
    let secret = api.secret("shop", &endpoint).await;
    let message = api
        .send("shop", "x", &json!({"text": "marker-in-payload"}))
        .await;
    receiver.next().await;
    let resend = format!("/app/shop/msg/{message}/endpoint/{endpoint}/resend");
    api.post(&resend, &json!({})).await.expect(202);
    let request = receiver.next().await;
    let signature = request.header("webhook-signature").to_owned();
    let token = server.token().await;

    let key = secret.trim_start_matches("whsec_").to_owned();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&key)
        .expect("base64");
    let mut searched = hidden(server.data_dir(), &key, &bytes);
    server.terminate().await; // with its last checkpoint
    searched += hidden(server.data_dir(), &key, &bytes);
    assert!(searched > 0, "no file was searched");
    let log = server.log();
    for part in ["marker-in-", &key, &signature, &token] {
        assert!(!log.contains(part), "the log holds {part}:\n{log}");
    }
}

/// Asserts that no file holds a marker or the secret; gives how many were searched.
fn hidden(data_dir: &Path, key: &str, bytes: &[u8]) -> usize {
    let files = names(data_dir);
    let searched = files.iter().filter(|name| !name.ends_with(".key"));
    let mut count = 0;
    for name in searched {
        let content = fs::read(data_dir.join(name)).expect("a file");
        for part in [b"marker-in-", key.as_bytes(), bytes] {
            let found = content.windows(part.len()).any(|window| window == part);
            assert!(!found, "{name} holds {:?}", String::from_utf8_lossy(part));
        }
        count += 1;
    }
    count
}

async fn serve(data_dir: &Path, arguments: &[&str]) -> Outcome {
    let begin = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        text(data_dir),
    ];
    postrider(&[&begin[..], arguments].concat()).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn claims(token: &str) -> Value {
    let payload = token
        .split('.')
        .nth(1)
        .unwrap_or_else(|| panic!("no token: {token}"));
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    serde_json::from_slice(&payload).expect("claims are JSON")
}

/// The seconds that a token is good for.
fn lifetime(token: &str) -> Option<i64> {
    let claims = claims(token);
    Some(
        claims["exp"].as_i64()?
            - claims["iat"]
                .as_i64()
                .expect("a token says when it was made"),
    )
}
