//! Why something could not be opened. No text here tells anything of keys or plaintexts.

use crate::{DataKeyId, MasterKeyId};

/// Why a sealed value, or a sealed key, was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VaultError {
    /// The value is fine, as far as can be seen, and was sealed by another master key.
    #[error(
        "this was sealed by the master key with id {sealed_by}, and the one given has id {given}: \
         give the master key that the store is sealed with"
    )]
    WrongKey {
        /// The id of the key that sealed it.
        sealed_by: MasterKeyId,
        /// The id of the key that was given.
        given: MasterKeyId,
    },
    /// The value was sealed by a data key that is not among those it was to be opened with.
    #[error("this was sealed by data key {0}, which is not among the application's")]
    UnknownDataKey(DataKeyId),
    /// A vault needs a key to seal with.
    #[error("no master key was given")]
    NoMasterKey,
    /// A key ring needs a key to seal with.
    #[error("the application has no data key")]
    NoDataKey,
    /// Shorter than any sealed value: the end is missing, or it was never sealed.
    #[error("{0} bytes are too few for a sealed value")]
    Truncated(usize),
    /// Written by a newer version of Postrider, or never sealed.
    #[error("a sealed value begins with 1 or 2, not with {0}")]
    UnknownVersion(u8),
    /// The key is right and the value is not what it sealed in this place.
    #[error("this was changed since it was sealed, or was sealed for another place")]
    NotAuthentic,
}
