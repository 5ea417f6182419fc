//! Which master key seals the data keys that are written. What is kept of that is `vault`'s to
//! read; a store knows of it only where an id stands in it, and in every data key, so that no data
//! key is written that another master key sealed, however late its commit comes.

use crate::Sealed;

/// Under this name it is kept: the bytes begin with the id of the master key that seals.
pub const MASTER_KEYS: &str = "master_keys";

/// The length of an id.
const ID_BYTES: usize = 8;
/// Where the id of the master key stands in a data key.
const SEALED_BY: std::ops::Range<usize> = 9..9 + ID_BYTES;

/// Whether these data keys may be written: all are sealed by the master key that seals now, where
/// anything is kept of that.
pub fn may_write(kept: Option<&[u8]>, data_keys: &[Sealed]) -> bool {
    let Some(current) = kept.and_then(|kept| kept.get(..ID_BYTES)) else {
        return true;
    };
    let sealed_by = |key: &Sealed| key.get(SEALED_BY) == Some(current);
    data_keys.iter().all(sealed_by)
}
