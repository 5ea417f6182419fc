//! Whether a rate limit holds deliveries to an endpoint back. Any node can tell, from what is
//! stored: which of them makes the attempts does not matter.

use crate::find::Tenant;
use crate::{App, AppError};
use model::Timestamp;
use model::id::EndpointKey;
use std::num::NonZeroU16;
use std::time::Duration;
use store::query::StatisticsQuery;

/// Over so long attempts are counted.
const WINDOW: Duration = Duration::from_secs(4);
/// What is due for no longer does not count as held back.
const PATIENCE: Duration = Duration::from_secs(1);

impl App {
    /// Since when deliveries to an endpoint have been held back by its rate limit or its
    /// application's; `None`: they are not.
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
        let endpoint = &tenant.endpoint(endpoint)?.endpoint;
        let of_application = tenant.application().rate_limit;
        if endpoint.disabled || (endpoint.rate_limit.is_none() && of_application.is_none()) {
            return Ok(None);
        }
        let key = endpoint.id.key();
        let now = self.clock.now();
        let first_due = self.store.first_due(key).await?;
        let Some(since) = first_due.filter(|due| due.plus(PATIENCE) <= now) else {
            return Ok(None);
        };
        if let Some(limit) = endpoint.rate_limit
            && is_used_up(limit, self.attempts_lately(&[key], now).await?)
        {
            return Ok(Some(since));
        }
        if let Some(limit) = of_application {
            let endpoints = tenant.row().endpoints.iter();
            let all: Vec<_> = endpoints.map(|row| row.endpoint.id.key()).collect();
            if is_used_up(limit, self.attempts_lately(&all, now).await?) {
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

fn is_used_up(per_second: NonZeroU16, attempts: u64) -> bool {
    2 * attempts >= u64::from(per_second.get()) * WINDOW.as_secs()
}
