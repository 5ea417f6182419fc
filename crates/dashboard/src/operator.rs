//! The operator's pages.

mod applications;
mod asked;
mod audit;
mod event_types;
mod keys;
mod messages;
pub(crate) mod operational;
mod overview;
mod security;
mod settings;
mod sources;
mod subjects;

pub(crate) use event_types::own as of_event_type;
pub(crate) use overview::Glance;

use crate::routes::Routes;
use crate::{assets, sign_in, tenant};

pub(crate) fn routes() -> Routes {
    assets::dashboard()
        .merge(sign_in::routes())
        .merge(overview::routes())
        .merge(messages::routes())
        .merge(security::routes())
        .merge(audit::routes())
        .merge(keys::routes())
        .merge(sources::routes())
        .merge(applications::routes())
        .merge(event_types::routes())
        .merge(settings::routes())
        .merge(operational::routes())
        .merge(tenant::dashboard())
}
