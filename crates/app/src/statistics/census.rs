//! How many endpoints there are, and how many applications have some.
//!
//! What is there for play, endpoints of the public place at `play.svix.com`, counts or does not, as
//! one asks.

use crate::{App, AppError, Caller};
use store::tally::Headcount;

/// How many endpoints there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointCount {
    /// That are enabled.
    pub enabled: u64,
    /// That are disabled.
    pub disabled: u64,
}

impl App {
    /// Counts the endpoints of all applications.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn count_endpoints(
        &self,
        caller: &Caller,
        exclude_play: bool,
    ) -> Result<EndpointCount, AppError> {
        let heads = self.headcount(caller, exclude_play).await?;
        Ok(EndpointCount {
            enabled: heads.enabled,
            disabled: heads.disabled,
        })
    }

    /// Counts the active applications: those that have an endpoint.
    ///
    /// # Errors
    /// As [`App::count_endpoints`].
    pub async fn count_active_applications(
        &self,
        caller: &Caller,
        exclude_disabled: bool,
        exclude_play: bool,
    ) -> Result<u64, AppError> {
        let heads = self.headcount(caller, exclude_play).await?;
        Ok(match exclude_disabled {
            true => heads.applications_enabled,
            false => heads.applications,
        })
    }

    async fn headcount(&self, caller: &Caller, exclude_play: bool) -> Result<Headcount, AppError> {
        caller.require_organisation()?;
        let census = self.store.census().await?;
        Ok(match exclude_play {
            true => census.all.without(census.play),
            false => census.all,
        })
    }
}
