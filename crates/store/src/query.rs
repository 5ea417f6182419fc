//! What is asked of a store's lists.
//!
//! A list is a walk along one key within a window. Filters that have no index (channel, type, tag,
//! class) are applied while walking; a walk stops after [`EXAMINED_MAX`] rows that it had to look
//! at, or [`WALK_BYTES_MAX`] of content, and says how far it came.

use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey, Key, MessageKey};
use model::name::Name;

/// The most rows that one walk looks at.
pub const EXAMINED_MAX: usize = 5_000;

/// A walk that has read so many bytes of payloads, excerpts or schemas goes no further, so that a
/// page of large ones fits into memory. It always reads the first one, whatever its size.
pub const WALK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A part of a list, and the way to walk it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<K> {
    /// Only rows with larger keys.
    pub above: Key<K>,
    /// Only rows with smaller keys.
    pub below: Key<K>,
    /// From the smallest key up, or from the largest down.
    pub ascending: bool,
    /// How many rows at the most.
    pub limit: usize,
}

/// What a walk found, in the order of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk<T, P> {
    /// The rows that pass the filters.
    pub rows: Vec<T>,
    /// The position to go on behind: of the last row that was returned or passed over, never of
    /// one that was read only to know whether there is more. `None` when there was none.
    pub examined: Option<P>,
    /// Whether the window holds more behind it. Rows that the filters would pass over count, so
    /// that with filters the next walk may find nothing. What is deleted is not there: it does not
    /// count.
    pub more: bool,
}

/// What messages must be like. Empty: anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageFilter {
    /// One of these types.
    pub event_types: Option<Vec<Name>>,
    /// Among its channels.
    pub channel: Option<Name>,
    /// Among its tags.
    pub tag: Option<Name>,
}

/// A list of messages.
#[derive(Debug, Clone)]
pub struct MessageQuery {
    /// Of this application.
    pub application: ApplicationKey,
    /// Which part.
    pub window: Window<model::id::MessageKind>,
    /// Of what kind.
    pub filter: MessageFilter,
    /// With payloads.
    pub with_payload: bool,
}

/// Whose attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptScope {
    /// Of a message, to one endpoint or to all.
    Message(MessageKey, Option<EndpointKey>),
    /// To an endpoint.
    Endpoint(EndpointKey),
}

/// How attempts ended, as a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultFilter {
    /// Succeeded.
    Success,
    /// Failed.
    Failure,
    /// No attempt was made, and none will be.
    Cancelled,
    /// Failed, or cancelled.
    FailureOrCancelled,
    /// None: a filter that no attempt can pass.
    Nothing,
}

/// A list of attempts.
#[derive(Debug, Clone)]
pub struct AttemptQuery {
    /// The application.
    pub application: ApplicationKey,
    /// Whose.
    pub scope: AttemptScope,
    /// Which part.
    pub window: Window<model::id::AttemptKind>,
    /// How they ended.
    pub result: Option<ResultFilter>,
    /// Status codes from the first to before the second.
    pub status_codes: Option<(u16, u16)>,
    /// Of what kind their messages are.
    pub filter: MessageFilter,
    /// With excerpts.
    pub with_excerpt: bool,
    /// With messages.
    pub with_message: bool,
    /// With their payloads, where they come with messages.
    pub with_payload: bool,
}

/// A list of an endpoint's messages: those that have a delivery or an attempt to it. A store may
/// walk along all messages of the application and pass over the others as a filter does.
#[derive(Debug, Clone)]
pub struct EndpointMessageQuery {
    /// The application.
    pub application: ApplicationKey,
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// Which part.
    pub window: Window<model::id::MessageKind>,
    /// Of what kind.
    pub filter: MessageFilter,
    /// How they stand: one of these.
    pub standing: Option<Vec<crate::rows::Standing>>,
    /// With payloads.
    pub with_payload: bool,
}

/// A list of applications.
#[derive(Debug, Clone)]
pub struct ApplicationQuery {
    /// Which part.
    pub window: Window<model::id::ApplicationKind>,
    /// Leave out those without endpoints.
    pub with_endpoints: bool,
    /// Leave out those with a disabled endpoint.
    pub without_disabled_endpoints: bool,
}

/// A list of event types, by name.
#[derive(Debug, Clone)]
pub struct EventTypeQuery {
    /// Only names behind this one, in the direction of the walk.
    pub beyond: Option<Name>,
    /// From the first name up, or from the last down.
    pub ascending: bool,
    /// How many at the most.
    pub limit: usize,
    /// Archived ones too.
    pub archived: bool,
    /// With schemas.
    pub with_schemas: bool,
    /// Only those without feature flags, or with one of these; `None`: all.
    pub visible_to: Option<Vec<Name>>,
}

/// Which attempts to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatisticsQuery {
    /// To this endpoint.
    pub endpoint: EndpointKey,
    /// Recorded at or after.
    pub since: Timestamp,
    /// Recorded before.
    pub until: Timestamp,
}
