//! Fills a database for a measurement: multiplies the delivered messages that it holds, in the
//! database itself, which takes a fraction of the time that it takes to send as many.
//!
//! A copy has all rows that a message leaves, and can be read as its original can: the tail, which
//! what is sealed is bound to, is the same. Only its key differs, by which it is from one of the
//! seven days before, of a slot that no node has. Its idempotency key is one that nobody has sent.
//! Statistics and event ids are not multiplied. For databases of a bench's own, on which no node
//! works meanwhile: what is open is copied as if it had ended.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::partitions::{Partition, Partitions, Table};
use crate::pools::Pools;
use model::Timestamp;
use model::id::Key;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_postgres::Client;

/// Copies in a transaction.
const SLICE: i64 = 20_000;
/// Originals at the most.
const SAMPLE_MAX: u32 = 100_000;
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How many days before the originals the copies are from.
const DAYS: u32 = 7;
/// The same in steps of keys, of which a second has 250.
const SPAN_STEPS: i64 = DAYS as i64 * 24 * 3_600 * 250;
/// The hours in which the copies' idempotency keys expire: as many as a caller's own key lives.
const HOURS: i64 = 12;
/// Keys of a slot within a step.
const COUNTERS: i64 = 1 << 14;

/// Rows are read as a whole, and joined by hash: this is no statement of a node's.
const SETTINGS: &str =
    "SET enable_seqscan = on; SET enable_hashjoin = on; SET plan_cache_mode = auto;
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/// Each original with its number, and its attempts with theirs.
const ORIGINALS: &str = "
    CREATE TEMP TABLE original AS
        SELECT row_number() OVER (ORDER BY m.id) - 1 AS n, m.*, p.body
        FROM (SELECT * FROM message ORDER BY id LIMIT {max}) AS m
        LEFT JOIN payload p ON p.expires_at = m.expires_at AND p.application = m.application
            AND p.message = m.id;
    CREATE TEMP TABLE original_attempt AS
        SELECT o.n, row_number() OVER (PARTITION BY o.n ORDER BY a.id) - 1 AS nth,
            o.id AS original, a.*, e.body, e.head
        FROM original o JOIN attempt a ON a.application = o.application AND a.message = o.id
        LEFT JOIN excerpt e ON e.application = a.application AND e.attempt = a.id;
    CREATE TEMP TABLE original_key AS
        SELECT o.n, o.id AS original, i.* FROM original o
        JOIN idempotency i ON i.made = o.id AND i.made_tail = o.tail;
    ANALYZE original, original_attempt, original_key";

/// What is to be copied, and how often.
struct Sample {
    originals: i64,
    attempts_each: i64,
    copies: i64,
}

/// Multiplies what the database of `config` holds until it has so many messages. Tells how many
/// there are, again and again.
pub async fn fill(
    config: &PostgresConfig,
    stored: u64,
    told: impl Fn(u64),
) -> Result<(), OpenError> {
    let client = Pools::new(config)?.direct().await?;
    let stored = stored.cast_signed();
    client.batch_execute(SETTINGS).await?;
    let originals = ORIGINALS.replace("{max}", &SAMPLE_MAX.to_string());
    client.batch_execute(&originals).await?;
    let sample = sample(&client, stored).await?;
    let mut done = 0;
    while done < sample.copies {
        let end = sample.copies.min(done + SLICE);
        copy(&client, &sample, (done, end)).await?;
        done = end;
        told((stored - sample.copies + done).cast_unsigned());
    }
    // What this leaves to be done is not to be done while something is measured.
    for statement in [
        "VACUUM (ANALYZE) message, payload, attempt, excerpt, idempotency",
        "CHECKPOINT",
    ] {
        client.batch_execute(statement).await?;
    }
    Ok(())
}

