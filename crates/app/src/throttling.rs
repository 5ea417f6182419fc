//! Whether a rate limit holds deliveries to an endpoint back. Any node can tell, from what is
//! stored: which of them makes the attempts does not matter.

use crate::find::Tenant;
use crate::{App, AppError};
use model::Timestamp;
use model::id::EndpointKey;
use std::time::Duration;
use store::query::StatisticsQuery;

/// Over so long attempts are counted.
const WINDOW: Duration = Duration::from_secs(4);
/// What is due for no longer does not count as held back.
const PATIENCE: Duration = Duration::from_secs(1);

impl App {
    /// Since when deliveries to an endpoint have been held back by its rate limit, its
    /// receiver's or its application's; `None`: they are not.
    ///
    /// They are where something that was due waits, although attempts are made at the limit's pace:
    /// at half of it at the least. Where they are slower, it is the receiver that is.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn throttled_since(
        &self,
        tenant: &Tenant,
        endpoint: &str,
    ) -> Result<Option<Timestamp>, AppError> {
        let row = tenant.endpoint(endpoint)?;
        let endpoint = &row.endpoint;
        let of_application = tenant.application().rate_limit;
        if endpoint.disabled || !tenant.row().is_limited(row) {
            return Ok(None);
        }
        let key = endpoint.id.key();
        let now = self.clock.now();
        let first_due = self.store.first_due(key).await?;
        let Some(since) = first_due.filter(|due| due.plus(PATIENCE) <= now) else {
            return Ok(None);
        };
        if let Some(limit) = endpoint.rate_limit
            && is_paced(
                per_window(limit.get().into(), 1),
                self.attempts_lately(&[key], now).await?,
            )
        {
            return Ok(Some(since));
        }
        if let Some(limit) = row.per_minute()
            && is_paced(
                per_window(limit.into(), 60),
                self.attempts_lately(&[key], now).await?,
            )
        {
            return Ok(Some(since));
        }
        if let Some(limit) = of_application {
            let endpoints = tenant.row().endpoints.iter();
            let all: Vec<_> = endpoints.map(|row| row.endpoint.id.key()).collect();
            let most = per_window(limit.get().into(), 1);
            if is_paced(most, self.attempts_lately(&all, now).await?) {
                return Ok(Some(since));
            }
        }
        Ok(None)
    }

    async fn attempts_lately(
        &self,
        endpoints: &[EndpointKey],
        now: Timestamp,
    ) -> Result<u64, AppError> {
        let mut attempts = 0;
        for endpoint in endpoints {
            let query = StatisticsQuery {
                endpoint: *endpoint,
                since: now.minus(WINDOW),
                until: Timestamp::MAX,
            };
            let counts = self.store.statistics(query).await?;
            attempts += counts.success + counts.failure;
        }
        Ok(attempts)
    }
}

/// How many attempts a limit lets pass in the time over which they are counted.
fn per_window(limit: u32, seconds: u64) -> u64 {
    u64::from(limit) * WINDOW.as_secs() / seconds
}

/// Whether as many were made as a limit is the reason for.
fn is_paced(most: u64, attempts: u64) -> bool {
    2 * attempts >= most
}
