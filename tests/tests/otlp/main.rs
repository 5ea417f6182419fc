//! A server that exports by OTLP, and a collector: which spans and metrics arrive there, and what
//! never does.
//!
//! - [`collector`]: what decodes them.
//! - [`metrics`]: that they are those of the page.
//! - [`troubles`]: collectors that are away, hang, refuse or send elsewhere, and who may be one.

mod collector;
mod metrics;
mod troubles;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::chance::Chance;
use e2e::command::postrider;
use e2e::server::quiet_address;
use e2e::{Answer, Api, Call, Options, Receiver, Server, eventually, place};
use serde_json::json;

use crate::collector::{Collector, Exported};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// A share of the traces that senders didn't begin: one of a million millions.
const HARDLY_ANY: &str = "0.000000000001";

/// A server on this machine that sends to this collector, and this share of traces.
fn exporting(collector: &Collector, share: &str) -> Options {
    Options::dev()
        .binary(place::otlp_binary())
        .option("--otlp-endpoint", collector.url())
        .option("--otlp-traces", share)
}

/// An application `shop` whose messages go to this receiver; gives the endpoint's id.
async fn shop(api: &Api, receiver: &Receiver) -> String {
    api.application("shop").await;
    let endpoint = json!({"url": receiver.url("/")});
    api.endpoint("shop", &endpoint).await
}

/// A message to `shop` with this `traceparent`; gives its id.
async fn send(api: &Api, traceparent: &str) -> String {
    let body = json!({"eventType": "order.paid", "payload": {}}).to_string();
    let call = Call::post("/app/shop/msg", body).header("traceparent", traceparent);
    let sent = api.call(call).await.expect(202).json();
    sent["id"].as_str().expect("an id").to_owned()
}

/// What came to a collector by the time when the server ended.
async fn ended(server: &mut Server, collector: &Collector) -> Exported {
    assert!(server.terminate().await.success());
    collector.exported().await
}

/// Waits until this is among what is counted.
async fn counted(api: &Api, line: &str) {
    eventually(line, async || {
        let text = api.get("/metrics").await.expect(200).body;
        let text = String::from_utf8_lossy(&text).into_owned();
        match text.lines().any(|one| one == line) {
            true => Ok(()),
            false => Err(text),
        }
    })
    .await;
}

#[tokio::test]
async fn a_recorded_trace_goes_from_its_sender_over_spans_to_the_receiver() {
    let collector = Collector::willing().await;
    let options = exporting(&collector, HARDLY_ANY).option("--retry-schedule", "1");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    let receiver = Receiver::in_turn([Answer::status(500), Answer::status(200)]).await;
    let endpoint = shop(&api, &receiver).await;
    let message = send(&api, &format!("00-{TRACE}-{PARENT}-01")).await;
    let told = receiver.take(2).await;
    let exported = ended(&mut server, &collector).await;

    let spans = exported.trace(TRACE);
    let [accept, first, second] = spans.as_slice() else {
        panic!("a message and two attempts are three spans: {exported:#?}");
    };
    assert_eq!(
        (accept.name.as_str(), accept.parent.as_str()),
        ("accept", PARENT)
    );
    assert_ne!(accept.id, PARENT);
    for (number, attempt, told) in [("1", first, &told[0]), ("2", second, &told[1])] {
        assert_eq!(
            (&attempt.name[..], &attempt.parent),
            ("attempt", &accept.id)
        );
        let agrees = format!("00-{TRACE}-{}-01", attempt.id);
        assert_eq!(told.header("traceparent"), agrees);
        assert_eq!(attempt.attributes["postrider.attempt.number"], number);
        assert_eq!(attempt.attributes["postrider.endpoint.id"], endpoint);
        assert!(accept.began <= attempt.began && attempt.began < attempt.ended);
    }
    for span in &spans {
        assert_eq!(span.attributes["postrider.message.id"], message);
        let application = &span.attributes["postrider.application.id"];
        assert!(application.starts_with("app_"), "{application}");
    }
    let answered = [first, second].map(|one| &one.attributes["http.response.status_code"][..]);
    assert_eq!(answered, ["500", "200"]);
    assert_eq!((accept.status, first.status, second.status), (0, 2, 0));
    assert_eq!(exported.spans.len(), 3, "{exported:#?}");
}

#[tokio::test]
async fn a_share_of_messages_begins_traces_and_what_its_sender_does_not_record_is_not() {
    let collector = Collector::willing().await;
    let mut server = Server::start(exporting(&collector, "1")).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    send(&api, &format!("00-{TRACE}-{PARENT}-00")).await;
    let unrecorded = receiver.next().await;
    assert!(
        unrecorded
            .header("traceparent")
            .starts_with(&format!("00-{TRACE}-"))
    );
    assert!(unrecorded.header("traceparent").ends_with("-00"));
    api.send("shop", "order.paid", &json!({})).await;
    let begun = receiver.next().await;
    let exported = ended(&mut server, &collector).await;

    let parts: Vec<&str> = begun.header("traceparent").split('-').collect();
    // Recorded, and its id is all chance.
    let [_, trace, step, "03"] = parts[..] else {
        panic!("a trace that is recorded: {parts:?}");
    };
    let spans = exported.trace(trace);
    let [accept, attempt] = spans.as_slice() else {
        panic!("a message and its attempt are two spans: {exported:#?}");
    };
    assert_eq!((&accept.name[..], &accept.parent[..]), ("accept", ""));
    assert_eq!((&attempt.id[..], &attempt.parent), (step, &accept.id));
    assert_eq!(exported.spans.len(), 2, "{exported:#?}");
}