/// Looks at what there is, and makes the partitions that copies of it need.
async fn sample(client: &Client, stored: i64) -> Result<Sample, OpenError> {
    let row = client
        .query_one(
            "SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0),
                 coalesce(min(expires_at), 0), coalesce(max(expires_at), 0),
                 (SELECT coalesce(max(nth), 0) + 1 FROM original_attempt),
                 (SELECT coalesce(max(hour), 0) FROM original_key),
                 (SELECT count(*) FROM message)
             FROM original",
            &[],
        )
        .await?;
    let mut values = [0_i64; 8];
    for (place, value) in values.iter_mut().enumerate() {
        *value = row.try_get(place)?;
    }
    let [originals, oldest, newest, first, last, each, hour, there] = values;
    if originals == 0 {
        return Err(OpenError::Database(
            "it holds no message that could be multiplied".to_owned(),
        ));
    }
    let made = [oldest, newest].map(|id| Key::<()>::from_integer(id).time());
    let expiring = [first, last].map(Timestamp::from_micros);
    let mut needed = BTreeSet::new();
    for days in 0..=DAYS {
        let before = |time: Timestamp| time.minus(days * DAY);
        for table in [Table::Message, Table::Attempt, Table::Excerpt] {
            needed.extend(made.map(|time| Partition::at(table, before(time))));
        }
        needed.extend(expiring.map(|time| Partition::at(Table::Payload, before(time))));
    }
    if hour > 0 {
        needed.extend((0..HOURS).map(|hours| Partition::of_hour(hour - hours)));
    }
    Partitions::default().make(client, needed).await?;
    Ok(Sample {
        originals,
        attempts_each: each,
        copies: (stored - there).max(0),
    })
}

/// Makes the copies of these numbers.
async fn copy(client: &Client, sample: &Sample, (from, to): (i64, i64)) -> Result<(), Failure> {
    let Sample {
        originals,
        attempts_each,
        copies,
    } = sample;
    // By how many steps a copy is older, oldest first, as they would have come.
    let age = format!("1 + ({SPAN_STEPS} - 1) * ({copies} - g) / {copies}");
    let source = |table: &str| {
        format!(
            "FROM generate_series({from}::bigint, {to}::bigint - 1) AS g
             CROSS JOIN LATERAL (SELECT {age} AS age) AS a
             JOIN {table} o ON o.n = g % {originals}"
        )
    };
    let id = |column: &str, counter: &str| {
        let step = format!("(({column} >> 32) * 250 + (({column} >> 24) & 255) - a.age)");
        format!("((({step} / 250) << 32) | (({step} % 250) << 24) | (({counter}) % {COUNTERS}))")
    };
    let message = |column: &str| id(column, "g");
    let (own, original) = (message("o.id"), message("o.original"));
    let attempt = id("o.id", &format!("g * {attempts_each} + o.nth"));
    let (messages, attempts) = (source("original"), source("original_attempt"));
    let keys = source("original_key");
    let statements = format!(
        "BEGIN;
         INSERT INTO message (application, id, tail, event_type, channels, tags, deliver_at,
                 expires_at, form, content_type, hops, trace)
             SELECT o.application, {own}, o.tail, o.event_type, o.channels, o.tags, o.deliver_at,
                 o.expires_at - a.age * 4000, o.form, o.content_type, o.hops,
                 o.trace
             {messages};
         INSERT INTO payload (application, message, expires_at, body)
             SELECT o.application, {own}, o.expires_at - a.age * 4000, o.body
             {messages} WHERE o.body IS NOT NULL;
         INSERT INTO attempt (application, id, tail, message, endpoint, trigger, number, started_at,
                 duration_ms, status_code, result, revision, given_up, phases, chain)
             SELECT o.application, {attempt}, o.tail, {original}, o.endpoint, o.trigger, o.number,
                 o.started_at - a.age * 4000, o.duration_ms, o.status_code, o.result, o.revision,
                 o.given_up, o.phases, o.chain
             {attempts};
         INSERT INTO excerpt (application, attempt, body, head)
             SELECT o.application, {attempt}, o.body, o.head
             {attempts} WHERE o.body IS NOT NULL OR o.head IS NOT NULL;
         INSERT INTO idempotency (hour, fingerprint, body, status, made, made_tail)
             SELECT o.hour - {HOURS} + 1 + {HOURS} * g / {copies},
                 substr(sha256(int8send(g)), 1, 16), o.body, o.status, {original}, o.made_tail
             {keys};
         COMMIT"
    );
    client.batch_execute(&statements).await?;
    Ok(())
}
