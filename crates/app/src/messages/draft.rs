//! What somebody asks to be sent, and the rules it must keep. Pure: time and limits are arguments.

use crate::accept::Draft;
use crate::{AppError, Settings, Violation};
use bytes::Bytes;
use model::Timestamp;
use model::id::{Kind, MessageKind};
use model::message::{DELIVER_AT_MAX, MESSAGE_CHANNELS_MAX, PayloadForm, RETENTION_DAYS};
use model::name::Name;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The most tags a message may have.
pub const TAGS_MAX: usize = 5;
/// The fewest and most hours that a payload is kept, where hours are given.
pub const RETENTION_HOURS: RangeInclusive<u16> = 1..=2_160;
/// The longest content type of a raw payload, in bytes.
pub const CONTENT_TYPE_BYTES_MAX: usize = 256;

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
    pub(crate) payload_bytes_max: usize,
    /// How long payloads are kept at the most, and if nothing else is asked for.
    pub(crate) retention: Duration,
}

impl Bounds {
    pub(crate) fn new(settings: &Settings, now: Timestamp) -> Self {
        let Settings {
            payload_bytes_max,
            retention,
            ..
        } = *settings;
        Self {
            now,
            payload_bytes_max,
            retention,
        }
    }
}

impl MessageInput {
    /// The message if it keeps all rules; else every rule that it breaks.
    pub(crate) fn judge(self, bounds: Bounds) -> Result<Draft, AppError> {
        let mut broken = Vec::new();
        let mut note = |field: &'static str, message: String| {
            broken.push(Violation::body(&[field], message));
        };
        let event_type = taken(name(&self.event_type), |wrong| note("eventType", wrong));
        let event_id = optional(
            self.event_id,
            |text| event_id(&text),
            |w| note("eventId", w),
        );
        let channels = optional(
            self.channels,
            |list| channels(&list),
            |w| note("channels", w),
        );
        let tags = optional(self.tags, |list| tags(&list), |w| note("tags", w));
        if self.payload.first() != Some(&b'{') {
            note("payload", "Payload must be an object.".to_owned());
        }
        let days = |asked| lasting(asked, RETENTION_DAYS, DAY);
        let days = optional(self.retention_days, days, |w| {
            note("payloadRetentionPeriod", w)
        });
        let hours = |asked| lasting(asked, RETENTION_HOURS, HOUR);
        let hours = optional(self.retention_hours, hours, |w| {
            note("payloadRetentionHours", w)
        });
        let waits = optional(
            self.deliver_at,
            |at| wait(at, bounds),
            |w| note("deliverAt", w),
        );
        let (text, form) = match self.raw {
            None => (self.payload, PayloadForm::Json),
            Some(raw) => {
                let wrong = |wrong| note("transformationsParams", wrong);
                let content_type = optional(raw.content_type, content_type, wrong);
                (raw.text, PayloadForm::Raw { content_type })
            }
        };
        let (Some(event_type), true) = (event_type, broken.is_empty()) else {
            return Err(AppError::Invalid(broken));
        };
        check_size(&text, bounds.payload_bytes_max)?;
        let kept_max = bounds.retention.saturating_sub(waits.unwrap_or_default());
        Ok(Draft {
            event_type,
            event_id,
            channels: channels.unwrap_or_default(),
            tags: tags.unwrap_or_default(),
            deliver_at: self.deliver_at,
            retention: hours.or(days).map_or(kept_max, |asked| asked.min(kept_max)),
            form,
            payload: text,
            idempotency: None,
        })
    }
}

/// The value if it keeps its rule; else tells what is wrong.
fn taken<T>(judged: Result<T, String>, tell: impl FnOnce(String)) -> Option<T> {
    judged.map_err(tell).ok()
}

fn optional<I, T>(
    input: Option<I>,
    judge: impl FnOnce(I) -> Result<T, String>,
    tell: impl FnOnce(String),
) -> Option<T> {
    taken(judge(input?), tell)
}

fn name(text: &str) -> Result<Name, String> {
    text.parse()
        .map_err(|wrong: model::name::NameError| wrong.to_string())
}

fn event_id(text: &str) -> Result<Name, String> {
    if text.starts_with(MessageKind::PREFIX) {
        return Err(format!(
            "An eventId must not begin with `{}`.",
            MessageKind::PREFIX
        ));
    }
    name(text)
}

fn names(list: &[String]) -> Result<BTreeSet<Name>, String> {
    list.iter().map(|text| name(text)).collect()
}

fn channels(list: &[String]) -> Result<BTreeSet<Name>, String> {
    let channels = names(list)?;
    if (1..=MESSAGE_CHANNELS_MAX).contains(&channels.len()) {
        return Ok(channels);
    }
    Err(format!(
        "A message has 1 to {MESSAGE_CHANNELS_MAX} channels, or null for none."
    ))
}

fn tags(list: &[String]) -> Result<BTreeSet<Name>, String> {
    let tags = names(list)?;
    if tags.len() <= TAGS_MAX {
        return Ok(tags);
    }
    Err(format!("A message has at most {TAGS_MAX} tags."))
}

fn lasting(asked: i64, range: RangeInclusive<u16>, unit: Duration) -> Result<Duration, String> {
    match u16::try_from(asked) {
        Ok(count) if range.contains(&count) => Ok(unit * u32::from(count)),
        _ => Err(format!(
            "A payload is kept for {} to {}.",
            range.start(),
            range.end()
        )),
    }
}

/// How long it waits before it is first due.
fn wait(deliver_at: Timestamp, bounds: Bounds) -> Result<Duration, String> {
    let wait = deliver_at.since(bounds.now);
    if wait > DELIVER_AT_MAX {
        let days = DELIVER_AT_MAX.as_secs() / DAY.as_secs();
        return Err(format!("A message can be put off by at most {days} days."));
    }
    if !wait.is_zero() && wait >= bounds.retention {
        let days = bounds.retention.as_secs() / DAY.as_secs();
        return Err(format!(
            "Payloads are kept for {days} days here: it would be gone by then."
        ));
    }
    Ok(wait)
}

fn content_type(text: String) -> Result<String, String> {
    let legal = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if legal && !text.trim().is_empty() && text.len() <= CONTENT_TYPE_BYTES_MAX {
        return Ok(text.trim().to_owned());
    }
    Err(format!(
        "A content type is 1 to {CONTENT_TYPE_BYTES_MAX} visible ASCII characters, such as \
         `text/plain`."
    ))
}

fn check_size(payload: &[u8], bytes_max: usize) -> Result<(), AppError> {
    if payload.len() <= bytes_max {
        return Ok(());
    }
    Err(AppError::TooLarge(format!(
        "Request payload is too large. A payload has at most {bytes_max} bytes; this one has {}.",
        payload.len()
    )))
}

#[cfg(test)]
mod tests;
