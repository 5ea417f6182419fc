//! New rows of a transaction, collected and then written together: one statement for each table,
//! all sent at once, and none is waited for before the next.

use crate::deliveries::Columns;
use crate::failure::Failure;
use crate::sql::{Sql, blob, columns_of, params};
use crate::work;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{Delivery, Trigger};
use model::id::{ApplicationKey, AttemptId, EndpointKey, MessageId, MessageKey};
use model::name::Name;
use store::Sealed;
use store::accept::NewMessage;
use store::encoding::{form_number, join_some, result_number, trigger_number};
use store::idempotency::{Fingerprint, Prior};

/// Rows to write.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) messages: Vec<(ApplicationKey, MessageId, NewMessage)>,
    pub(crate) deliveries: Vec<(Delivery, i64)>,
    pub(crate) attempts: Vec<AttemptWrite>,
    pub(crate) keys: Vec<(i64, Fingerprint, Prior)>,
    pub(crate) tasks: Vec<work::TaskWrite>,
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
    pub(crate) excerpt: Option<Sealed>,
}

impl Pending {
    /// Writes them.
    pub(crate) async fn write(self, sql: &Sql<'_>) -> Result<(), Failure> {
        let written = tokio::join!(
            event_keys(sql, &self.messages),
            idempotency_keys(sql, self.keys),
            messages(sql, &self.messages),
            payloads(sql, &self.messages),
            deliveries(sql, &self.deliveries),
            attempts(sql, &self.attempts),
            excerpts(sql, &self.attempts),
            work::insert(sql, &self.tasks),
        );
        Failure::first(<[_; 8]>::from(written))
    }
}

/// Another node that takes one of them at this moment is a conflict: the whole transaction begins
/// again, and finds it. In order, so that two nodes don't wait for each other.
async fn event_keys(
    sql: &Sql<'_>,
    messages: &[(ApplicationKey, MessageId, NewMessage)],
) -> Result<(), Failure> {
    let mut rows: Vec<(i64, &str, i64)> = messages
        .iter()
        .filter_map(|(application, id, message)| {
            let event_id = message.event_id.as_ref()?;
            Some((application.integer(), event_id.as_str(), id.key().integer()))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable();
    let inserted = sql.run(
        "INSERT INTO event_key (application, event_id, message)
         SELECT * FROM unnest($1, $2, $3) RETURNING 1",
        params![
            columns_of(&rows, |row| row.0),
            columns_of(&rows, |row| row.1),
            columns_of(&rows, |row| row.2)
        ],
    );
    inserted.await.map(drop)
}

/// As [`event_keys`].
async fn idempotency_keys(
    sql: &Sql<'_>,
    mut rows: Vec<(i64, Fingerprint, Prior)>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable_by_key(|(hour, fingerprint, _)| (*hour, *fingerprint));
    let inserted = sql.run(
        "INSERT INTO idempotency (hour, fingerprint, body, status, made, made_tail)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6) RETURNING 1",
        params![
            columns_of(&rows, |row| row.0),
            columns_of(&rows, |row| row.1.to_vec()),
            columns_of(&rows, |row| row.2.body.to_vec()),
            columns_of(&rows, |row| i32::from(row.2.status)),
            columns_of(&rows, |row| row.2.made.key),
            columns_of(&rows, |row| row.2.made.tail.to_vec())
        ],
    );
    inserted.await.map(drop)
}

async fn messages(
    sql: &Sql<'_>,
    rows: &[(ApplicationKey, MessageId, NewMessage)],
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let inserted = sql.run(
        "INSERT INTO message (application, id, tail, event_type, event_id, channels, tags,
         deliver_at, expires_at, form, content_type)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING 1",
        params![
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
            columns_of(rows, |row| form_number(&row.2.form).1)
        ],
    );
    inserted.await.map(drop)
}

async fn payloads(
    sql: &Sql<'_>,
    rows: &[(ApplicationKey, MessageId, NewMessage)],
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let inserted = sql.run(
        "INSERT INTO payload (application, message, expires_at, body)
         SELECT * FROM unnest($1, $2, $3, $4) RETURNING 1",
        params![
            columns_of(rows, |row| row.0.integer()),
            columns_of(rows, |row| row.1.key().integer()),
            columns_of(rows, |row| row.2.expires_at.micros()),
            columns_of(rows, |row| blob(&row.2.payload))
        ],
    );
    inserted.await.map(drop)
}

async fn deliveries(sql: &Sql<'_>, rows: &[(Delivery, i64)]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(rows.iter().map(|(delivery, _)| delivery));
    let inserted = sql.run(
        "INSERT INTO delivery
         (endpoint, class, due, id, application, message, trigger, attempts, owner)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING 1",
        params![
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
    );
    inserted.await.map(drop)
}

async fn attempts(sql: &Sql<'_>, rows: &[AttemptWrite]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let inserted = sql.run(
        "INSERT INTO attempt (application, id, tail, message, endpoint, trigger, number,
         started_at, duration_ms, status_code, result, revision)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING 1",
        params![
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
            columns_of(rows, |row| i64::from(row.revision))
        ],
    );
    inserted.await.map(drop)
}

async fn excerpts(sql: &Sql<'_>, rows: &[AttemptWrite]) -> Result<(), Failure> {
    let rows: Vec<(&AttemptWrite, &Sealed)> = rows
        .iter()
        .filter_map(|row| Some((row, row.excerpt.as_ref()?)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let inserted = sql.run(
        "INSERT INTO excerpt (application, attempt, body)
         SELECT * FROM unnest($1, $2, $3) RETURNING 1",
        params![
            columns_of(&rows, |row| row.0.application.integer()),
            columns_of(&rows, |row| row.0.id.key().integer()),
            columns_of(&rows, |row| blob(row.1))
        ],
    );
    inserted.await.map(drop)
}
