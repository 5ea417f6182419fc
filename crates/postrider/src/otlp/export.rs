//! Sends what is counted, and the steps that were recorded, to one collector. What it doesn't take
//! in time is dropped and counted: of metrics, the next ones say all that these would have said.

use super::record::Recorder;
use super::shapes;
use crate::config::{Checked, Otlp};
use crate::failure::Failure;
use crate::metrics::Families;
use crate::node::extra_roots;
use crate::storage::host_name;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use model::{Chain, Clock, Timestamp};
use prost::Message as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use transport::{
    Guard, HttpsTransport, Limits, Options, Outgoing, Purpose, SystemResolver, Target, Transport,
};

/// How often metrics are sent.
const METRICS_PERIOD: Duration = Duration::from_secs(60);
/// How long a step waits for others at the most.
const STEPS_PERIOD: Duration = Duration::from_secs(5);
/// How long the last may take to be sent.
const FAREWELL: Duration = Duration::from_secs(3);
const LIMITS: Limits = Limits {
    connect_timeout: Duration::from_secs(5),
    total_timeout: Duration::from_secs(10),
    response_bytes_max: 4_096,
};

/// Sends to one collector.
pub(crate) struct Exporter {
    recorder: Arc<Recorder>,
    transport: HttpsTransport,
    metrics: Arc<Target>,
    traces: Arc<Target>,
    headers: HeaderMap,
    origin: Origin,
    clock: Arc<dyn Clock>,
    /// Whether it did not work the last time, so that a log isn't filled.
    failing: AtomicBool,
}

/// Where what is sent comes from.
pub(super) struct Origin {
    pub(super) host: String,
    pub(super) since: Timestamp,
}

impl Exporter {
    /// As it is configured, if it is.
    pub(crate) fn of(
        config: &Checked,
        recorder: Option<&Arc<Recorder>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, Failure> {
        let (Some(otlp), Some(recorder)) = (&config.otlp, recorder) else {
            return Ok(None);
        };
        // The way of deliveries is not this one's: neither their allow-list nor their proxy.
        let resolver = SystemResolver::from_system().map_err(Failure::could_not)?;
        let guard = Arc::new(Guard::new(otlp.policy(), Arc::new(resolver)));
        let options = Options {
            extra_roots: extra_roots(config)?,
            ..Options::default()
        };
        let transport = HttpsTransport::new(guard, options).map_err(Failure::could_not)?;
        let agent = HeaderValue::from_str(&config.app.user_agent);
        let agent = agent.map_err(Failure::could_not)?;
        let exporter = Self {
            recorder: recorder.clone(),
            transport,
            metrics: target(otlp, "metrics")?,
            traces: target(otlp, "traces")?,
            headers: headers(agent),
            origin: Origin {
                host: host_name(),
                since: clock.now(),
            },
            clock,
            failing: AtomicBool::new(false),
        };
        Ok(Some(exporter))
    }

    /// Sends until it is stopped, and then what is left.
    pub(crate) async fn run(self, source: Arc<dyn Families>, until: CancellationToken) {
        until
            .run_until_cancelled(self.send_for_ever(&*source))
            .await;
        let last = async {
            self.send_steps().await;
            self.send_metrics(&*source).await;
        };
        if tokio::time::timeout(FAREWELL, last).await.is_err() {
            tracing::warn!("the collector of metrics and traces may lack the last of them");
        }
    }

    async fn send_for_ever(&self, source: &dyn Families) {
        let (mut metrics, mut steps) = (interval(METRICS_PERIOD), interval(STEPS_PERIOD));
        for period in [&mut metrics, &mut steps] {
            period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                _ = metrics.tick() => self.send_metrics(source).await,
                _ = steps.tick() => self.send_steps().await,
                () = self.recorder.enough() => self.send_steps().await,
            }
        }
    }

    async fn send_metrics(&self, source: &dyn Families) {
        let families = source.families().await.families();
        let request = shapes::metrics(&self.origin, families, self.clock.now());
        self.send(&self.metrics, request.encode_to_vec()).await;
    }

    async fn send_steps(&self) {
        loop {
            let steps = self.recorder.take();
            if steps.is_empty() {
                return;
            }
            // Counted while they are away, so that those that are given up are, too.
            let away = self.recorder.away(steps.len());
            let request = shapes::traces(&self.origin, &steps);
            if self.send(&self.traces, request.encode_to_vec()).await {
                away.arrived();
            }
        }
    }

    /// Whether it was taken.
    async fn send(&self, target: &Arc<Target>, body: Vec<u8>) -> bool {
        let (target, headers) = (target.clone(), self.headers.clone());
        let mut request = Outgoing::new(Purpose::Telemetry, target, headers, LIMITS);
        request.body = body.into();
        let why = match self.transport.send(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("it answered {}", answer.status)),
            Err(error) => Some(Chain(&error).to_string()),
        };
        let failed_before = self.failing.swap(why.is_some(), Ordering::Relaxed);
        match &why {
            Some(why) if !failed_before => {
                tracing::warn!("the collector does not take metrics and traces: {why}");
            }
            None if failed_before => tracing::info!("the collector takes metrics and traces again"),
            _ => {}
        }
        why.is_none()
    }
}

fn target(otlp: &Otlp, signal: &str) -> Result<Arc<Target>, Failure> {
    let url = otlp.policy().check_url(&otlp.url(signal));
    let target = Target::new(url.map_err(Failure::could_not)?);
    Ok(Arc::new(target.map_err(Failure::could_not)?))
}

fn headers(agent: HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    headers.insert(CONTENT_TYPE, protobuf);
    headers.insert(USER_AGENT, agent);
    headers
}
