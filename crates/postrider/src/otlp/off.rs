//! In the place of the export of metrics and traces in builds without the feature `otlp`: there is
//! none, and the configuration refuses whoever wants it.

use crate::config::{Checked, Otlp};
use crate::failure::Failure;
use crate::metrics::Families;
use model::trace::{Step, TraceParent};
use model::{Clock, Entropy};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Nothing is recorded.
pub(crate) enum Recorder {}

impl Recorder {
    pub(crate) fn of(_: Option<&Otlp>, _: Arc<dyn Entropy>) -> Option<Arc<Self>> {
        None
    }

    pub(crate) fn enter(&self, _: Option<TraceParent>) -> Option<TraceParent> {
        match *self {}
    }

    pub(crate) fn record(&self, _: Step) {
        match *self {}
    }

    pub(crate) fn dropped(&self) -> u64 {
        match *self {}
    }
}

/// Nothing is sent.
pub(crate) enum Exporter {}

impl Exporter {
    pub(crate) fn of(
        _: &Checked,
        _: Option<&Arc<Recorder>>,
        _: Arc<dyn Clock>,
    ) -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    pub(crate) async fn run(self, _: Arc<dyn Families>, _: CancellationToken) {
        match self {}
    }
}
