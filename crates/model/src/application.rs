//! An application: a tenant, the consumer of events, whose endpoints get its messages.

use crate::clock::Timestamp;
use crate::id::ApplicationId;
use crate::name::Name;
use std::collections::BTreeMap;
use std::num::NonZeroU16;

/// What a user notes beside an application or an endpoint. At most
/// [`METADATA_BYTES_MAX`] bytes as compact JSON.
pub type Metadata = BTreeMap<String, String>;

/// The largest metadata, in bytes of compact JSON.
pub const METADATA_BYTES_MAX: usize = 4096;

/// An application as its users see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its public id.
    pub id: ApplicationId,
    /// Its user's own name for it, unique in the installation.
    pub uid: Option<Name>,
    /// What people call it: at least one character, none of the control characters 0x00 to 0x08.
    pub name: String,
    /// Attempts that may start per second over all its endpoints; a burst of one second's worth.
    pub rate_limit: Option<NonZeroU16>,
    /// Notes.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
}
