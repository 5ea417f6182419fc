//! What is counted, as monitoring reads it: what a server tells after some deliveries, who may
//! look, and that the documents, the alert rules and the dashboard name what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use e2e::{Answer, Api, Options, Receiver, Server, eventually};
use http::Method;
use serde_json::{Value, json};

/// A server with a listener for monitoring, and that.
async fn watched(options: Options) -> (Server, Api) {
    let server = Server::start(options.option("--metrics-listen", "0")).await;
    let line = server.printed("metrics at ").await;
    let (_, url) = line.split_once("metrics at ").expect("it is there");
    let end = url.find("/metrics").expect("it says where");
    let monitoring = Api::new(&url[..end], "");
    (server, monitoring)
}

/// What is read there: each sample by its name and labels.
async fn read(monitoring: &Api) -> BTreeMap<String, f64> {
    let reply = monitoring.get("/metrics").await.expect(200);
    let kind = reply.headers["content-type"].to_str().expect("a text");
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(reply.body.to_vec()).expect("a text");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    samples.map(sample).collect()
}

#[tokio::test]
async fn what_was_accepted_delivered_given_up_and_refused_is_counted() {
    let options = Options::dev().option("--retry-schedule", "");
    let (mut server, monitoring) = watched(options).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    let failing = Receiver::in_turn([Answer::status(500), Answer::status(500)]).await;
    api.application("shop").await;
    for url in [receiver.url("/"), failing.url("/")] {
        api.endpoint("shop", &json!({ "url": url })).await;
    }
    for n in 0..2 {
        api.send("shop", "order.paid", &json!({ "n": n })).await;
        receiver.next().await;
        failing.next().await;
    }
    api.with_token("made-up").get("/app").await.expect(401);
    api.post("/in/nowhere", &json!({})).await.expect(401);

    let expected = expected();
    let found = eventually("all of it is counted", || async {
        let found = read(&monitoring).await;
        let missing = expected
            .iter()
            .find(|(name, value)| found.get(name) != Some(value));
        match missing {
            None => Ok(found),
            Some(missing) => Err(format!("{missing:?} in {found:#?}")),
        }
    })
    .await;
    for above_zero in [
        "postrider_store_commit_duration_seconds_count",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        r#"postrider_connections{listener="api"}"#,
    ] {
        assert!(found[above_zero] > 0.0, "{above_zero}: {found:#?}");
    }
    let classes = found
        .iter()
        .filter(|(name, _)| name.starts_with("postrider_delivery_duration_seconds_bucket"));
    assert_eq!(classes.count(), 19);
    let ids = ["app_", "ep_", "msg_", "src_"];
    let named = found.keys().find(|name| {
        let values = name.split('"').skip(1).step_by(2);
        let is_id = |value: &str| ids.iter().any(|id| value.starts_with(id));
        values.into_iter().any(is_id)
    });
    assert_eq!(named, None, "labels name nobody");
}

/// What is told after two messages to two endpoints, one of which fails, and two refusals.
fn expected() -> Vec<(String, f64)> {
    let accepting = r#"{method="POST",route="/api/v1/app/{app_id}/msg""#;
    vec![
        ("postrider_messages_accepted_total".to_owned(), 2.0),
        (
            r#"postrider_attempts_total{result="success"}"#.to_owned(),
            2.0,
        ),
        (
            r#"postrider_attempts_total{result="failure"}"#.to_owned(),
            2.0,
        ),
        (
            r#"postrider_attempt_duration_seconds_count{result="failure"}"#.to_owned(),
            2.0,
        ),
        ("postrider_delivery_duration_seconds_count".to_owned(), 2.0),
        ("postrider_deliveries_given_up_total".to_owned(), 2.0),
        ("postrider_endpoints_disabled_total".to_owned(), 0.0),
        (
            format!("postrider_http_requests_total{accepting},status=\"2xx\"}}"),
            2.0,
        ),
        (
            format!("postrider_http_request_duration_seconds_count{accepting}}}"),
            2.0,
        ),
        (
            r#"postrider_http_requests_total{method="GET",route="/api/v1/app",status="4xx"}"#
                .to_owned(),
            1.0,
        ),
        (
            r#"postrider_gateway_requests_total{outcome="signature_invalid"}"#.to_owned(),
            1.0,
        ),
        (
            r#"postrider_security_events_total{kind="api.authentication_failed"}"#.to_owned(),
            1.0,
        ),
        ("postrider_store_writable".to_owned(), 1.0),
        ("postrider_slots_max".to_owned(), 2_048.0),
    ]
}

