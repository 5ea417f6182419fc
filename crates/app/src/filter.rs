//! Which messages a list is asked for.

use model::name::Name;
use store::query::MessageFilter;

/// The most types, or channels, that are asked for at once: each row that a list looks at is
/// compared with all of them.
pub const WORDS_MAX: usize = 1_000;

/// What messages must be like. Nothing given: anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these types.
    pub event_types: Option<Vec<Name>>,
    /// One of these among its channels.
    pub channels: Option<Vec<Name>>,
    /// Among its tags.
    pub tag: Option<Name>,
}

impl Filter {
    /// As a store is asked.
    pub(crate) fn to_stored(&self) -> MessageFilter {
        let Self {
            event_types,
            channels,
            tag,
        } = self.clone();
        MessageFilter {
            event_types,
            channels,
            tag,
        }
    }
}
