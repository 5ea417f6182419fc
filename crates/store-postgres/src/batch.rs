//! One transaction in the making: what the requests of a commit share. Keys are taken here, so that
//! a smaller one of this node never commits after a larger one; attempts and open deliveries are
//! counted here and written once per commit.

use crate::columns::{get, number, tail};
use crate::failure::Failure;
use crate::keys::Keys;
use crate::pending::Pending;
use crate::rounds::Rounds;
use crate::sql::{Sql, params};
use model::attempt::AttemptResult;
use model::entropy::random;
use model::id::{ApplicationKey, AttemptKey, EndpointKey, Key, Tail};
use model::name::Name;
use model::{Entropy, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use store::encoding::HOUR;
use store::idempotency::{Fingerprint, IdempotencyKey, Made, Prior};
use store::owned::Owned;

/// In microseconds.
const MINUTE: i64 = 60_000_000;

/// What the writer lends to a transaction.
pub(crate) struct Lent<'w> {
    pub(crate) sql: &'w Sql<'w>,
    pub(crate) now: Timestamp,
    pub(crate) owned: &'w Arc<Owned>,
    pub(crate) entropy: &'w dyn Entropy,
    pub(crate) keys: &'w Keys,
    pub(crate) rounds: &'w mut Rounds,
    /// The node's slot and epoch.
    pub(crate) node: (u16, i64),
}

/// By how much an endpoint's open deliveries became more, or fewer.
#[derive(Default, PartialEq, Eq)]
struct Opened {
    pending: i64,
    retrying: i64,
}

/// A transaction in the making.
pub(crate) struct Batch<'w> {
    pub(crate) sql: &'w Sql<'w>,
    /// When it began.
    pub(crate) now: Timestamp,
    /// What this node holds.
    pub(crate) owned: &'w Arc<Owned>,
    /// Where the rounds of housekeeping stand.
    pub(crate) rounds: &'w mut Rounds,
    /// Names this node as the owner of deliveries.
    pub(crate) epoch: i64,
    slot: u16,
    entropy: &'w dyn Entropy,
    keys: &'w Keys,
    /// As they are now, of applications that were asked for.
    revisions: BTreeMap<ApplicationKey, Option<u64>>,
    /// Those that this very transaction keeps.
    fresh: HashMap<Fingerprint, Prior>,
    counted: BTreeMap<(i64, i64, Name, u8), i64>,
    opened: BTreeMap<i64, Opened>,
    last_key: i64,
    /// Rows to write.
    pub(crate) pending: Pending,
}

impl<'w> Batch<'w> {
    /// Nothing done yet.
    pub(crate) fn new(lent: Lent<'w>) -> Self {
        Self {
            sql: lent.sql,
            now: lent.now,
            owned: lent.owned,
            rounds: lent.rounds,
            epoch: lent.node.1,
            slot: lent.node.0,
            entropy: lent.entropy,
            keys: lent.keys,
            revisions: BTreeMap::new(),
            fresh: HashMap::new(),
            counted: BTreeMap::new(),
            opened: BTreeMap::new(),
            last_key: 0,
            pending: Pending::default(),
        }
    }

    /// The next key.
    pub(crate) fn key<K>(&mut self) -> Key<K> {
        let key = self.keys.next(self.now);
        self.last_key = key.integer();
        key
    }

    /// The largest key that was taken, or 0.
    pub(crate) fn last_key(&self) -> i64 {
        self.last_key
    }

    /// A tail for a row that the store makes itself.
    pub(crate) fn tail(&self) -> Tail {
        random(self.entropy)
    }

    /// Reads the revisions of applications, so that [`Self::revision`] knows them.
    pub(crate) async fn read_revisions(
        &mut self,
        applications: impl Iterator<Item = ApplicationKey>,
    ) -> Result<(), Failure> {
        let unknown: Vec<i64> = applications
            .filter(|key| !self.revisions.contains_key(key))
            .map(ApplicationKey::integer)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for key in &unknown {
            let key = ApplicationKey::from_integer(*key);
            self.revisions.insert(key, None);
        }
        let rows = self.sql.rows(
            "SELECT id, revision FROM application WHERE id = ANY($1) AND NOT deleted",
            params![unknown],
        );
        for row in rows.await? {
            let key = ApplicationKey::from_integer(get(&row, 0)?);
            self.revisions.insert(key, Some(number(&row, 1)?));
        }
        Ok(())
    }

