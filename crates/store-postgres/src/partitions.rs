//! Partitions by time: made before anything is written that belongs into them. Which are there is
//! remembered; one that another node has dropped meanwhile makes a commit fail, and is made again.

use crate::failure::Failure;
use crate::schema::lock_schema;
use model::Timestamp;
use model::id::Key;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
use store::encoding::HOUR;
use tokio_postgres::Client;

/// How much time a partition of messages, attempts and excerpts spans: a week, so that three months
/// of them are few enough to plan over.
const WEEK: i64 = 7 * DAY;
/// A partition of payloads spans a day: where there are too many to remove them one by one, none
/// stays for much longer than that after its expiry. They are read by their whole key alone.
const DAY: i64 = 24 * HOUR;

/// What is partitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    /// By the time in its key.
    Message,
    /// By the time in its key.
    Attempt,
    /// By the time in its attempt's key.
    Excerpt,
    /// By expiry.
    Payload,
    /// By the hour of expiry.
    Idempotency,
}

impl Table {
    pub(crate) const ALL: [Self; 5] = [
        Self::Message,
        Self::Attempt,
        Self::Excerpt,
        Self::Payload,
        Self::Idempotency,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Attempt => "attempt",
            Self::Excerpt => "excerpt",
            Self::Payload => "payload",
            Self::Idempotency => "idempotency",
        }
    }

    /// How much time a partition spans, in microseconds.
    pub(crate) fn span(self) -> i64 {
        match self {
            Self::Message | Self::Attempt | Self::Excerpt => WEEK,
            Self::Payload => DAY,
            Self::Idempotency => HOUR,
        }
    }
}

/// A partition: of a table, the one of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    table: Table,
    number: i64,
}

impl Partition {
    /// Where rows of this time belong: when they are made, or when they expire.
    pub(crate) fn at(table: Table, time: Timestamp) -> Self {
        let number = time.micros().div_euclid(table.span());
        Self { table, number }
    }

    /// Where idempotency keys that expire at this hour belong.
    pub(crate) fn of_hour(hour: i64) -> Self {
        Self {
            table: Table::Idempotency,
            number: hour,
        }
    }

    /// The partition of a name that [`Self::make`] gave.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (parent, number) = name.rsplit_once('_')?;
        let number = number.parse().ok()?;
        let mut tables = Table::ALL.into_iter();
        let table = tables.find(|table| table.name() == parent)?;
        Some(Self { table, number })
    }

    /// What it is called.
    pub(crate) fn name(self) -> String {
        format!("{}_{}", self.table.name(), self.number)
    }

    pub(crate) fn table(self) -> Table {
        self.table
    }

    /// When what it spans begins.
    pub(crate) fn begin(self) -> Timestamp {
        Timestamp::from_micros(self.number.saturating_mul(self.table.span()))
    }

    /// When what it spans ends. Idempotency keys have all expired when that begins.
    pub(crate) fn end(self) -> Timestamp {
        let next = Self {
            number: self.number.saturating_add(1),
            ..self
        };
        next.begin()
    }

    /// From, and to before.
    fn range(self) -> (i64, i64) {
        let ends = [self.begin(), self.end()];
        let [from, to] = match self.table {
            Table::Message | Table::Attempt | Table::Excerpt => {
                ends.map(|time| Key::<()>::first_at(time).integer())
            }
            Table::Payload => ends.map(Timestamp::micros),
            Table::Idempotency => [self.number, self.number.saturating_add(1)],
        };
        (from, to)
    }

    /// The statements that make it where it is not there. The table is made first and attached
    /// then, which locks out nobody.
    fn make(self) -> String {
        let (parent, name) = (self.table.name(), self.name());
        let (from, to) = self.range();
        format!(
            "DO $$ BEGIN
                 IF to_regclass('{name}') IS NULL THEN
                     CREATE TABLE {name} (LIKE {parent} INCLUDING ALL);
                     ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to});
                 END IF;
             END $$;"
        )
    }
}

/// The partitions that are known to be there.
#[derive(Default)]
pub(crate) struct Partitions {
    known: Mutex<BTreeSet<Partition>>,
}

impl Partitions {
    /// Those of these that may have to be made.
    pub(crate) fn missing(&self, needed: BTreeSet<Partition>) -> BTreeSet<Partition> {
        let known = self.lock();
        needed
            .into_iter()
            .filter(|partition| !known.contains(partition))
            .collect()
    }

    /// Makes partitions.
    pub(crate) async fn make(
        &self,
        client: &Client,
        missing: BTreeSet<Partition>,
    ) -> Result<(), Failure> {
        for partition in &missing {
            let statements = format!("BEGIN; {} {} COMMIT;", lock_schema(), partition.make());
            client.batch_execute(&statements).await?;
        }
        self.lock().extend(missing);
        Ok(())
    }

    /// What was known may not be true any more.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Partition>> {
        self.known
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

/// What is written now belongs into these, and what is written soon into the next.
pub(crate) fn around(now: Timestamp) -> BTreeSet<Partition> {
    let soon = now.plus(std::time::Duration::from_secs(2 * 24 * 3_600));
    [now, soon]
        .into_iter()
        .flat_map(|time| {
            [Table::Message, Table::Attempt, Table::Excerpt].map(|table| Partition::at(table, time))
        })
        .collect()
}
