//! What hangs on messages that go with their partitions, and lies elsewhere: event ids, younger
//! attempts, and payloads of messages that were sent long after they were accepted. It goes row by
//! row, a slice at a time, each in a commit of its own beside the writer's. Event
//! ids have an index by message, which grows at its end alone; the rest is found by going round the
//! applications, as in [`super::by_age`]. The messages themselves are not looked through.

use super::by_age::Applications;
use super::payloads::{self, Payload};
use crate::columns::get;
use crate::failure::Failure;
use crate::locks;
use crate::shared::Shared;
use crate::sql::{Sql, columns_of, params};
use tokio_postgres::Row;

/// The most rows of a slice: nobody waits for it but who takes an event id of these.
const ROWS: i64 = 2_000;

/// What goes, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    EventIds,
    Attempts,
    Payloads,
    Done,
}

impl Kind {
    fn next(self) -> Self {
        match self {
            Self::EventIds => Self::Attempts,
            Self::Attempts => Self::Payloads,
            Self::Payloads | Self::Done => Self::Done,
        }
    }
}

/// How far it has come. In memory: a restart looks once more, and finds what is left.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cleared {
    /// Of messages below this key.
    below: i64,
    kind: Kind,
    /// The application and message up to which this kind is gone.
    from: (i64, i64),
}

/// Goes on until that much is gone that traffic is to pass first. Whether that was all, for the
/// messages below a key.
pub(super) async fn clear(shared: &Shared, below: i64) -> Result<bool, Failure> {
    let mut cleared = *shared.cleared();
    if cleared.below != below {
        cleared = Cleared {
            below,
            ..Cleared::default()
        };
    }
    while cleared.kind != Kind::Done {
        let mut client = shared.pools.client().await?;
        let sql = shared.pools.begin(&mut client);
        if !locks::sweep(&sql).await? {
            return Ok(false);
        }
        let full = cleared.advance(&sql).await?;
        sql.commit().await?;
        *shared.cleared() = cleared;
        if full {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Cleared {
    /// Does one slice. Whether it is as large as one may be.
    async fn advance(&mut self, sql: &Sql<'_>) -> Result<bool, Failure> {
        if self.kind == Kind::EventIds {
            return self.event_ids(sql).await;
        }
        let applications = Applications::from(sql, self.from.0).await?;
        let last = applications.last;
        let (rows, stopped_at) = match self.kind {
            Kind::Attempts => self.attempts(sql, last).await?,
            _ => self.payloads(sql, last).await?,
        };
        let full = rows as i64 == ROWS;
        if full {
            self.from = stopped_at;
        } else if applications.more {
            self.from = (last + 1, 0);
        } else {
            (self.kind, self.from) = (self.kind.next(), (0, 0));
        }
        Ok(full)
    }

    async fn event_ids(&mut self, sql: &Sql<'_>) -> Result<bool, Failure> {
        let found = sql.rows(
            "SELECT message FROM event_key WHERE message > $1 AND message < $2
             ORDER BY message LIMIT $3",
            params![self.from.1, self.below, ROWS],
        );
        let found = found.await?;
        if let Some(last) = found.last() {
            let last: i64 = get(last, 0)?;
            let gone = sql.run(
                "DELETE FROM event_key WHERE message > $1 AND message <= $2",
                params![self.from.1, last],
            );
            gone.await?;
            self.from.1 = last;
        }
        let full = found.len() as i64 == ROWS;
        if !full {
            (self.kind, self.from) = (self.kind.next(), (0, 0));
        }
        Ok(full)
    }

    /// Those in partitions that stay: the others go with theirs. How many it were, and where it
    /// stopped.
    async fn attempts(&self, sql: &Sql<'_>, last: i64) -> Result<(usize, (i64, i64)), Failure> {
        let found = sql.rows(
            "SELECT young.application, young.id FROM application a
             CROSS JOIN LATERAL (SELECT t.application, t.id FROM attempt t
                 WHERE t.application = a.id AND t.message < $3 AND t.id >= $3 LIMIT $4) AS young
             WHERE a.id BETWEEN $1 AND $2 ORDER BY a.id LIMIT $4",
            params![self.from.0, last, self.below, ROWS],
        );
        let found = pairs(&found.await?)?;
        if !found.is_empty() {
            delete_attempts(sql, &found).await?;
        }
        let stopped_at = found.last().map_or(0, |one| one.0);
        Ok((found.len(), (stopped_at, 0)))
    }

    /// A payload is kept for as long as its message, but from when that was due.
    async fn payloads(&self, sql: &Sql<'_>, last: i64) -> Result<(usize, (i64, i64)), Failure> {
        let found = sql.rows(
            "SELECT old.expires_at, old.application, old.id FROM application a
             CROSS JOIN LATERAL (SELECT m.expires_at, m.application, m.id FROM message m
                 WHERE m.application = a.id AND m.id < $4 AND m.deliver_at IS NOT NULL
                 AND (m.application, m.id) > ($1, $2) ORDER BY m.id LIMIT $5) AS old
             WHERE a.id BETWEEN $1 AND $3 ORDER BY a.id, old.id LIMIT $5",
            params![self.from.0, self.from.1, last, self.below, ROWS],
        );
        let read = |row: &Row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?));
        let found: Vec<Payload> = found
            .await?
            .iter()
            .map(read)
            .collect::<Result<_, Failure>>()?;
        if !found.is_empty() {
            payloads::remove(sql, &found).await?;
        }
        let stopped_at = found.last().map(|one| (one.1, one.2));
        Ok((found.len(), stopped_at.unwrap_or_default()))
    }
}

async fn delete_attempts(sql: &Sql<'_>, attempts: &[(i64, i64)]) -> Result<(), Failure> {
    let params = || {
        params![
            columns_of(attempts, |one| one.0),
            columns_of(attempts, |one| one.1)
        ]
    };
    tokio::try_join!(
        sql.run(
            "DELETE FROM attempt t USING unnest($1, $2) AS g (a, i)
             WHERE t.application = ANY(ARRAY[g.a]) AND t.id = g.i",
            params()
        ),
        sql.run(
            "DELETE FROM excerpt t USING unnest($1, $2) AS g (a, i)
             WHERE t.application = ANY(ARRAY[g.a]) AND t.attempt = g.i",
            params()
        )
    )?;
    Ok(())
}

fn pairs(rows: &[Row]) -> Result<Vec<(i64, i64)>, Failure> {
    let read = |row: &Row| Ok((get(row, 0)?, get(row, 1)?));
    rows.iter().map(read).collect()
}
