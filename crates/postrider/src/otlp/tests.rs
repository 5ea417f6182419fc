//! What a collector gets: metrics and steps, decoded as it would.

use super::{Exporter, Recorder};
use crate::config::{Checked, KeyChoice, Options};
use crate::metrics::Families;
use crate::system::{SystemClock, SystemEntropy};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use model::id::{ApplicationId, ApplicationKey, EndpointId, EndpointKey, MessageId, MessageKey};
use model::meter::Stopwatch;
use model::trace::{Step, Taken, TraceParent};
use model::{Clock, Timestamp};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use watch::exposition::Exposition;

/// What came to a collector: the path, what it says it is, and the body.
type Came = (String, HeaderMap, Bytes);

/// A collector that answers everything with one status.
struct Collector {
    url: String,
    requests: mpsc::UnboundedReceiver<Came>,
}

impl Collector {
    async fn start(status: StatusCode) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (sender, requests) = mpsc::unbounded_channel();
        let router = Router::new().fallback(take).with_state((sender, status));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, requests }
    }

    /// The body of the next request to a path.
    async fn next(&mut self, path: &str) -> Bytes {
        let next = async {
            loop {
                let (to, headers, body) = self.requests.recv().await.expect("the collector runs");
                if to == path {
                    assert_eq!(headers["content-type"], "application/x-protobuf");
                    return body;
                }
            }
        };
        let next = tokio::time::timeout(Duration::from_secs(20), next).await;
        next.expect("something was sent")
    }
}

async fn take(
    State((sender, status)): State<(mpsc::UnboundedSender<Came>, StatusCode)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let _ = sender.send((uri.path().to_owned(), headers, body));
    status
}

/// A count, durations, and a family without a sample.
struct Counted;

impl Families for Counted {
    fn families(&self) -> Pin<Box<dyn Future<Output = Exposition> + Send + '_>> {
        let stopwatch = Stopwatch::default();
        stopwatch.took(Duration::from_millis(2));
        stopwatch.took(Duration::from_secs(7_200));
        let mut families = Exposition::default();
        families
            .counter("things_total", "Things.")
            .with(&[("kind", "a")], 3.0);
        families.gauge("queue_bytes", "A queue.").is(0.5);
        families
            .durations("took_seconds", "Durations.")
            .took(&[], &stopwatch.read());
        families.gauge("nothing", "No sample.");
        Box::pin(std::future::ready(families))
    }
}

fn parts(url: &str, share: f64) -> (Arc<Recorder>, Exporter) {
    let options = Options {
        otlp_endpoint: Some(url.to_owned()),
        otlp_traces: Some(share),
        ..Options::default()
    };
    let config = Checked::new(options, KeyChoice::default()).expect("options");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let recorder = Recorder::of(config.otlp.as_ref(), Arc::new(SystemEntropy)).expect("given");
    let exporter = Exporter::of(&config, Some(&recorder), clock).ok().flatten();
    (recorder, exporter.expect("given"))
}

/// Sends what there is, and ends.
async fn send(exporter: Exporter) {
    let stop = CancellationToken::new();
    stop.cancel();
    exporter.run(Arc::new(Counted), stop).await;
}

fn attempt(at: TraceParent, after: TraceParent) -> Step {
    Step {
        at,
        after: Some(after),
        what: Taken::Attempt {
            endpoint: Some(EndpointId::new(EndpointKey::from_integer(3), [3; 12])),
            number: 2,
            status_code: 503,
            failed: true,
        },
        began: Timestamp::from_micros(1_000),
        ended: Timestamp::from_micros(3_000),
        application: Some(ApplicationId::new(ApplicationKey::from_integer(1), [1; 12])),
        message: MessageId::new(MessageKey::from_integer(2), [2; 12]),
    }
}

fn accept(at: TraceParent) -> Step {
    Step {
        after: None,
        what: Taken::Accept,
        ..attempt(at, at)
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |one: &KeyValue| match one.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    };
    let attributes = attributes.iter();
    attributes
        .map(|one| (one.key.as_str(), text(one).expect("a text")))
        .collect()
}

