//! What use cases tell of what is ordinary, so that what is not can be told: see
//! [`model::witness`].

use crate::caller::Caller;
use crate::{App, Tenant};
use model::endpoint::Endpoint;
use model::id::{ApplicationKey, TaskId};
use model::witness::Witnessed;
use url::Url;

impl App {
    /// So many messages were given out with their payloads.
    pub(crate) fn exported(
        &self,
        caller: &Caller,
        application: Option<ApplicationKey>,
        count: usize,
    ) {
        if count > 0 {
            self.witness(Witnessed::Exported {
                application,
                by: &caller.subject,
                count: count.try_into().unwrap_or(u64::MAX),
            });
        }
    }

    /// A message is sent again.
    pub(crate) fn resent(&self, caller: &Caller, tenant: &Tenant) {
        self.witness(Witnessed::Resent {
            application: tenant.key(),
            by: &caller.subject,
        });
    }

    /// Work was begun that sends many again.
    pub(crate) fn resending_many(&self, caller: &Caller, tenant: &Tenant, task: TaskId) {
        self.witness(Witnessed::ResendingMany {
            application: tenant.key(),
            by: &caller.subject,
            task,
        });
    }

    /// An endpoint's secret was shown.
    pub(crate) fn secret_shown(&self, caller: &Caller, endpoint: &Endpoint) {
        self.witness(Witnessed::SecretRead {
            endpoint: endpoint.id,
            application: endpoint.application,
            by: &caller.subject,
        });
    }

    /// An endpoint leads there from now on.
    pub(crate) fn leads_to(&self, endpoint: &Endpoint, changed: bool) {
        let url = Url::parse(&endpoint.url).ok();
        if let Some(host) = url.as_ref().and_then(Url::host_str) {
            self.witness(Witnessed::Destination {
                endpoint: endpoint.id,
                application: endpoint.application,
                host,
                changed,
            });
        }
    }

    fn witness(&self, what: Witnessed<'_>) {
        self.events.witness(what, self.clock.now());
    }
}
