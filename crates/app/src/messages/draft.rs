//! What somebody asks to be sent, and the rules it must keep. Pure: time and limits are arguments.

use crate::Caller;
use crate::accept::Draft;
use crate::rules::Judge;
use crate::{AppError, Settings};
use bytes::Bytes;
use model::Timestamp;
use model::challenge::is_challenge;
use model::hops::Hops;
use model::id::MessageKind;
use model::message::{DELIVER_AT_MAX, MESSAGE_CHANNELS_MAX, PayloadForm, RETENTION_DAYS};
use model::name::Name;
use model::trace::TraceParent;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The most tags a message may have.
pub const TAGS_MAX: usize = 5;
/// The fewest and most hours that a payload is kept, where hours are given.
pub const RETENTION_HOURS: RangeInclusive<u16> = 1..=2_160;
/// The longest content type of a raw payload, in bytes.
pub const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// Why an event type is refused that is not anybody's.
pub(crate) const RESERVED: &str = "is kept for the messages by which endpoints prove themselves";

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A message as it was asked for, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct MessageInput {
    /// What happened.
    pub event_type: String,
    /// The sender's own id of the event.
    pub event_id: Option<String>,
    /// Where it is heard.
    pub channels: Option<Vec<String>>,
    /// Marks to find it by.
    pub tags: Option<Vec<String>>,
    /// The JSON text of the payload, without white space around it, in memory of its own.
    pub payload: Bytes,
    /// A text to send instead of the payload.
    pub raw: Option<RawInput>,
    /// Days that the payload is kept from when it is first due.
    pub retention_days: Option<i64>,
    /// Hours that the payload is kept from when it is first due; where given, days don't count.
    pub retention_hours: Option<i64>,
    /// First due then.
    pub deliver_at: Option<Timestamp>,
}

/// A raw payload as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct RawInput {
    /// What to send, whatever it is.
    pub text: Bytes,
    /// What it says it is; `None`: `application/json`.
    pub content_type: Option<String>,
}

/// What the rules need to know besides the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) now: Timestamp,
    /// How many deliveries the request has been through.
    pub(crate) hops: Hops,
    /// The trace that the request is a part of.
    pub(crate) trace: Option<TraceParent>,
    pub(crate) payload_bytes_max: usize,
    /// How long payloads are kept at the most, and if nothing else is asked for.
    pub(crate) retention: Duration,
}

impl Bounds {
    pub(crate) fn new(settings: &Settings, caller: &Caller, now: Timestamp) -> Self {
        let Settings {
            payload_bytes_max,
            retention,
            ..
        } = *settings;
        Self {
            now,
            hops: caller.hops,
            trace: caller.trace,
            payload_bytes_max,
            retention,
        }
    }
}

impl MessageInput {
    /// The message if it keeps all rules; else every rule that it breaks.
    pub(crate) fn judge(self, bounds: Bounds) -> Result<Draft, AppError> {
        let mut judge = Judge::new(&[]);
        let event_type = judge.name("eventType", &self.event_type);
        if event_type.as_ref().is_some_and(is_challenge) {
            judge.note("eventType", RESERVED);
        }
        let event_id = judge.uid::<MessageKind>("eventId", self.event_id.as_deref());
        let channels = channels(&mut judge, self.channels.as_deref());
        let tags = tags(&mut judge, self.tags.as_deref());
        if self.payload.first() != Some(&b'{') {
            judge.note("payload", "Payload must be an object.");
        }
        let days = kept(
            &mut judge,
            "payloadRetentionPeriod",
            self.retention_days,
            RETENTION_DAYS,
        );
        let hours = kept(
            &mut judge,
            "payloadRetentionHours",
            self.retention_hours,
            RETENTION_HOURS,
        );
        let asked = hours
            .map(|hours| HOUR * hours)
            .or(days.map(|days| DAY * days));
        let kept_max = bounds
            .retention
            .saturating_sub(wait(&mut judge, self.deliver_at, bounds));
        let (payload, form) = match self.raw {
            None => (self.payload, PayloadForm::Json),
            Some(RawInput { text, content_type }) => {
                let content_type = content_type.and_then(|text| of_type(&mut judge, &text));
                (text, PayloadForm::Raw { content_type })
            }
        };
        judge.finish()?;
        check_size(&payload, bounds.payload_bytes_max)?;
        Ok(Draft {
            event_type: event_type.expect("a broken rule was told"),
            event_id,
            channels,
            tags,
            deliver_at: self.deliver_at,
            hops: bounds.hops,
            trace: bounds.trace,
            retention: asked.map_or(kept_max, |asked| asked.min(kept_max)),
            form,
            payload,
            only: None,
            idempotency: None,
            replay: None,
            findings: Vec::new(),
        })
    }
}

pub(super) fn channels(judge: &mut Judge<'_>, list: Option<&[String]>) -> BTreeSet<Name> {
    match list {
        Some([]) => judge.note("channels", "must hold at least one; null means none"),
        Some(list) => {
            return judge
                .names("channels", list, MESSAGE_CHANNELS_MAX)
                .unwrap_or_default();
        }
        None => {}
    }
    BTreeSet::new()
}

fn tags(judge: &mut Judge<'_>, list: Option<&[String]>) -> BTreeSet<Name> {
    let list = list.filter(|list| !list.is_empty());
    list.and_then(|list| judge.names("tags", list, TAGS_MAX))
        .unwrap_or_default()
}

/// For how many of its units a payload is kept.
fn kept(
    judge: &mut Judge<'_>,
    field: &str,
    asked: Option<i64>,
    range: RangeInclusive<u16>,
) -> Option<u32> {
    let asked = asked?;
    let count = u16::try_from(asked)
        .ok()
        .filter(|count| range.contains(count));
    if count.is_none() {
        judge.note(
            field,
            format!("must be from {} to {}", range.start(), range.end()),
        );
    }
    count.map(u32::from)
}

/// How long it is until it is first due.
fn wait(judge: &mut Judge<'_>, deliver_at: Option<Timestamp>, bounds: Bounds) -> Duration {
    let wait = deliver_at.map_or(Duration::ZERO, |at| at.since(bounds.now));
    let days = |duration: Duration| duration.as_secs() / DAY.as_secs();
    if wait > DELIVER_AT_MAX {
        let text = format!("must be at most {} days ahead", days(DELIVER_AT_MAX));
        judge.note("deliverAt", text);
    } else if !wait.is_zero() && wait >= bounds.retention {
        let kept = days(bounds.retention);
        let text = format!("must be before the payload is gone: it is kept for {kept} days");
        judge.note("deliverAt", text);
    }
    wait
}

/// What a raw payload is, as a header can say it.
fn of_type(judge: &mut Judge<'_>, text: &str) -> Option<String> {
    let text = text.trim();
    let legal = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if legal && (1..=CONTENT_TYPE_BYTES_MAX).contains(&text.len()) {
        return Some(text.to_owned());
    }
    let text = format!(
        "a content type must be 1 to {CONTENT_TYPE_BYTES_MAX} visible ASCII characters, such as \
         `text/plain`"
    );
    judge.note("transformationsParams", text);
    None
}

fn check_size(payload: &[u8], bytes_max: usize) -> Result<(), AppError> {
    if payload.len() <= bytes_max {
        return Ok(());
    }
    Err(AppError::TooLarge(format!(
        "Request payload is too large. A payload has at most {bytes_max} bytes (payload_bytes_max); \
         this one has {}.",
        payload.len()
    )))
}

#[cfg(test)]
mod tests;
