//! Collectors that are away, hang, refuse, or send elsewhere: deliveries and the server's end don't
//! wait for them. And which address may be a collector's.

use std::time::Duration;

use e2e::chance::Chance;
use e2e::command::{Outcome, run};
use e2e::server::quiet_address;
use e2e::{Answer, Api, Authority, Front, Gate, Options, Receiver, Server, place};
use serde_json::json;
use tokio::time::Instant;

use crate::collector::Collector;
use crate::{counted, ended, exporting, shop};

/// How many messages are sent beside a collector in trouble.
const MESSAGES: usize = 20;
/// What a request to a collector may take: whoever waited for one would take longer than this.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_collector_that_hangs_keeps_no_delivery_and_no_end_waiting() {
    let never = Gate::new();
    let collector = Collector::answering([Answer::status(200).after(&never)]).await;
    let mut server = Server::start(exporting(&collector, "1")).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    collector.0.next().await;
    deliver(&api, &receiver).await;
    let began = Instant::now();
    assert!(server.terminate().await.success());
    let took = began.elapsed();
    assert!(took < REQUEST_LIMIT, "the end took {took:?}");
    server.printed("may lack the last of them").await;
    never.open();
}

#[tokio::test]
async fn what_a_collector_that_is_away_does_not_take_is_dropped_and_counted() {
    let nobody = quiet_address(&mut Chance::new());
    let options = Options::dev()
        .binary(place::otlp_binary())
        .option("--otlp-endpoint", format!("http://{nobody}"))
        .option("--otlp-traces", "1");
    let mut server = Server::start(options).await;
    server
        .printed("the collector does not take metrics and traces: ")
        .await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    deliver(&api, &receiver).await;
    let dropped = format!("postrider_spans_dropped_total {}", 2 * MESSAGES);
    counted(&api, &dropped).await;
    let began = Instant::now();
    assert!(server.terminate().await.success());
    let took = began.elapsed();
    assert!(took < REQUEST_LIMIT, "the end took {took:?}");
    let complaints = server.log().matches("the collector does not take").count();
    assert_eq!(complaints, 1, "a log isn't filled: {}", server.log());
}

#[tokio::test]
async fn the_log_says_when_a_collector_refuses_and_when_it_takes_again() {
    let collector = Collector::answering([Answer::status(503), Answer::status(200)]).await;
    let mut server = Server::start(exporting(&collector, "1")).await;
    server.printed("it answered 503").await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    deliver(&api, &receiver).await;
    server
        .printed("the collector takes metrics and traces again")
        .await;
    let exported = ended(&mut server, &collector).await;
    assert_eq!(exported.spans.len(), 2 * MESSAGES);
}

#[tokio::test]
async fn a_collector_is_called_at_the_address_that_was_named_and_nothing_else_is_by_that() {
    let elsewhere = Receiver::willing().await;
    let redirect = Answer::status(307).header("location", elsewhere.url("/v1/metrics"));
    let collector = Collector::answering([redirect]).await;
    // Deliveries may go to public addresses alone.
    let options = Options::plain()
        .binary(place::otlp_binary())
        .option("--otlp-endpoint", collector.url());
    let mut server = Server::start(options).await;
    server.printed("it answered 307").await;
    assert_eq!(collector.exported().await.requests.len(), 1);
    let api = server.api().await;
    api.application("shop").await;
    let port = collector.0.address().port();
    let endpoint = json!({"url": format!("https://127.0.0.1:{port}/v1/metrics")});
    let refused = api.post("/app/shop/endpoint", &endpoint).await;
    assert_eq!(refused.status, 422, "{refused}");
    let exported = ended(&mut server, &collector).await;
    assert!(!exported.requests.is_empty(), "at the end as well");
    assert!(
        elsewhere.rest().await.is_empty(),
        "redirects are not followed"
    );
}

#[tokio::test]
async fn a_collector_behind_tls_is_told_nothing_unless_its_certificate_is_trusted() {
    let collector = Collector::willing().await;
    let authority = Authority::new("the collector's authority");
    let front = Front::start(collector.0.address(), &authority, "localhost").await;
    let options = Options::plain()
        .binary(place::otlp_binary())
        .option("--otlp-endpoint", front.url("localhost"));
    let mut server = Server::start(options.clone()).await;
    server
        .printed("the collector does not take metrics and traces: ")
        .await;
    let exported = ended(&mut server, &collector).await;
    assert!(exported.requests.is_empty() && front.heard().is_empty());

    let roots = server.home().join("roots.pem");
    std::fs::write(&roots, authority.pem()).expect("a file");
    let roots = roots.to_str().expect("a path in UTF-8");
    server
        .restart_with(options.option("--trusted-roots", roots))
        .await;
    let exported = ended(&mut server, &collector).await;
    assert!(!exported.metrics.is_empty());
}

#[tokio::test]
async fn what_can_be_no_collector_is_refused_at_the_start_with_what_would_be_right() {
    for (endpoint, share, complaint) in [
        ("127.0.0.1:4318", "1", "such as http://127.0.0.1:4318"),
        ("ftp://127.0.0.1:4318", "1", "http or https URL"),
        ("http://127.0.0.1:4318/?token=sesame", "1", "without query"),
        ("http://127.0.0.1:4318", "1.5", "from 0 (no traces) to 1"),
    ] {
        let refused =
            exporter(&["serve", "--otlp-endpoint", endpoint, "--otlp-traces", share]).await;
        refused.expect(2).complains_of(complaint);
        assert!(!refused.stderr.contains("sesame"), "{refused:#?}");
    }
    let refused = exporter(&["serve", "--otlp-traces", "1"]).await;
    refused.expect(2).complains_of("name the collector");
}

#[tokio::test]
async fn the_configuration_shows_a_collector_without_its_password() {
    let url = "http://scout:sesame@127.0.0.1:4318/a";
    let shown = exporter(&["config", "--otlp-endpoint", url]).await;
    let shown = shown.text();
    assert!(
        shown.contains("127.0.0.1:4318/a") && !shown.contains("sesame"),
        "{shown}"
    );
}

/// Sends messages, each of which must arrive.
async fn deliver(api: &Api, receiver: &Receiver) {
    for n in 0..MESSAGES {
        api.send("shop", "order.paid", &json!({ "n": n })).await;
    }
    receiver.take(MESSAGES).await;
}

/// What a command of the binary that can export says.
async fn exporter(arguments: &[&str]) -> Outcome {
    let home = tempfile::tempdir().expect("a directory");
    let mut command = place::command(place::otlp_binary());
    command.args(arguments).current_dir(home.path());
    run(command).await
}
