//! The metrics of the page, as a collector has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use e2e::{Receiver, Server, place};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use serde_json::json;
use tokio::process::Command;

use crate::collector::{Attributes, Collector, attributes};
use crate::{HARDLY_ANY, ended, exporting, shop};

/// Counters go up from when the node began.
const CUMULATIVE: i32 = 2;

#[tokio::test]
async fn metrics_are_those_of_the_page_and_count_from_the_nodes_start() {
    let collector = Collector::willing().await;
    let mut server = Server::start(exporting(&collector, HARDLY_ANY)).await;
    let at_the_start = collector.next().await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    for _ in 0..3 {
        api.send("shop", "order.paid", &json!({})).await;
        receiver.next().await;
    }
    api.with_token("made-up").get("/app").await.expect(401);
    api.post("/in/nowhere", &json!({})).await.expect(401);
    let exported = ended(&mut server, &collector).await;

    let (first, last) = (&at_the_start.metrics[0], exported.metrics.last());
    let last = last.expect("metrics at the end");
    let written = written();
    let told: BTreeMap<String, &str> = last
        .iter()
        .map(|one| (one.name.clone(), kind(one)))
        .collect();
    let unknown = told.iter();
    let unknown =
        unknown.filter(|(name, kind)| written.get(*name).map(String::as_str) != Some(**kind));
    let unknown: Vec<_> = unknown.collect();
    assert!(
        unknown.is_empty(),
        "not as docs/metrics.md has it: {unknown:?}"
    );
    let untold = written.keys().filter(|name| !told.contains_key(*name));
    let untold: BTreeSet<&str> = untold.map(String::as_str).collect();
    // What is PostgreSQL's alone.
    let expected = [
        "postrider_store_connections",
        "postrider_store_connections_max",
    ];
    assert_eq!(untold, BTreeSet::from(expected));

    let success = [("result", "success")];
    let sent = [
        ("method", "POST"),
        ("route", "/api/v1/app/{app_id}/msg"),
        ("status", "2xx"),
    ];
    for (name, labels, value) in [
        ("postrider_messages_accepted_total", &[][..], 3.0),
        ("postrider_attempts_total", &success, 3.0),
        ("postrider_attempt_duration_seconds", &success, 3.0),
        ("postrider_http_requests_total", &sent, 3.0),
        ("postrider_store_writable", &[], 1.0),
        ("postrider_slots_max", &[], 2_048.0),
    ] {
        assert_eq!(read(last, name, labels), Some(value), "{name}: {last:#?}");
    }
    assert_eq!(
        read(first, "postrider_messages_accepted_total", &[]),
        Some(0.0)
    );
    let begun =
        |metrics| point(metrics, "postrider_messages_accepted_total", &[]).expect("it is told");
    assert_eq!(begun(first).began, begun(last).began);
    assert!(begun(last).began > 0 && begun(first).at < begun(last).at);
}

#[tokio::test]
async fn each_request_says_which_node_of_what_sent_it() {
    let collector = Collector::willing().await;
    let mut server = Server::start(exporting(&collector, "1")).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    shop(&api, &receiver).await;
    api.send("shop", "order.paid", &json!({})).await;
    receiver.next().await;
    let exported = ended(&mut server, &collector).await;
    let paths: BTreeSet<&str> = exported.requests.iter().map(|one| &one.path[..]).collect();
    assert_eq!(paths, BTreeSet::from(["/v1/metrics", "/v1/traces"]));
    let host = Command::new("uname")
        .arg("-n")
        .output()
        .await
        .expect("uname is there");
    let host = String::from_utf8(host.stdout).expect("a text");
    let expected = [
        ("service.name", "postrider"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", host.trim()),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for origin in &exported.origins {
        assert_eq!(*origin, Attributes::from(expected.clone()));
    }
}

/// A value, or how many durations, and its times.
struct Point {
    labels: Attributes,
    value: f64,
    began: u64,
    at: u64,
}

fn read(metrics: &[Metric], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    point(metrics, name, labels).map(|point| point.value)
}

fn point(metrics: &[Metric], name: &str, labels: &[(&str, &str)]) -> Option<Point> {
    let labels = labels
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let labels = Attributes::from_iter(labels);
    let metric = metrics.iter().find(|one| one.name == name)?;
    points(metric)
        .into_iter()
        .find(|point| point.labels == labels)
}

fn points(metric: &Metric) -> Vec<Point> {
    let numbers = match metric.data.as_ref().expect("it tells something") {
        Data::Sum(sum) => &sum.data_points,
        Data::Gauge(gauge) => &gauge.data_points,
        Data::Histogram(histogram) => {
            let points = histogram.data_points.iter().map(|point| Point {
                labels: attributes(&point.attributes),
                value: u32::try_from(point.count).expect("a few").into(),
                began: point.start_time_unix_nano,
                at: point.time_unix_nano,
            });
            return points.collect();
        }
        other => panic!("{} is of a kind that no page names: {other:?}", metric.name),
    };
    let points = numbers.iter().map(|point| Point {
        labels: attributes(&point.attributes),
        value: match point.value {
            Some(Value::AsDouble(value)) => value,
            other => panic!("{} tells {other:?}", metric.name),
        },
        began: point.start_time_unix_nano,
        at: point.time_unix_nano,
    });
    points.collect()
}

/// The page's word for a metric's kind.
fn kind(metric: &Metric) -> &'static str {
    match metric.data.as_ref().expect("it tells something") {
        Data::Sum(sum) => {
            assert!(sum.is_monotonic && sum.aggregation_temporality == CUMULATIVE);
            "counter"
        }
        Data::Gauge(_) => "gauge",
        Data::Histogram(histogram) => {
            assert_eq!(histogram.aggregation_temporality, CUMULATIVE);
            "histogram"
        }
        other => panic!("{} is of a kind that no page names: {other:?}", metric.name),
    }
}

/// Each name of docs/metrics.md, and its kind.
fn written() -> BTreeMap<String, String> {
    let page = fs::read_to_string(place::repository().join("docs/metrics.md"));
    let page = page.expect("it is there");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |row: &str| {
        let mut cells = row.split('|').map(str::trim);
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some((name, cells.next()?.to_owned()))
    };
    rows.filter_map(row).collect()
}