    /// The revision of a live application.
    pub(crate) async fn revision(
        &mut self,
        application: ApplicationKey,
    ) -> Result<Option<u64>, Failure> {
        self.read_revisions(std::iter::once(application)).await?;
        Ok(self.revisions.get(&application).copied().flatten())
    }

    /// Fan-outs that were computed so far are stale. Nothing else changes a revision.
    pub(crate) async fn grow_revision(
        &mut self,
        application: ApplicationKey,
    ) -> Result<(), Failure> {
        self.revisions.remove(&application);
        let grown = self.sql.run(
            "UPDATE application SET revision = revision + 1 WHERE id = $1 RETURNING 1",
            params![application.integer()],
        );
        grown.await.map(drop)
    }

    /// What became of the first requests with these keys, also if they were in this very
    /// transaction.
    pub(crate) async fn priors<'k>(
        &self,
        keys: impl Iterator<Item = &'k IdempotencyKey>,
    ) -> Result<HashMap<Fingerprint, Prior>, Failure> {
        let wanted = keys.map(|key| (&key.fingerprint, key.life)).collect();
        let mut found = self.fresh.clone();
        found.extend(find_priors(self.sql, wanted, self.now).await?);
        Ok(found)
    }

    /// Keeps the key of a request that was done, and gives what is remembered of it.
    pub(crate) fn remember(&mut self, key: &IdempotencyKey, made: Made) -> Prior {
        let prior = Prior {
            status: key.status,
            body: key.body,
            made,
        };
        self.fresh.insert(key.fingerprint, prior);
        for hour in hours_kept(self.now, key) {
            self.pending.keys.push((hour, key.fingerprint, prior));
        }
        prior
    }

    /// Counts an attempt for the statistics.
    pub(crate) fn count(
        &mut self,
        attempt: AttemptKey,
        endpoint: EndpointKey,
        event_type: &Name,
        result: AttemptResult,
    ) {
        let hour = attempt.time().micros().div_euclid(HOUR);
        let result = match result {
            AttemptResult::Success => 0,
            AttemptResult::Failure => 1,
            AttemptResult::Cancelled(_) => 2,
        };
        let group = (endpoint.integer(), hour, event_type.clone(), result);
        *self.counted.entry(group).or_default() += 1;
    }

    /// Counts open deliveries of an endpoint, with so many attempts behind them, that came; below
    /// zero, that went.
    pub(crate) fn count_open(&mut self, endpoint: EndpointKey, attempts: u16, by: i64) {
        let opened = self.opened.entry(endpoint.integer()).or_default();
        match attempts {
            0 => opened.pending += by,
            _ => opened.retrying += by,
        }
    }

    /// Writes the rows that were collected: whatever reads them comes after this.
    pub(crate) async fn flush(&mut self) -> Result<(), Failure> {
        std::mem::take(&mut self.pending).write(self.sql).await
    }

    /// Writes what is written once per transaction.
    pub(crate) async fn finish(&mut self) -> Result<(), Failure> {
        self.flush().await?;
        let written = tokio::join!(self.write_attempts(), self.write_open());
        Failure::first(<[_; 2]>::from(written))
    }

    async fn write_attempts(&self) -> Result<(), Failure> {
        if self.counted.is_empty() {
            return Ok(());
        }
        let groups = self.counted.iter();
        let endpoints: Vec<i64> = groups
            .clone()
            .map(|((endpoint, ..), _)| *endpoint)
            .collect();
        let hours: Vec<i64> = groups.clone().map(|((_, hour, ..), _)| *hour).collect();
        let types: Vec<&str> = groups
            .clone()
            .map(|((_, _, name, _), _)| name.as_str())
            .collect();
        let results: Vec<i16> = groups
            .clone()
            .map(|((.., result), _)| (*result).into())
            .collect();
        let attempts: Vec<i64> = groups.map(|(_, attempts)| *attempts).collect();
        let slot = i32::from(self.slot);
        let written = self.sql.run(
            "INSERT INTO rollup (endpoint, hour, event_type, result, slot, attempts)
             SELECT e, h, t, r, $6, a FROM unnest($1, $2, $3, $4, $5) AS g (e, h, t, r, a)
             ON CONFLICT (endpoint, hour, event_type, result, slot)
             DO UPDATE SET attempts = rollup.attempts + excluded.attempts RETURNING 1",
            params![endpoints, hours, types, results, attempts, slot],
        );
        written.await.map(drop)
    }

    /// Nothing for an endpoint of which as many came as went: at full load, most of them.
    async fn write_open(&self) -> Result<(), Failure> {
        let changed = self
            .opened
            .iter()
            .filter(|(_, opened)| **opened != Opened::default());
        let endpoints: Vec<i64> = changed.clone().map(|(endpoint, _)| *endpoint).collect();
        if endpoints.is_empty() {
            return Ok(());
        }
        let pending: Vec<i64> = changed.clone().map(|(_, opened)| opened.pending).collect();
        let retrying: Vec<i64> = changed.map(|(_, opened)| opened.retrying).collect();
        let slot = i32::from(self.slot);
        let written = self.sql.run(
            "INSERT INTO open_count (endpoint, slot, pending, retrying)
             SELECT e, $4, p, r FROM unnest($1, $2, $3) AS g (e, p, r)
             ON CONFLICT (endpoint, slot) DO UPDATE
             SET pending = open_count.pending + excluded.pending,
                 retrying = open_count.retrying + excluded.retrying RETURNING 1",
            params![endpoints, pending, retrying, slot],
        );
        written.await.map(drop)
    }
}

