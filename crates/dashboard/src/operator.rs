//! The operator's pages.

mod applications;
mod asked;
mod audit;
mod event_types;
mod keys;
mod messages;
mod overview;
mod security;
mod sources;
mod subjects;

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
        .merge(tenant::dashboard())
}
