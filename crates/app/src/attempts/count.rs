//! Counting attempts by looking at them, up to a bound.

use super::AttemptsInput;
use crate::page::{ListInput, Part};
use crate::{App, AppError, Caller};
use model::id::AttemptKind;
use store::query::{AttemptQuery, AttemptScope};

/// Pages that are looked at for one count.
const PAGES_MAX: usize = 20;
/// Attempts of a page.
const PAGE: usize = 500;

/// How many attempts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptCount {
    /// So many, or at least so many.
    pub count: u64,
    /// There may be more, which were not looked at.
    pub approximated: bool,
}

impl App {
    /// Counts the attempts to an endpoint that its list would have.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] for a list that can't be.
    pub async fn count_attempts(
        &self,
        caller: &Caller,
        (application, endpoint): (&str, &str),
        input: &AttemptsInput,
    ) -> Result<AttemptCount, AppError> {
        let tenant = self.application(caller, application).await?;
        let endpoint = tenant.endpoint(endpoint)?.endpoint.id.key();
        // The bounds in time are all that a count has of a list.
        let list = ListInput {
            before: input.list.before,
            after: input.list.after,
            ..ListInput::default()
        };
        let part = Part::<AttemptKind>::of_recent(&list, self.clock.now())?;
        let query = AttemptQuery {
            application: tenant.key(),
            scope: AttemptScope::Endpoint(endpoint),
            window: part.window(),
            result: input.status.map(|status| status.results(input.expanded)),
            status_codes: input.status_code_class.map(|class| (class, class + 100)),
            filter: input.filter.to_stored(),
            with_excerpt: false,
            with_message: false,
            with_payload: false,
        };
        self.count_by_looking(query).await
    }

    async fn count_by_looking(&self, mut query: AttemptQuery) -> Result<AttemptCount, AppError> {
        query.window.limit = PAGE;
        query.window.ascending = false;
        let mut count = 0;
        for _ in 0..PAGES_MAX {
            let walk = self.store.attempts(&query).await?;
            count += walk.rows.len() as u64;
            match walk.examined.filter(|_| walk.more) {
                Some(examined) => query.window.below = examined,
                None => {
                    return Ok(AttemptCount {
                        count,
                        approximated: false,
                    });
                }
            }
        }
        Ok(AttemptCount {
            count,
            approximated: true,
        })
    }
}
