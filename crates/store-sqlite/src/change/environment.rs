//! Changes of what the whole installation is set to, with event types.

use super::Refused;
use super::access::grow;
use super::event_type;
use crate::batch::Batch;
use crate::settings;
use crate::{event_types, retry_schedules};
use store::access::ENVIRONMENT;
use store::change::{ChangeError, Changed, EnvironmentChange, SettingsChange};

pub(super) fn put(batch: &mut Batch<'_>, change: &EnvironmentChange) -> Result<Changed, Refused> {
    let connection = batch.connection;
    // All is checked before anything is written.
    for (event_type, expect) in &change.event_types {
        event_type::check(batch, &event_type.name, *expect)?;
    }
    check_beside(batch, change)?;
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
    for own in &change.redactions {
        event_type::put_redaction(batch, own)?;
    }
    for own in &change.schedules {
        event_type::put_schedule(batch, own)?;
    }
    Ok(Changed::Environment)
}

/// That all event types are there whose rules or schedules are written, and that there are no more
/// of these than may be.
fn check_beside(batch: &Batch<'_>, change: &EnvironmentChange) -> Result<(), Refused> {
    let connection = batch.connection;
    for name in change.needed() {
        if event_types::find(connection, name)?.is_none() {
            return Err(ChangeError::Stale.into());
        }
    }
    let redacted = event_types::redactions(connection)?.into_iter();
    let scheduled = retry_schedules::all(connection)?.into_iter();
    let redacted = redacted.map(|(name, _)| name).collect();
    match change.fits(redacted, scheduled.map(|(name, _)| name).collect()) {
        true => Ok(()),
        false => Err(ChangeError::TooMany.into()),
    }
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
