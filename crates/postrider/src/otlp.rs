//! Metrics, and the steps of traces that are recorded, on their way to the operator's collector:
//! OTLP over HTTP, in protobuf. Nobody waits for it. What is measured is told by `metrics` alone,
//! and what a step is by `model::trace`.
//!
//! Map: `record` (which traces are recorded, and their steps until they are sent) · `shapes` (what
//! both look like in OTLP) · `export` (the way there) · `off` (in place of all that, in builds
//! without the feature `otlp`).

#[cfg(feature = "otlp")]
mod export;
#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod record;
#[cfg(feature = "otlp")]
mod shapes;
#[cfg(all(test, feature = "otlp"))]
mod tests;

#[cfg(not(feature = "otlp"))]
pub(crate) use off::{Exporter, Recorder};
#[cfg(feature = "otlp")]
pub(crate) use {export::Exporter, record::Recorder};

use crate::config::Checked;
use crate::failure::Failure;
use model::{Clock, Entropy};
use std::sync::Arc;

/// What records and what sends, as it is configured, if it is.
pub(crate) fn parts(
    config: &Checked,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<(Option<Arc<Recorder>>, Option<Exporter>), Failure> {
    let recorder = Recorder::of(config.otlp.as_ref(), entropy.clone());
    let exporter = Exporter::of(config, recorder.as_ref(), clock.clone())?;
    Ok((recorder, exporter))
}
