//! The operator's pages.

mod messages;
mod overview;

use crate::routes::Routes;
use crate::{assets, sign_in, tenant};

pub(crate) fn routes() -> Routes {
    assets::dashboard()
        .merge(sign_in::routes())
        .merge(overview::routes())
        .merge(messages::routes())
        .merge(tenant::dashboard())
}
