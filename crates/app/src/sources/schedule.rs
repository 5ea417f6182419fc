//! Messages that sources make by themselves, on a schedule.
//!
//! Every node that accepts asks for what is due, and tries to make it: by what a replay is told,
//! each is made once, whoever is first, and no node has to be the one that does it. What was missed
//! while no node was there is made once, when one is, unless it is older than a day.

use super::{Incoming, KnownSource, OpenSource};
use crate::{App, AppError};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use model::Timestamp;
use model::hops::Hops;
use model::message::PayloadForm;
use model::source::{Cron, EventTypeAt};
use serde::de::IgnoredAny;
use std::time::Duration;
use store::accept::{ReplayDigest, ReplayEntry};

/// How far back what was missed is made.
const MISSED_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How long it is told that something was made: longer than anything could be made again.
const TOLD: Duration = Duration::from_secs(48 * 3_600);
/// What a payload is unless it is said.
const JSON: &str = "application/json";

impl App {
    /// Makes the messages that are due by now; how many this node made. The binary calls it about
    /// once a second.
    ///
    /// # Errors
    /// The first that was met, when the others have been tried: what could not be made is tried
    /// again by the next call.
    pub async fn run_due_schedules(&self) -> Result<usize, AppError> {
        let now = self.clock.now();
        let (mut made, mut failed) = (0, None);
        for known in self.tokens.known.scheduled() {
            match self.run_schedule(&known, now).await {
                Ok(is_new) => {
                    known.looked_until(now);
                    made += usize::from(is_new);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(made), Err)
    }

    /// Whether something was due that nobody had made.
    async fn run_schedule(&self, known: &KnownSource, now: Timestamp) -> Result<bool, AppError> {
        let earliest = known.row.source.updated_at.max(now.minus(MISSED_MAX));
        let after = known.looked_at().max(earliest);
        let source = self.opened(known)?;
        let Some(cron) = &source.config.cron else {
            return Ok(false);
        };
        let schedule: model::schedule::Schedule =
            cron.schedule.parse().map_err(AppError::internal)?;
        let Some(due) = schedule.latest(after, now) else {
            return Ok(false);
        };
        let incoming = incoming(&source, cron, due);
        let came = self.accept_incoming(&source, vec![incoming]).await?;
        Ok(came.made.iter().all(|one| one.seen.is_none()))
    }
}

fn incoming(source: &OpenSource, cron: &Cron, due: Timestamp) -> Incoming {
    let own_type = || source.source.source_type.clone();
    let event_type = match &source.config.event_type {
        Some(EventTypeAt::Always(name)) => name.parse().unwrap_or_else(|_| own_type()),
        _ => own_type(),
    };
    let id = source.source.id.to_string();
    let due_micros = due.micros().to_be_bytes();
    Incoming {
        event_type,
        event_id: None,
        payload: Bytes::from(cron.payload.clone()),
        form: form(cron),
        hops: Hops::NONE,
        replay: ReplayEntry {
            key: half_digest(&[b"schedule", id.as_bytes(), &due_micros].concat()),
            unsigned_id: None,
            second: None,
            content: half_digest(cron.payload.as_bytes()),
            until: due.plus(TOLD),
        },
    }
}

/// A JSON object is a payload as all messages have one; all else is sent as what it is said to be.
fn form(cron: &Cron) -> PayloadForm {
    let is_json = cron.content_type.as_deref().is_none_or(|it| it == JSON);
    match is_json && cron.payload.trim_start().starts_with('{') {
        true => PayloadForm::Json,
        false => PayloadForm::Raw {
            content_type: cron.content_type.clone(),
        },
    }
}

/// What is wrong with what is to be made, if anything; and of which member.
pub(super) fn wrong_payload(cron: &Cron, bytes_max: usize) -> Option<(&'static str, String)> {
    if let Some(content_type) = &cron.content_type {
        let is_header = |byte: u8| (b' '..=b'~').contains(&byte);
        if content_type.is_empty()
            || content_type.len() > super::PLACE_BYTES_MAX
            || !content_type.bytes().all(is_header)
        {
            let text = "must be a content type, such as `text/plain`";
            return Some(("contentType", text.to_owned()));
        }
    }
    if cron.payload.is_empty() {
        let text = "give what the messages are to be";
        return Some(("payload", text.to_owned()));
    }
    if cron.payload.len() > bytes_max {
        let text = format!("must have at most {bytes_max} bytes (payload_bytes_max)");
        return Some(("payload", text));
    }
    let is_json = cron.content_type.as_deref().is_none_or(|it| it == JSON);
    if is_json && serde_json::from_str::<IgnoredAny>(&cron.payload).is_err() {
        let text = "must be JSON, unless `contentType` says what it is";
        return Some(("payload", text.to_owned()));
    }
    None
}

fn half_digest(bytes: &[u8]) -> ReplayDigest {
    let digest = digest(&SHA256, bytes);
    *digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}