/// What became of the first requests with these fingerprints, each of which is kept for so long at
/// the most, of those that are still remembered. Each hour is asked by itself: its keys are a tree
/// of their own, in which a range of hours would be read whole.
pub(crate) async fn find_priors(
    sql: &Sql<'_>,
    wanted: Vec<(&Fingerprint, Duration)>,
    now: Timestamp,
) -> Result<HashMap<Fingerprint, Prior>, Failure> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let first = now.micros().div_euclid(HOUR) + 1;
    let (mut hours, mut fingerprints) = (Vec::new(), Vec::new());
    for (fingerprint, life) in wanted {
        for hour in first..=hour_up(now.plus(life)) {
            hours.push(hour);
            fingerprints.push(&fingerprint[..]);
        }
    }
    let rows = sql.rows(
        "SELECT found.fingerprint, found.body, found.status, found.made, found.made_tail
         FROM unnest($1, $2) AS g (h, f) CROSS JOIN LATERAL (
             SELECT fingerprint, body, status, made, made_tail FROM idempotency
             WHERE hour = g.h AND fingerprint = g.f LIMIT 1) AS found",
        params![hours, fingerprints],
    );
    let mut found = HashMap::new();
    for row in rows.await? {
        let sixteen = |column| -> Result<[u8; 16], Failure> {
            let bytes: &[u8] = get(&row, column)?;
            bytes
                .try_into()
                .map_err(|_| Failure::unreadable("idempotency"))
        };
        let made = Made {
            key: get(&row, 3)?,
            tail: tail(&row, 4)?,
        };
        let prior = Prior {
            status: number(&row, 2)?,
            body: sixteen(1)?,
            made,
        };
        found.insert(sixteen(0)?, prior);
    }
    Ok(found)
}

/// The hour that begins at this time or next.
pub(crate) fn hour_up(time: Timestamp) -> i64 {
    let micros = time.micros();
    micros.div_euclid(HOUR) + i64::from(micros.rem_euclid(HOUR) > 0)
}

/// The hours under which a key is kept: for a minute after an hour has begun also the one under
/// which a node keeps it whose clock has not come so far. So one of the two finds it taken.
pub(crate) fn hours_kept(now: Timestamp, key: &IdempotencyKey) -> impl Iterator<Item = i64> {
    let kept = |now: Timestamp| hour_up(now.plus(key.life));
    let before = Timestamp::from_micros(now.micros() - MINUTE);
    kept(before)..=kept(now)
}
