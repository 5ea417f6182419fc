//! What is configured of the audit log.

use super::checked::{ConfigError, wrong};
use super::options::Options;
use model::duration;
use std::path::PathBuf;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
/// A year, and a month in which somebody looks at it.
const RETENTION: Duration = Duration::from_secs(400 * 86_400);

/// How the audit log is kept.
#[derive(Clone, Debug)]
pub(crate) struct AuditConfig {
    /// For how long.
    pub(crate) retention: Duration,
    /// The file that checkpoints are appended to.
    pub(crate) checkpoint_file: Option<PathBuf>,
}

impl AuditConfig {
    pub(super) fn from_options(options: &Options) -> Result<Self, ConfigError> {
        let retention = match &options.audit_retention {
            None => RETENTION,
            Some(text) => duration::parse(text).map_err(wrong("audit_retention"))?,
        };
        if retention < DAY {
            return Err(wrong("audit_retention")("it must be at least 1d"));
        }
        Ok(Self {
            retention,
            checkpoint_file: options.audit_checkpoint_file.clone(),
        })
    }
}
