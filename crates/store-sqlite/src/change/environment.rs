//! Changes of what the whole installation is set to, with event types.

use super::Refused;
use super::access::grow;
use super::event_type;
use crate::batch::Batch;
use crate::settings;
use store::access::ENVIRONMENT;
use store::change::{ChangeError, Changed, EnvironmentChange, SettingsChange};

pub(super) fn put(batch: &mut Batch<'_>, change: &EnvironmentChange) -> Result<Changed, Refused> {
    let connection = batch.connection;
    // All is checked before anything is written.
    for (event_type, expect) in &change.event_types {
        event_type::check(batch, &event_type.name, *expect)?;
    }
    if let Some(change) = &change.settings {
        if settings::get(connection, ENVIRONMENT)? != change.before {
            return Err(ChangeError::Stale.into());
        }
        settings::put(connection, ENVIRONMENT, &change.after)?;
        grow(connection)?;
    }
    for (event_type, expect) in &change.event_types {
        event_type::put(batch, event_type, *expect)?;
    }
    Ok(Changed::Environment)
}

pub(super) fn swap(
    batch: &Batch<'_>,
    name: &str,
    values: &SettingsChange,
) -> Result<Changed, Refused> {
    match settings::swap(batch.connection, name, values)? {
        true => Ok(Changed::Setting),
        false => Err(ChangeError::Stale.into()),
    }
}
