//! Changes of what the whole installation is set to, with event types.

use super::Refused;
use super::access::grow;
use super::event_type;
use crate::batch::Batch;
use crate::settings;
use store::access::ENVIRONMENT;
use store::change::{ChangeError, Changed, EnvironmentChange};

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
