//! A collector: a receiver, and what came to it decoded as OTLP says. It expects nothing of what a
//! server tells.

use std::collections::BTreeMap;

use e2e::{Answer, Received, Receiver};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// The body's type.
const PROTOBUF: &str = "application/x-protobuf";

/// Names with their values.
pub(crate) type Attributes = BTreeMap<String, String>;

/// A running collector.
pub(crate) struct Collector(pub(crate) Receiver);

/// What came to a collector.
#[derive(Debug, Default)]
pub(crate) struct Exported {
    /// Each request's metrics, in the order of arrival.
    pub(crate) metrics: Vec<Vec<Metric>>,
    /// All spans.
    pub(crate) spans: Vec<Seen>,
    /// Who sent each request.
    pub(crate) origins: Vec<Attributes>,
    /// The requests themselves.
    pub(crate) requests: Vec<Received>,
}

/// A span, its ids in hexadecimal digits.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty: it is the first of its trace.
    pub(crate) parent: String,
    pub(crate) attributes: Attributes,
    /// 0: nothing is said; 2: it failed.
    pub(crate) status: i32,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

impl Collector {
    /// One that takes everything.
    pub(crate) async fn willing() -> Self {
        Self::answering([Answer::status(200)]).await
    }

    /// One that gives these answers in turn, then the last again and again.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Receiver::in_turn(answers).await)
    }

    /// What `--otlp-endpoint` is given.
    pub(crate) fn url(&self) -> String {
        self.0.url("")
    }

    /// The next request; waits for it.
    pub(crate) async fn next(&self) -> Exported {
        let mut exported = Exported::default();
        exported.take(self.0.next().await);
        exported
    }

    /// What came since it was asked last.
    pub(crate) async fn exported(&self) -> Exported {
        let mut exported = Exported::default();
        for request in self.0.rest().await {
            exported.take(request);
        }
        exported
    }
}

impl Exported {
    /// The spans of one trace, by the time when they began.
    pub(crate) fn trace(&self, trace: &str) -> Vec<Seen> {
        let spans = self.spans.iter().filter(|span| span.trace == trace);
        let mut spans: Vec<Seen> = spans.cloned().collect();
        spans.sort_by_key(|span| span.began);
        spans
    }

    fn take(&mut self, request: Received) {
        assert_eq!(request.method, "POST");
        assert_eq!(request.header("content-type"), PROTOBUF);
        let body = request.body.clone();
        let origin = match request.path.as_str() {
            "/v1/metrics" => {
                let decoded = ExportMetricsServiceRequest::decode(body).expect("metrics");
                let [resource] = these(decoded.resource_metrics);
                let [scope] = these(resource.scope_metrics);
                self.metrics.push(scope.metrics);
                resource.resource
            }
            "/v1/traces" => {
                let decoded = ExportTraceServiceRequest::decode(body).expect("traces");
                let [resource] = these(decoded.resource_spans);
                let [scope] = these(resource.scope_spans);
                self.spans.extend(scope.spans.into_iter().map(seen));
                resource.resource
            }
            elsewhere => panic!("a request to {elsewhere}"),
        };
        let origin = origin.as_ref().map(|origin: &Resource| &origin.attributes);
        self.origins.push(attributes(origin.expect("who sent it")));
        self.requests.push(request);
    }
}

/// What a list of attributes says.
pub(crate) fn attributes(attributes: &[KeyValue]) -> Attributes {
    let text = |one: &KeyValue| match one.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{}: neither text nor number: {other:?}", one.key),
    };
    let pairs = attributes.iter().map(|one| (one.key.clone(), text(one)));
    pairs.collect()
}

fn seen(span: Span) -> Seen {
    Seen {
        name: span.name,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        attributes: attributes(&span.attributes),
        status: span.status.expect("a status").code,
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
    }
}

fn these<T: std::fmt::Debug>(list: Vec<T>) -> [T; 1] {
    list.try_into().expect("one node sends of itself alone")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