#[tokio::test]
async fn the_listener_for_monitoring_has_nothing_else_and_the_api_has_no_second_one() {
    let (mut server, monitoring) = watched(Options::dev()).await;
    for path in ["/app", "/health", "/in/x", "/metrics/x"] {
        monitoring.get(path).await.expect(404);
    }
    let post = e2e::Call::new(Method::POST, "/metrics");
    monitoring.call(post).await.expect(405);
    let api = server.api().await;
    api.get("/metrics").await.expect(404);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn on_the_apis_own_listener_only_who_may_read_it_gets_it() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    api.call(e2e::Call::new(Method::GET, "/metrics").anonymous())
        .await
        .expect_error(401, "authentication_failed");
    let access = api.post("/auth/app-portal-access/shop", &json!({})).await;
    let tenant = access.expect(200).json();
    let tenant = api.with_token(tenant["token"].as_str().expect("a token"));
    assert_eq!(tenant.get("/metrics").await.status, 403);

    let who = api.get("/auth/whoami").await.expect(200).json();
    let keys = format!(
        "/management/authentication/{}/api-token",
        who["envId"].as_str().expect("an id")
    );
    for (scope, status) in [
        ("metrics:read", 200),
        ("role:viewer", 200),
        ("application:read", 403),
    ] {
        let key = json!({ "name": scope, "scopes": [scope] });
        let key = api.post(&keys, &key).await.expect(200).json();
        let by_key = api.with_token(key["token"].as_str().expect("a token"));
        assert_eq!(by_key.get("/metrics").await.status, status, "{scope}");
    }
    let found = read(&api).await;
    assert_eq!(found["postrider_store_writable"], 1.0);
}

#[tokio::test]
async fn what_is_written_of_metrics_is_what_a_server_tells() {
    let (_server, monitoring) = watched(Options::dev()).await;
    let text = monitoring.get("/metrics").await.expect(200).body;
    let text = String::from_utf8(text.to_vec()).expect("a text");
    let heads = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let told: BTreeMap<&str, &str> = heads.filter_map(|head| head.split_once(' ')).collect();

    let page = document("metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |row: &'static str| {
        let mut cells = row.split('|').map(str::trim);
        Some((cells.next()?.trim_end_matches('`'), cells.next()?))
    };
    let written: BTreeMap<&str, &str> = rows.filter_map(row).collect();
    assert_eq!(written, told, "docs/metrics.md has each name and its kind");

    let rules = document("monitoring/alerts.yml");
    let dashboard: Value = serde_json::from_str(document("monitoring/grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array());
    let asked = targets.flatten().map(|target| &target["expr"]);
    let asked: Vec<&str> = asked.map(|asked| asked.as_str().expect("a text")).collect();
    assert!(asked.len() > 30, "{asked:?}");
    for (place, text) in [("alerts.yml", rules), ("grafana.json", &asked.join("\n"))] {
        let names = names(text);
        assert!(names.len() > 15, "{place} names {names:?}");
        for name in names {
            let family = ["_bucket", "_count", "_sum"]
                .iter()
                .filter_map(|part| name.strip_suffix(part))
                .find(|family| told.get(family) == Some(&"histogram"));
            assert!(
                family.is_some() || told.contains_key(name),
                "{place} names {name}, which no server tells"
            );
        }
    }
}

/// The text of a document, for as long as the test runs.
fn document(name: &str) -> &'static str {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(docs.join(name)).expect("it is there");
    text.leak()
}

/// What looks like a name of ours.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words
        .filter(|word| word.starts_with("postrider_") || word.starts_with("process_"))
        .collect()
}
