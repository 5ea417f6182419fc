//! New rows of a transaction, collected and then written together: one statement for each table, to
//! be sent at once.

use crate::deliveries::Columns;
use crate::replays::{self, NewReplay};
use crate::sql::{Statement, blob, columns_of, params};
use crate::{audit, work};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{Delivery, Trigger};
use model::id::{ApplicationKey, AttemptId, EndpointKey, MessageId, MessageKey};
use model::name::Name;
use store::Sealed;
use store::accept::NewMessage;
use store::audit::KeptEntry;
use store::encoding::{
    form_number, hops_number, join_some, result_number, trace_bytes, trigger_number,
};
use store::idempotency::{Fingerprint, Prior};

/// Rows to write.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) messages: Vec<(ApplicationKey, MessageId, NewMessage)>,
    pub(crate) deliveries: Vec<(Delivery, i64)>,
    pub(crate) attempts: Vec<AttemptWrite>,
    pub(crate) keys: Vec<(i64, Fingerprint, Prior)>,
    pub(crate) replays: Vec<NewReplay>,
    pub(crate) tasks: Vec<work::TaskWrite>,
    pub(crate) audit: Vec<KeptEntry>,
}

/// An attempt's row.
pub(crate) struct AttemptWrite {
    pub(crate) id: AttemptId,
    pub(crate) application: ApplicationKey,
    pub(crate) message: MessageKey,
    pub(crate) endpoint: EndpointKey,
    pub(crate) trigger: Trigger,
    pub(crate) number: u16,
    pub(crate) started_at: Timestamp,
    pub(crate) duration_ms: u32,
    pub(crate) status_code: u16,
    pub(crate) result: AttemptResult,
    pub(crate) revision: u32,
    pub(crate) given_up: bool,
    pub(crate) phases: Option<Vec<u8>>,
    pub(crate) chain: Option<i64>,
    pub(crate) excerpt: Option<Sealed>,
    pub(crate) head: Option<Sealed>,
}

impl Pending {
    /// What writes them.
    pub(crate) fn statements(&self) -> Vec<Statement<'_>> {
        let each = [
            event_keys(&self.messages),
            idempotency_keys(&self.keys),
            replays::give_way(&self.replays),
            replays::insert(&self.replays),
            messages(&self.messages),
            payloads(&self.messages),
            deliveries(&self.deliveries),
            attempts(&self.attempts),
            excerpts(&self.attempts),
            work::insert(&self.tasks),
            audit::insert(&self.audit),
        ];
        each.into_iter().flatten().collect()
    }
}

/// Another node that takes one of them at this moment is a conflict: the whole transaction begins
/// again, and finds it. In order, so that two nodes don't wait for each other.
fn event_keys(messages: &[(ApplicationKey, MessageId, NewMessage)]) -> Option<Statement<'_>> {
    let mut rows: Vec<(i64, &str, i64)> = messages
        .iter()
        .filter_map(|(application, id, message)| {
            let event_id = message.event_id.as_ref()?;
            Some((application.integer(), event_id.as_str(), id.key().integer()))
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    rows.sort_unstable();
    Some(Statement {
        text: "INSERT INTO event_key (application, event_id, message)
         SELECT * FROM unnest($1, $2, $3)",
        params: params![
            columns_of(&rows, |row| row.0),
            columns_of(&rows, |row| row.1),
            columns_of(&rows, |row| row.2)
        ],
    })
}

/// As [`event_keys`].
fn idempotency_keys(keys: &[(i64, Fingerprint, Prior)]) -> Option<Statement<'_>> {
    let mut rows: Vec<&(i64, Fingerprint, Prior)> = keys.iter().collect();
    if rows.is_empty() {
        return None;
    }
    rows.sort_unstable_by_key(|(hour, fingerprint, _)| (*hour, *fingerprint));
    Some(Statement {
        text: "INSERT INTO idempotency (hour, fingerprint, body, status, made, made_tail)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
        params: params![
            columns_of(&rows, |row| row.0),
            columns_of(&rows, |row| row.1.to_vec()),
            columns_of(&rows, |row| row.2.body.to_vec()),
            columns_of(&rows, |row| i32::from(row.2.status)),
            columns_of(&rows, |row| row.2.made.key),
            columns_of(&rows, |row| row.2.made.tail.to_vec())
        ],
    })
}

