//! What metrics and steps look like in OTLP. Names and labels are those of `/metrics`; counters are
//! sums since the node's start.

use super::export::Origin;
use model::Timestamp;
use model::meter::{BOUNDS, Durations};
use model::trace::{Step, Taken};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use watch::exposition::{Kind, Sample, Told, Value};

const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// Families as they are at this time. One without samples is left out.
pub(super) fn metrics(
    origin: &Origin,
    families: Vec<Told>,
    now: Timestamp,
) -> ExportMetricsServiceRequest {
    let times = (nanos(origin.since), nanos(now));
    let families = families.into_iter().filter(|one| !one.samples.is_empty());
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource(origin)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: families.map(|family| metric(family, times)).collect(),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

/// Steps that are over.
pub(super) fn traces(origin: &Origin, steps: &[Step]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource(origin)),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans: steps.iter().map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn metric(family: Told, times: (u64, u64)) -> Metric {
    let samples = family.samples;
    let data = match family.kind {
        Kind::Counter => Data::Sum(Sum {
            data_points: numbers(samples, times),
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        Kind::Gauge => Data::Gauge(Gauge {
            data_points: numbers(samples, times),
        }),
        Kind::Durations => Data::Histogram(Histogram {
            data_points: durations(samples, times),
            aggregation_temporality: CUMULATIVE,
        }),
    };
    Metric {
        name: family.name.to_owned(),
        description: family.help.to_owned(),
        unit: unit(family.name).to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

/// By the end of its name, as Prometheus has it.
fn unit(name: &str) -> &'static str {
    match name.trim_end_matches("_total").rsplit('_').next() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        _ => "",
    }
}

fn numbers(samples: Vec<Sample>, (since, now): (u64, u64)) -> Vec<NumberDataPoint> {
    let point = |sample: Sample| {
        let Value::Number(value) = sample.value else {
            return None;
        };
        Some(NumberDataPoint {
            attributes: labels(sample.labels),
            start_time_unix_nano: since,
            time_unix_nano: now,
            value: Some(Number::AsDouble(value)),
            ..NumberDataPoint::default()
        })
    };
    samples.into_iter().filter_map(point).collect()
}

fn durations(samples: Vec<Sample>, (since, now): (u64, u64)) -> Vec<HistogramDataPoint> {
    let point = |sample: Sample| {
        let Value::Durations(durations) = sample.value else {
            return None;
        };
        let Durations { classes, sum } = *durations;
        Some(HistogramDataPoint {
            attributes: labels(sample.labels),
            start_time_unix_nano: since,
            time_unix_nano: now,
            count: classes.iter().sum(),
            sum: Some(sum.as_secs_f64()),
            bucket_counts: classes.to_vec(),
            explicit_bounds: BOUNDS.iter().map(|bound| bound.as_secs_f64()).collect(),
            ..HistogramDataPoint::default()
        })
    };
    samples.into_iter().filter_map(point).collect()
}

fn labels(labels: Vec<(&'static str, String)>) -> Vec<KeyValue> {
    let labels = labels.into_iter();
    labels.map(|(name, value)| text(name, value)).collect()
}

fn span(step: &Step) -> Span {
    let (name, kind, mut attributes, failed) = match step.what {
        Taken::Accept => ("accept", SpanKind::Server, Vec::new(), false),
        Taken::Attempt {
            endpoint,
            number,
            status_code,
            failed,
        } => {
            let endpoint = endpoint.map(|id| text("postrider.endpoint.id", id.to_string()));
            let mut attributes: Vec<_> = endpoint.into_iter().collect();
            attributes.push(whole("postrider.attempt.number", number.into()));
            if status_code != 0 {
                let code = status_code.into();
                attributes.push(whole("http.response.status_code", code));
            }
            ("attempt", SpanKind::Client, attributes, failed)
        }
    };
    let application = step.application.map(|id| id.to_string());
    attributes.extend(application.map(|id| text("postrider.application.id", id)));
    attributes.push(text("postrider.message.id", step.message.to_string()));
    let code = match failed {
        true => StatusCode::Error,
        false => StatusCode::Unset,
    };
    Span {
        trace_id: step.at.trace().to_vec(),
        span_id: step.at.step().to_vec(),
        parent_span_id: step
            .after
            .map_or_else(Vec::new, |after| after.step().to_vec()),
        name: name.to_owned(),
        kind: kind as i32,
        start_time_unix_nano: nanos(step.began),
        end_time_unix_nano: nanos(step.ended),
        attributes,
        status: Some(Status {
            code: code as i32,
            ..Status::default()
        }),
        ..Span::default()
    }
}

fn resource(origin: &Origin) -> Resource {
    Resource {
        attributes: vec![
            text("service.name", "postrider".to_owned()),
            text("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            text("service.instance.id", origin.host.clone()),
        ],
        ..Resource::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "postrider".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

fn text(name: &str, value: String) -> KeyValue {
    attribute(name, Any::StringValue(value))
}

fn whole(name: &str, value: i64) -> KeyValue {
    attribute(name, Any::IntValue(value))
}

fn attribute(name: &str, value: Any) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.micros())
        .unwrap_or(0)
        .saturating_mul(1_000)
}
