//! An event type: a kind of thing that happens, which endpoints can ask for by name.

use crate::clock::Timestamp;
use crate::name::Name;
use crate::redaction::Path;

/// An event type. Messages may name types that don't exist; endpoints may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// Its name, unique in the installation.
    pub name: Name,
    /// What it tells people.
    pub description: String,
    /// No longer offered: left out of lists and of new filters, still found by name.
    pub archived: bool,
    /// Still offered, but not for new use.
    pub deprecated: bool,
    /// JSON Schemas by version, as compact JSON text of one object; `None` when there are none.
    pub schemas: Option<String>,
    /// What its newest schema marks as sensitive: endpoints get none of it unless they may.
    pub sensitive: Vec<Path>,
    /// Shown to an application's token only if it carries one of these; empty: shown to all.
    pub feature_flags: Vec<Name>,
    /// The group that it is listed under.
    pub group_name: Option<Name>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
}
