//! Logs, on standard error: for people on a terminal, JSON otherwise. The line that says where the
//! server listens is printed whatever the filter.

use crate::config::{Checked, LogFormat};
use std::io::{IsTerminal as _, stderr};
use tracing_subscriber::EnvFilter;

/// The target of what is always printed.
pub(crate) const ALWAYS: &str = "postrider::always";

/// Starts logging as configured.
pub(crate) fn start(config: &Checked) {
    let filter = EnvFilter::builder()
        .parse(format!("{},{ALWAYS}=info", config.log))
        .expect("the configuration was checked");
    let terminal = stderr().is_terminal();
    let format = config.log_format.unwrap_or(if terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    match format {
        LogFormat::Text => builder.with_ansi(terminal).with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}
