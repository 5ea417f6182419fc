//! A source: a place that incoming webhooks arrive at. How its requests are verified is in its
//! configuration, which is sealed and not here: it holds secrets.

mod config;

pub use config::{AuthDemanded, Cron, EventTypeAt, SourceConfig, SourceSecrets};

use crate::application::Metadata;
use crate::clock::Timestamp;
use crate::id::SourceId;
use crate::name::Name;

/// The longest uid of a source, in bytes.
pub const SOURCE_UID_BYTES_MAX: usize = 60;

/// A source as its users see it, without its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its public id. The application that its messages go to has it as its uid, unless the
    /// configuration names another.
    pub id: SourceId,
    /// Its user's own name for it, unique in the installation.
    pub uid: Option<Name>,
    /// What people call it.
    pub name: String,
    /// Whose requests arrive there, such as `stripe`.
    pub source_type: Name,
    /// Notes.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
}