#[tokio::test]
async fn without_a_share_of_traces_metrics_alone_are_sent() {
    let collector = Collector::willing().await;
    let options = Options::dev().binary(place::otlp_binary());
    let mut server = Server::start(options.option("--otlp-endpoint", collector.url())).await;
    collector.next().await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    send(&api, &format!("00-{TRACE}-{PARENT}-01")).await;
    let told = receiver.next().await;
    assert!(
        told.header("traceparent")
            .starts_with(&format!("00-{TRACE}-"))
    );
    let exported = ended(&mut server, &collector).await;
    assert!(!exported.metrics.is_empty(), "at the end as well");
    let mut paths = exported.requests.iter().map(|one| &one.path[..]);
    assert_eq!(paths.find(|path| *path != "/v1/metrics"), None);
}

#[tokio::test]
async fn nothing_is_sent_unless_a_collector_is_named_here() {
    let collector = Collector::willing().await;
    // Where other programs look.
    let standard = ["", "_METRICS", "_TRACES"].map(|of| format!("OTEL_EXPORTER_OTLP{of}_ENDPOINT"));
    let mut options = Options::dev().binary(place::otlp_binary());
    for name in standard {
        options = options.variable(&name, collector.url());
    }
    let mut server = Server::start(options).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    send(&api, &format!("00-{TRACE}-{PARENT}-01")).await;
    receiver.next().await;
    let exported = ended(&mut server, &collector).await;
    assert!(exported.requests.is_empty(), "{exported:#?}");
}

#[tokio::test]
async fn a_build_without_export_says_which_has_it() {
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path().to_str().expect("a path in UTF-8");
    for (name, value) in [
        ("--otlp-endpoint", "http://127.0.0.1:4318"),
        ("--otlp-traces", "1"),
    ] {
        let refused = postrider(&["serve", "--data-dir", home, name, value]).await;
        refused.expect(2).complains_of("--features otlp");
    }
}

#[tokio::test]
async fn nothing_that_is_secret_is_exported() {
    let collector = Collector::willing().await;
    let url = collector.url().replace("http://", "http://scout:opener@");
    let options = Options::dev()
        .binary(place::otlp_binary())
        .variable("POSTRIDER_OTLP_ENDPOINT", url)
        .option("--otlp-traces", "1")
        .option("--retry-schedule", "");
    let mut server = Server::start(options).await;
    let receiver = Receiver::willing().await;
    let secrets = use_secrets(&mut server, &receiver).await;
    let exported = ended(&mut server, &collector).await;

    let names: Vec<&str> = exported.spans.iter().map(|one| &one.name[..]).collect();
    assert_eq!(names.len(), 3, "accepted, delivered, failed: {names:?}");
    let basic = format!("Basic {}", BASE64_STANDARD.encode("scout:opener"));
    for request in &exported.requests {
        assert_eq!(request.header("authorization"), basic);
        let body = String::from_utf8_lossy(&request.body);
        let secrets = secrets.iter().map(String::as_str);
        for secret in secrets.chain(["sesame", "opener", "127.0.0.1", "whsec_", "order.paid"]) {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
    }
    let log = server.log();
    assert!(!log.contains("opener") && !log.contains(&basic), "{log}");
}

/// Has a server deliver to one endpoint and fail at another, and refuse requests: each with what is
/// nobody else's, all of it called `sesame` but for what it gives.
async fn use_secrets(server: &mut Server, receiver: &Receiver) -> Vec<String> {
    let api = server.api().await;
    api.application("shop").await;
    let mut secrets = vec![server.token().await];
    let nobody = quiet_address(&mut Chance::new());
    for host in [receiver.url(""), format!("http://scout:sesame@{nobody}")] {
        let endpoint = json!({
            "url": format!("{host}/sesame?key=sesame"),
            "headers": {"x-key": "sesame"},
        });
        let endpoint = api.endpoint("shop", &endpoint).await;
        secrets.push(api.secret("shop", &endpoint).await);
    }
    let body = json!({"eventType": "order.paid", "payload": {"card": "sesame"}});
    let call = Call::post("/app/shop/msg", body.to_string());
    let call = call.header("tracestate", "vendor=sesame");
    api.call(call).await.expect(202);
    for nowhere in ["/app/sesame", "/sesame"] {
        api.get(nowhere).await.expect(404);
    }
    api.with_token("sesame").get("/app").await.expect(401);
    api.post("/in/sesame", &json!({})).await.expect(401);
    for result in ["success", "failure"] {
        let line = format!("postrider_attempts_total{{result=\"{result}\"}} 1");
        counted(&api, &line).await;
    }
    secrets
}
