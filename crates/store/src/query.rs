//! What is asked of a store's lists.
//!
//! A list is a walk along one key within a window. Filters that have no index (channel, type, tag,
//! class) are applied while walking; a walk stops after [`EXAMINED_MAX`] rows that it had to look
//! at, or [`WALK_BYTES_MAX`] of content, and says how far it came.

use crate::encoding::{HOUR, has_word};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::id::{ApplicationKey, AttemptKey, EndpointKey, Key, MessageKey};
use model::name::Name;
use std::ops::Range;

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

impl<K> Window<K> {
    /// The row with this key, and no other.
    pub fn of_one(key: Key<K>) -> Self {
        let key = key.integer();
        Self {
            above: Key::from_integer(key.saturating_sub(1)),
            below: Key::from_integer(key.saturating_add(1)),
            ascending: true,
            limit: 1,
        }
    }
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
    /// One of these among its channels.
    pub channels: Option<Vec<Name>>,
    /// Among its tags.
    pub tag: Option<Name>,
}

impl MessageFilter {
    /// Whether a message passes that has this type, and these channels and tags as
    /// [`crate::encoding::join`] wrote them. Walks look at thousands: nothing is made of them here.
    pub fn passes(&self, event_type: &str, channels: &str, tags: &str) -> bool {
        let types = self.event_types.as_ref();
        let heard = self.channels.as_ref();
        let tag = self.tag.as_ref();
        types.is_none_or(|wanted| is_among(event_type, wanted))
            && heard.is_none_or(|wanted| channels.split(' ').any(|one| is_among(one, wanted)))
            && tag.is_none_or(|wanted| has_word(tags, wanted))
    }
}

fn is_among(word: &str, wanted: &[Name]) -> bool {
    wanted.iter().any(|wanted| wanted.as_str() == word)
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

/// A list of the messages of all applications, deleted ones too.
#[derive(Debug, Clone)]
pub struct AllMessagesQuery {
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

impl ResultFilter {
    fn passes(self, result: AttemptResult) -> bool {
        match self {
            Self::Success => result == AttemptResult::Success,
            Self::Failure => result == AttemptResult::Failure,
            Self::Cancelled => matches!(result, AttemptResult::Cancelled(_)),
            Self::FailureOrCancelled => result != AttemptResult::Success,
            Self::Nothing => false,
        }
    }
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

impl AttemptQuery {
    /// Whether an attempt passes that ended so, whatever its message is.
    pub fn passes(&self, status_code: u16, result: AttemptResult) -> bool {
        let codes = self.status_codes;
        self.result.is_none_or(|wanted| wanted.passes(result))
            && codes.is_none_or(|(first, end)| (first..end).contains(&status_code))
    }

    /// Whether those that succeeded may pass.
    pub fn takes_successes(&self) -> bool {
        matches!(self.result, None | Some(ResultFilter::Success))
    }
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

impl EventTypeQuery {
    /// Whether an event type passes that is archived or not, and has these feature flags.
    pub fn passes(&self, archived: bool, flags: &[Name]) -> bool {
        let visible = self.visible_to.as_ref().is_none_or(|carried| {
            flags.is_empty() || flags.iter().any(|flag| carried.contains(flag))
        });
        visible && (self.archived || !archived)
    }
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

/// How to count attempts exactly where whole hours are counted already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    /// Hours that count whole; empty: none does.
    pub hours: Range<i64>,
    /// Before and behind them: the attempts themselves, by their keys.
    pub edges: Vec<Range<AttemptKey>>,
}

impl StatisticsQuery {
    /// How to count at this moment: nothing is recorded later.
    pub fn spans(&self, now: Timestamp) -> Spans {
        let since = self.since.micros();
        let first = since.div_euclid(HOUR) + i64::from(since.rem_euclid(HOUR) > 0);
        let end = match self.until > now {
            true => i64::MAX / HOUR, // the hour that has begun counts whole
            false => self.until.micros().div_euclid(HOUR),
        };
        let (hours, edges) = if first < end {
            let begins = |hour| Timestamp::from_micros(hour * HOUR);
            let edges = vec![self.since..begins(first), begins(end)..self.until];
            (first..end, edges)
        } else {
            (0..0, vec![self.since..self.until])
        };
        let ragged = edges.into_iter().filter(|edge| !edge.is_empty());
        let keys = |edge: Range<Timestamp>| {
            AttemptKey::first_at(edge.start)..AttemptKey::first_at(edge.end)
        };
        Spans {
            hours,
            edges: ragged.map(keys).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