#[tokio::test]
async fn metrics_are_those_of_the_text_in_the_collectors_form() {
    let mut collector = Collector::start(StatusCode::OK).await;
    let (_, exporter) = parts(&collector.url, 0.0);
    let stop = CancellationToken::new();
    let running = tokio::spawn(exporter.run(Arc::new(Counted), stop.clone()));
    let body = collector.next("/v1/metrics").await;
    stop.cancel();
    running.await.expect("as it should be");

    let request = ExportMetricsServiceRequest::decode(body).expect("as it should be");
    let resource = request.resource_metrics[0]
        .resource
        .as_ref()
        .expect("as it should be");
    assert_eq!(texts(&resource.attributes)["service.name"], "postrider");
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let names: Vec<_> = metrics.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["things_total", "queue_bytes", "took_seconds"]);
    let units: Vec<_> = metrics.iter().map(|one| one.unit.as_str()).collect();
    assert_eq!(units, ["", "By", "s"]);
    let Some(Data::Sum(sum)) = &metrics[0].data else {
        panic!("a counter is a sum: {:?}", metrics[0]);
    };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    assert_eq!(sum.data_points[0].value, Some(Number::AsDouble(3.0)));
    assert_eq!(texts(&sum.data_points[0].attributes)["kind"], "a");
    assert!(matches!(&metrics[1].data, Some(Data::Gauge(_))));
    let Some(Data::Histogram(histogram)) = &metrics[2].data else {
        panic!("durations are a histogram: {:?}", metrics[2]);
    };
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.sum), (2, Some(7_200.002)));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts[3], 1, "up to 2.5 ms");
    assert_eq!(point.bucket_counts.last(), Some(&1), "beyond an hour");
}

#[tokio::test]
async fn an_attempt_is_a_span_that_follows_the_one_of_its_message() {
    let mut collector = Collector::start(StatusCode::OK).await;
    let (recorder, exporter) = parts(&collector.url, 1.0);
    let begun = recorder.enter(None).expect("all are recorded");
    recorder.record(accept(begun));
    recorder.record(attempt(begun.from_here([5; 8]), begun));
    send(exporter).await;

    let body = collector.next("/v1/traces").await;
    let request = ExportTraceServiceRequest::decode(body).expect("as it should be");
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    let [accept, attempt] = spans.as_slice() else {
        panic!("two spans: {spans:?}");
    };
    let names = [&accept.name, &attempt.name];
    assert_eq!(names, ["accept", "attempt"]);
    assert_eq!(accept.trace_id, begun.trace());
    assert_eq!(accept.span_id, begun.step());
    assert!(accept.parent_span_id.is_empty());
    assert_eq!(attempt.trace_id, begun.trace());
    assert_eq!(attempt.span_id, [5; 8]);
    assert_eq!(attempt.parent_span_id, begun.step());
    let told = texts(&attempt.attributes);
    assert_eq!(told["http.response.status_code"], "503");
    assert_eq!(told["postrider.attempt.number"], "2");
    assert!(told["postrider.endpoint.id"].starts_with("ep_"));
    assert!(told["postrider.message.id"].starts_with("msg_"));
    assert!(told["postrider.application.id"].starts_with("app_"));
    let took = attempt.end_time_unix_nano - attempt.start_time_unix_nano;
    assert_eq!(took, 2_000_000);
    let code = |span: &Span| span.status.as_ref().map(|status| status.code);
    assert_eq!((code(accept), code(attempt)), (Some(0), Some(2)));
    assert_eq!(recorder.dropped(), 0);
}

#[tokio::test]
async fn steps_that_the_collector_does_not_take_are_counted_as_dropped() {
    let mut collector = Collector::start(StatusCode::SERVICE_UNAVAILABLE).await;
    let (recorder, exporter) = parts(&collector.url, 1.0);
    let begun = recorder.enter(None).expect("all are recorded");
    for _ in 0..3 {
        recorder.record(accept(begun));
    }
    send(exporter).await;
    collector.next("/v1/traces").await;
    assert_eq!(recorder.dropped(), 3);
}

#[tokio::test]
async fn beyond_what_may_wait_steps_are_dropped_and_nobody_is_kept() {
    let (recorder, _) = parts("http://127.0.0.1:9000", 1.0);
    let begun = recorder.enter(None).expect("all are recorded");
    for _ in 0..8_192 + 3 {
        recorder.record(accept(begun));
    }
    assert_eq!(recorder.dropped(), 3);
}

#[tokio::test]
async fn what_a_sender_records_is_gone_on_with_and_what_it_does_not_is_left() {
    let read = |flags: &str| -> TraceParent {
        let text = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
        text.parse().expect("as it should be")
    };
    let (sampled, unsampled) = (read("01"), read("00"));
    let (recorder, _) = parts("http://127.0.0.1:9000", 1e-12);
    let entered = recorder.enter(Some(sampled)).expect("it goes on");
    assert_eq!(entered.trace(), sampled.trace());
    assert_ne!(entered.step(), sampled.step());
    assert!(entered.is_sampled());
    assert_eq!(recorder.enter(Some(unsampled)), Some(unsampled));
    assert_eq!(recorder.enter(None), None, "one of a million millions");

    let (off, _) = parts("http://127.0.0.1:9000", 0.0);
    assert_eq!(off.enter(Some(sampled)), Some(sampled));
    assert_eq!(off.enter(None), None);
    off.record(accept(sampled));
    assert!(off.take().is_empty());
}
