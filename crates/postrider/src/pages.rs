//! Pages for people, as this process shows them: with what is configured, and what its parts count.

use crate::blocking::Blocking;
use crate::config::Checked;
use crate::entrances::{Open, Pages};
use crate::identity::Unplaced;
use crate::metrics::Metrics;
use api::Door;
use app::App;
use dashboard::{PagesConfig, Written};
use model::node::Role;
use std::sync::Arc;

/// The pages, where this node answers for the API.
pub(crate) fn pages(
    app: &App,
    (config, identity): (&Checked, Option<&Unplaced>),
    entrances: &Open,
    (metrics, blocking): (&Arc<Metrics>, &Blocking),
) -> Option<Pages> {
    let accepts = config.roles.has(Role::Api);
    let pages = PagesConfig {
        public_url: config.public_url_or(entrances.address),
        gateway_url: config.public_url_or(entrances.receiving),
        brand: config.portal.brand.clone(),
        frame_ancestors: config.portal.frame_ancestors.clone(),
        settings: crate::config::print(config, false),
        identity: identity.map(|identity| identity.placed(config, entrances)),
        figures: metrics.clone(),
        blocked: Arc::new(blocking.clone()),
        rules: config.detection.explained(),
        written: Written {
            nouns: api::nouns(),
            read_source_config: api::read_source_config,
            show_source_config: api::show_source_config,
        },
    };
    accepts.then(|| {
        let pages = dashboard::open(app.clone(), pages);
        Pages {
            dashboard: Door::before_pages(pages.dashboard),
            portal: Door::before_pages(pages.portal),
        }
    })
}
