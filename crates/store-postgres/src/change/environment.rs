//! Changes of what the whole installation is set to, with event types.

use super::Refused;
use super::access::grow;
use super::event_type;
use crate::batch::Batch;
use crate::settings;
use crate::sql::params;
use crate::{event_types, retry_schedules};
use model::name::Name;
use std::collections::BTreeSet;
use store::access::ENVIRONMENT;
use store::change::{
    ChangeError, Changed, EnvironmentChange, OwnRedaction, OwnSchedule, SettingsChange,
};

pub(super) async fn put(
    batch: &mut Batch<'_>,
    change: &EnvironmentChange,
) -> Result<Changed, Refused> {
    let settings = change.settings.as_ref();
    if settings.is_some() {
        // What is read behind this lock is the newest.
        grow(batch.sql).await?;
    }
    if let Some(change) = settings
        && settings::get(batch.sql, ENVIRONMENT).await? != change.before
    {
        return Err(ChangeError::Stale.into());
    }
    check_beside(batch, change).await?;
    event_type::put_all(batch, &change.event_types).await?;
    put_beside(batch, change).await?;
    if let Some(change) = settings {
        settings::put(batch.sql, ENVIRONMENT, &change.after).await?;
    }
    Ok(Changed::Environment)
}

/// That all event types are there whose rules or schedules are written, which nobody else changes
/// now, and that there are no more of these than may be. Two nodes may each write the last ones.
async fn check_beside(batch: &Batch<'_>, change: &EnvironmentChange) -> Result<(), Refused> {
    if change.redactions.is_empty() && change.schedules.is_empty() {
        return Ok(());
    }
    let needed: BTreeSet<&str> = change.needed().map(Name::as_str).collect();
    let needed: Vec<&str> = needed.into_iter().collect();
    let count = needed.len();
    let locked = batch.sql.run(
        "SELECT 1 FROM event_type WHERE name = ANY($1) ORDER BY name FOR UPDATE",
        params![needed],
    );
    if locked.await? != count {
        return Err(ChangeError::Stale.into());
    }
    let redacted = event_types::redactions(batch.sql).await?.into_iter();
    let scheduled = retry_schedules::all(batch.sql).await?.into_iter();
    let redacted = redacted.map(|(name, _)| name).collect();
    match change.fits(redacted, scheduled.map(|(name, _)| name).collect()) {
        true => Ok(()),
        false => Err(ChangeError::TooMany.into()),
    }
}

/// What was checked is written, however many others have come meanwhile: a change that is refused
/// has written nothing.
async fn put_beside(batch: &mut Batch<'_>, change: &EnvironmentChange) -> Result<(), Refused> {
    for own in &change.redactions {
        let own = OwnRedaction {
            redactions_max: usize::MAX,
            ..own.clone()
        };
        event_type::put_redaction(batch, &own).await?;
    }
    for own in &change.schedules {
        let own = OwnSchedule {
            schedules_max: usize::MAX,
            ..own.clone()
        };
        event_type::put_schedule(batch, &own).await?;
    }
    Ok(())
}

pub(super) async fn swap(
    batch: &Batch<'_>,
    name: &str,
    values: &SettingsChange,
) -> Result<Changed, Refused> {
    match settings::swap(batch.sql, name, values).await? {
        true => Ok(Changed::Setting),
        false => Err(ChangeError::Stale.into()),
    }
}

/// In the row of this node, which is emptied when another one takes its place.
pub(super) async fn tell_master_keys(
    batch: &Batch<'_>,
    ids: &[String],
) -> Result<Changed, Refused> {
    let told = batch.sql.run(
        "UPDATE node SET master_keys = $2 WHERE epoch = $1",
        params![batch.epoch, ids.join(" ")],
    );
    told.await?;
    Ok(Changed::Setting)
}
