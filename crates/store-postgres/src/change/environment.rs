//! Changes of what the whole installation is set to, with event types.

use super::Refused;
use super::access::grow;
use super::event_type;
use crate::batch::Batch;
use crate::settings;
use crate::sql::params;
use store::access::ENVIRONMENT;
use store::change::{ChangeError, Changed, EnvironmentChange, SettingsChange};

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
    event_type::put_all(batch, &change.event_types).await?;
    if let Some(change) = settings {
        settings::put(batch.sql, ENVIRONMENT, &change.after).await?;
    }
    Ok(Changed::Environment)
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