fn messages(rows: &[(ApplicationKey, MessageId, NewMessage)]) -> Option<Statement<'_>> {
    if rows.is_empty() {
        return None;
    }
    Some(Statement {
        text: "INSERT INTO message (application, id, tail, event_type, event_id, channels, tags,
         deliver_at, expires_at, form, content_type, hops, trace)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params: params![
            columns_of(rows, |row| row.0.integer()),
            columns_of(rows, |row| row.1.key().integer()),
            columns_of(rows, |row| row.1.tail().to_vec()),
            columns_of(rows, |row| row.2.event_type.as_str()),
            columns_of(rows, |row| row.2.event_id.as_ref().map(Name::as_str)),
            columns_of(rows, |row| join_some(&row.2.channels)),
            columns_of(rows, |row| join_some(&row.2.tags)),
            columns_of(rows, |row| row.2.deliver_at.map(Timestamp::micros)),
            columns_of(rows, |row| row.2.expires_at.micros()),
            columns_of(rows, |row| i16::from(form_number(&row.2.form).0)),
            columns_of(rows, |row| form_number(&row.2.form).1),
            columns_of(rows, |row| hops_number(row.2.hops).map(i16::from)),
            columns_of(rows, |row| trace_bytes(row.2.trace.as_ref()))
        ],
    })
}

fn payloads(rows: &[(ApplicationKey, MessageId, NewMessage)]) -> Option<Statement<'_>> {
    if rows.is_empty() {
        return None;
    }
    Some(Statement {
        text: "INSERT INTO payload (application, message, expires_at, body)
         SELECT * FROM unnest($1, $2, $3, $4)",
        params: params![
            columns_of(rows, |row| row.0.integer()),
            columns_of(rows, |row| row.1.key().integer()),
            columns_of(rows, |row| row.2.expires_at.micros()),
            columns_of(rows, |row| blob(&row.2.payload))
        ],
    })
}

fn deliveries(rows: &[(Delivery, i64)]) -> Option<Statement<'_>> {
    if rows.is_empty() {
        return None;
    }
    let columns = Columns::of(rows.iter().map(|(delivery, _)| delivery));
    Some(Statement {
        text: "INSERT INTO delivery
         (endpoint, class, due, id, application, message, trigger, attempts, owner)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params: params![
            columns.endpoints,
            columns.classes,
            columns.dues,
            columns.ids,
            columns_of(rows, |row| row.0.application.integer()),
            columns_of(rows, |row| row.0.message.integer()),
            columns_of(rows, |row| i16::from(trigger_number(row.0.trigger))),
            columns.attempts,
            columns_of(rows, |row| row.1)
        ],
    })
}

fn attempts(rows: &[AttemptWrite]) -> Option<Statement<'_>> {
    if rows.is_empty() {
        return None;
    }
    Some(Statement {
        text: "INSERT INTO attempt (application, id, tail, message, endpoint, trigger, number,
         started_at, duration_ms, status_code, result, revision, given_up, phases, chain)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        params: params![
            columns_of(rows, |row| row.application.integer()),
            columns_of(rows, |row| row.id.key().integer()),
            columns_of(rows, |row| row.id.tail().to_vec()),
            columns_of(rows, |row| row.message.integer()),
            columns_of(rows, |row| row.endpoint.integer()),
            columns_of(rows, |row| i16::from(trigger_number(row.trigger))),
            columns_of(rows, |row| i32::from(row.number)),
            columns_of(rows, |row| row.started_at.micros()),
            columns_of(rows, |row| i64::from(row.duration_ms)),
            columns_of(rows, |row| i32::from(row.status_code)),
            columns_of(rows, |row| i16::from(result_number(row.result))),
            columns_of(rows, |row| i64::from(row.revision)),
            columns_of(rows, |row| row.given_up),
            columns_of(rows, |row| row.phases.as_deref()),
            columns_of(rows, |row| row.chain)
        ],
    })
}

fn excerpts(rows: &[AttemptWrite]) -> Option<Statement<'_>> {
    let answered = |row: &&AttemptWrite| row.excerpt.is_some() || row.head.is_some();
    let rows: Vec<&AttemptWrite> = rows.iter().filter(answered).collect();
    if rows.is_empty() {
        return None;
    }
    Some(Statement {
        text: "INSERT INTO excerpt (application, attempt, body, head)
         SELECT * FROM unnest($1, $2, $3, $4)",
        params: params![
            columns_of(&rows, |row| row.application.integer()),
            columns_of(&rows, |row| row.id.key().integer()),
            columns_of(&rows, |row| row.excerpt.as_ref().map(blob)),
            columns_of(&rows, |row| row.head.as_ref().map(blob))
        ],
    })
}
