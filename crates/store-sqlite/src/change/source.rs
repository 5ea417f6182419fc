//! Changes of sources, which are changes of who may come in.

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

pub(super) fn create(
    batch: &mut Batch<'_>,
    source: &Source,
    (token, sealed): (&TokenHash, &Sealed),
    sources_max: usize,
) -> Result<SourceRow, Refused> {
    if sources::count(batch.connection)? >= sources_max {
        return Err(ChangeError::TooMany.into());
    }
    check_uid(batch, source, None)?;
    let id = SourceId::new(batch.key(), source.id.tail());
    let version = grow(batch.connection)?;
    let inside = Inside {
        token,
        sealed,
        version,
    };
    sources::insert(batch, (id, source), inside)?;
    reread(batch, id.key())
}

pub(super) fn replace(
    batch: &mut Batch<'_>,
    source: &Source,
    (token, sealed): (&TokenHash, &Sealed),
    version: u64,
) -> Result<SourceRow, Refused> {
    let key = source.id.key();
    let before = sources::live(batch.connection, key)?;
    let before = before.filter(|row| row.source.id == source.id);
    if before.ok_or(ChangeError::Missing)?.version != version {
        return Err(ChangeError::Stale.into());
    }
    check_uid(batch, source, Some(key))?;
    let version = grow(batch.connection)?;
    let inside = Inside {
        token,
        sealed,
        version,
    };
    sources::update(batch, source, inside)?;
    reread(batch, key)
}

pub(super) fn delete(batch: &mut Batch<'_>, key: SourceKey) -> Result<(), Refused> {
    sources::live(batch.connection, key)?.ok_or(ChangeError::Missing)?;
    let version = grow(batch.connection)?;
    Ok(sources::clear(batch, key, version)?)
}

fn check_uid(batch: &Batch<'_>, source: &Source, own: Option<SourceKey>) -> Result<(), Refused> {
    let Some(uid) = &source.uid else {
        return Ok(());
    };
    match sources::with_uid(batch.connection, uid)? {
        Some(other) if Some(other) != own => Err(ChangeError::Taken.into()),
        _ => Ok(()),
    }
}

fn reread(batch: &Batch<'_>, key: SourceKey) -> Result<SourceRow, Refused> {
    let row = sources::live(batch.connection, key)?;
    Ok(row.ok_or_else(|| Failure::unreadable("source"))?)
}
