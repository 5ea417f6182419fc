//! Changes of sources, which are changes of who may come in. The version is locked before anything
//! is looked at, so that what is read behind it is the newest.

use super::Refused;
use super::access::grow;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::sources::{self, Inside};
use model::id::{SourceId, SourceKey};
use model::source::Source;
use store::Sealed;
use store::access::{SourceRow, TokenHash};
use store::change::ChangeError;

pub(super) async fn create(
    batch: &mut Batch<'_>,
    source: &Source,
    (token, sealed): (&TokenHash, &Sealed),
    sources_max: usize,
) -> Result<SourceRow, Refused> {
    let version = grow(batch.sql).await?;
    if sources::count(batch.sql).await? >= sources_max {
        return Err(ChangeError::TooMany.into());
    }
    check_uid(batch, source, None).await?;
    let id = SourceId::new(batch.key(), source.id.tail());
    let inside = Inside {
        token,
        sealed,
        version,
    };
    sources::insert(batch, (id, source), inside).await?;
    reread(batch, id.key()).await
}

pub(super) async fn replace(
    batch: &mut Batch<'_>,
    source: &Source,
    (token, sealed): (&TokenHash, &Sealed),
    version: u64,
) -> Result<SourceRow, Refused> {
    let key = source.id.key();
    let grown = grow(batch.sql).await?;
    let before = sources::live(batch.sql, key).await?;
    let before = before.filter(|row| row.source.id == source.id);
    if before.ok_or(ChangeError::Missing)?.version != version {
        return Err(ChangeError::Stale.into());
    }
    check_uid(batch, source, Some(key)).await?;
    let inside = Inside {
        token,
        sealed,
        version: grown,
    };
    sources::update(batch, source, inside).await?;
    reread(batch, key).await
}

pub(super) async fn delete(batch: &mut Batch<'_>, key: SourceKey) -> Result<(), Refused> {
    let version = grow(batch.sql).await?;
    let there = sources::live(batch.sql, key).await?;
    there.ok_or(ChangeError::Missing)?;
    Ok(sources::clear(batch, key, version).await?)
}

async fn check_uid(
    batch: &Batch<'_>,
    source: &Source,
    own: Option<SourceKey>,
) -> Result<(), Refused> {
    let Some(uid) = &source.uid else {
        return Ok(());
    };
    match sources::with_uid(batch.sql, uid).await? {
        Some(other) if Some(other) != own => Err(ChangeError::Taken.into()),
        _ => Ok(()),
    }
}

async fn reread(batch: &Batch<'_>, key: SourceKey) -> Result<SourceRow, Refused> {
    let row = sources::live(batch.sql, key).await?;
    Ok(row.ok_or_else(|| Failure::unreadable("source"))?)
}
