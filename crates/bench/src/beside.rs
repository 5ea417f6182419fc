//! What goes on beside a measurement, from the warm-up's end to its own: company and a looker. What
//! they made goes with them, so that the next measurement on the same server is not beside it too.

use crate::BenchError;
use crate::company::Present;
use crate::look::{Looker, Looks};
use crate::plan::{Case, Plan};
use crate::target::Target;

/// What goes on beside a measurement.
pub(crate) struct Beside {
    company: Present,
    looker: Option<Looker>,
}

impl Beside {
    /// Begins all of it.
    pub(crate) async fn begin(
        plan: &Plan,
        case: &Case,
        target: &Target,
    ) -> Result<Self, BenchError> {
        let tenants = target.tenants();
        let arriving = case.company.arrive(plan, &tenants, &target.applications);
        let company = arriving.await?;
        let looker = match target.applications.first().filter(|_| plan.looks) {
            Some(application) => Some(Looker::begin(&tenants, application).await?),
            None => None,
        };
        Ok(Self { company, looker })
    }

    /// The application that came for it.
    pub(crate) fn application(&self) -> Option<String> {
        self.company.application.clone()
    }

    /// Ends all of it, and tells what was seen.
    pub(crate) async fn end(self, target: &Target) -> Result<Looks, BenchError> {
        let looks = match self.looker {
            Some(looker) => looker.end().await?,
            None => (None, None),
        };
        // A store that goes takes everything with it.
        if target.lasts() {
            self.company.leave(&target.tenants()).await?;
        }
        Ok(looks)
    }
}
