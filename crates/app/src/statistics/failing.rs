//! Endpoints that get nothing through, of all applications: for people who look whether anything is
//! wrong. Found by an index, and each counted for by itself: so there are few of them.

use crate::{App, AppError, Caller};
use model::Timestamp;
use model::application::Application;
use model::endpoint::Endpoint;
use std::time::Duration;
use store::query::StatisticsQuery;
use store::rows::EndpointRow;

/// The most of each kind that are told of.
const SHOWN_MAX: usize = 10;
/// Over how long their failed attempts are counted.
const SPAN: Duration = Duration::from_secs(86_400);

/// An endpoint to which deliveries have been failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingEndpoint {
    /// Whose.
    pub application: Application,
    /// Which.
    pub endpoint: Endpoint,
    /// Since when nothing has succeeded.
    pub since: Timestamp,
    /// Attempts that failed within the last day.
    pub failed: u64,
}

/// Endpoints to which deliveries have been failing, some of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailingEndpoints {
    /// Those that have for longest and are still tried, by how many attempts failed.
    pub tried: Vec<FailingEndpoint>,
    /// Those that were disabled, the last to begin first.
    pub disabled: Vec<FailingEndpoint>,
}

impl App {
    /// Finds some of the endpoints that get nothing through.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn failing_endpoints(&self, caller: &Caller) -> Result<FailingEndpoints, AppError> {
        caller.require_organisation()?;
        let mut tried = self.failing(false).await?;
        tried.sort_by_key(|one| std::cmp::Reverse(one.failed));
        Ok(FailingEndpoints {
            tried,
            disabled: self.failing(true).await?,
        })
    }

    async fn failing(&self, disabled: bool) -> Result<Vec<FailingEndpoint>, AppError> {
        let rows = self.store.failing_endpoints(disabled, SHOWN_MAX).await?;
        let mut failing = Vec::with_capacity(rows.len());
        for row in rows {
            failing.extend(self.told(row).await?);
        }
        Ok(failing)
    }

    /// `None`: it is gone by now, or works again.
    async fn told(&self, row: EndpointRow) -> Result<Option<FailingEndpoint>, AppError> {
        let endpoint = row.endpoint;
        let (Some(since), Some(tenant)) = (
            row.failing_since,
            self.find_by_key(endpoint.application).await?,
        ) else {
            return Ok(None);
        };
        let query = StatisticsQuery {
            endpoint: endpoint.id.key(),
            since: self.clock.now().minus(SPAN),
            until: Timestamp::MAX,
        };
        let counts = self.store.statistics(query).await?;
        Ok(Some(FailingEndpoint {
            application: tenant.application().clone(),
            endpoint,
            since,
            failed: counts.failure,
        }))
    }
}
