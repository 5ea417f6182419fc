//! Stores that hold something before they are measured: messages that came through the API and were
//! delivered, each with an idempotency key.
//!
//! A history is that of the very applications that are measured later, and of their first endpoint.
//! The keys are of a caller's own, since a server may forget those of libraries within the hour. It
//! grows by whatever is measured on it.
//!
//! Of a cluster's history only a sample comes through the API: it is multiplied in the database.

use crate::BenchError;
use crate::home::Home;
use crate::keys::Origin;
use crate::load::Job;
use crate::plan::{Case, Plan};
use crate::target::Target;
use crate::tenants::Wanted;
use std::path::Path;

/// Clients that fill a store.
const CLIENTS: usize = 64;
/// Messages that are multiplied: some of each application at the least.
const SAMPLE: u64 = 200;

/// A store with a history, for as long as this is held.
pub(crate) struct History {
    /// How many messages.
    pub(crate) stored: u64,
    /// The store.
    pub(crate) home: Home,
    /// The applications, by their paths.
    pub(crate) applications: Vec<String>,
}

impl History {
    /// A new store with its applications, and a server on it to fill it by.
    pub(crate) async fn begin(
        (plan, case): (&Plan, &Case),
        below: &Path,
        receiver: &str,
    ) -> Result<(Self, Target), BenchError> {
        let home = Home::make(plan, below).await?;
        let target = Target::own(plan, home.start(plan, case)).await?;
        let tenants = target.tenants();
        let applications = tenants.applications(plan.size.applications).await?;
        let wanted = Wanted {
            receiver: receiver.to_owned(),
            numbers: 0..1,
            bystanders: 0,
        };
        tenants.endpoints(&applications, wanted).await?;
        let history = Self {
            stored: case.stored,
            home,
            applications,
        };
        Ok((history, target))
    }

    /// What comes through the API.
    pub(crate) fn job(&self, plan: &Plan, target: &Target) -> Job {
        let sample = SAMPLE.max(plan.size.applications.into());
        Job {
            places: target.places.clone(),
            paths: Target::paths(&self.applications, None),
            token: target.token.clone(),
            run: 0,
            messages: match self.home.multiplies() {
                true => self.stored.min(sample),
                false => self.stored,
            },
            batch: None,
            payload_bytes: plan.size.payload_bytes,
            clients: CLIENTS,
            keys: Some(Origin::Caller),
            secret: None,
            counts_refusals: false,
            rate: None,
        }
    }

    /// Makes the endpoints that get nothing of the history, and ends the servers.
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
