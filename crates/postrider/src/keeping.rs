//! What a node keeps and tells until its last answer is given: security events and alerts of them,
//! the sealed audit log, then what operational webhooks tell of all that, and what a collector is
//! sent. Each part has a file of its own; here is only the order of their end.

use crate::config::AuditConfig;
use crate::metrics::Metrics;
use crate::otlp::Exporter;
use crate::{alerting, auditing};
use app::App;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use watch::{Keeper, Outbox};

/// The parts.
pub(crate) struct Kept {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) operational: Arc<Outbox>,
    pub(crate) audit: AuditConfig,
    /// What sends to a collector, if there is one, and what it sends.
    pub(crate) exporting: (Option<Exporter>, Arc<Metrics>),
}

impl Kept {
    /// Goes on until it is stopped, and then until what is left is kept and told.
    pub(crate) async fn run(self, app: App, until: CancellationToken) {
        let told = CancellationToken::new();
        let (exporter, metrics) = self.exporting;
        let exporting = exporter.map(|exporter| exporter.run(metrics, until.clone()));
        let exporting = async {
            if let Some(exporting) = exporting {
                exporting.await;
            }
        };
        let first = async {
            tokio::join!(
                alerting::run(self.keeper, app.clone(), until.clone()),
                auditing::run(app.clone(), self.audit, until),
            );
            told.cancel();
        };
        tokio::join!(first, self.operational.run(&app, told.clone()), exporting);
    }
}
