//! Stores that hold something before they are measured: messages that came through the API and were
//! delivered, each with an idempotency key.
//!
//! A history is that of the very applications that are measured later, and of their first endpoint.
//! The keys are of a caller's own, since a server may forget those of libraries within the hour. It
//! grows by whatever is measured on it.

use crate::BenchError;
use crate::keys::Origin;
use crate::load::Job;
use crate::plan::Plan;
use crate::target::{Target, data_directory};
use crate::tenants::Wanted;
use std::path::Path;
use tempfile::TempDir;

/// Clients that fill a store.
const CLIENTS: usize = 64;

/// A store with a history, for as long as this is held.
pub(crate) struct History {
    /// How many messages.
    pub(crate) stored: u64,
    /// The data directory.
    pub(crate) directory: TempDir,
    /// The applications, by their paths.
    pub(crate) applications: Vec<String>,
}

impl History {
    /// A new store with its applications, and a server on it to fill it by.
    pub(crate) async fn begin(
        plan: &Plan,
        below: &Path,
        receiver: &str,
        stored: u64,
    ) -> Result<(Self, Target), BenchError> {
        let directory = data_directory(below)?;
        let target = Target::own(plan, directory.path()).await?;
        let tenants = target.tenants();
        let applications = tenants.applications(plan.size.applications).await?;
        let wanted = Wanted {
            receiver: receiver.to_owned(),
            numbers: 0..1,
            bystanders: 0,
        };
        tenants.endpoints(&applications, wanted).await?;
        let history = Self {
            stored,
            directory,
            applications,
        };
        Ok((history, target))
    }

    /// What fills it.
    pub(crate) fn job(&self, plan: &Plan, target: &Target) -> Job {
        Job {
            place: target.place.clone(),
            paths: Target::paths(&self.applications, None),
            token: target.token.clone(),
            run: 0,
            messages: self.stored,
            batch: None,
            payload_bytes: plan.size.payload_bytes,
            clients: CLIENTS,
            keys: Some(Origin::Caller),
            rate: None,
        }
    }

    /// Makes the endpoints that get nothing of the history, and ends the server.
    pub(crate) async fn end(
        self,
        plan: &Plan,
        target: Target,
        receiver: &str,
    ) -> Result<Self, BenchError> {
        let wanted = Wanted {
            receiver: receiver.to_owned(),
            numbers: 1..plan.size.endpoints,
            bystanders: plan.size.bystanders,
        };
        let tenants = target.tenants();
        tenants.endpoints(&self.applications, wanted).await?;
        target.stop().await;
        Ok(self)
    }
}
