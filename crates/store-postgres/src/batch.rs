//! One transaction in the making: what the requests of a commit share. Keys are taken here, so that
//! a smaller one of this node never commits after a larger one; attempts and open deliveries are
//! counted here and written once per commit.

use crate::columns::{get, number, tail};
use crate::failure::Failure;
use crate::keys::Keys;
use crate::observed::{self, KeptChains};
use crate::rounds::Rounds;
use crate::sql::{Sql, params};
use crate::unwritten::Unwritten;
use model::chain_seen::ShownChain;
use model::entropy::random;
use model::id::{ApplicationKey, AttemptKey, Key, Tail};
use model::{Entropy, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
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
    pub(crate) kept: &'w Mutex<KeptChains>,
    /// The node's slot and epoch.
    pub(crate) node: (u16, i64),
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
    /// The chains that need not be written again.
    pub(crate) kept: &'w Mutex<KeptChains>,
    entropy: &'w dyn Entropy,
    keys: &'w Keys,
    /// Those that this very transaction keeps.
    fresh: HashMap<Fingerprint, Prior>,
    /// Rows and counts to write.
    pub(crate) unwritten: Unwritten,
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
            kept: lent.kept,
            entropy: lent.entropy,
            keys: lent.keys,
            fresh: HashMap::new(),
            unwritten: Unwritten::new(lent.node.0),
        }
    }

    /// The next key.
    pub(crate) fn key<K>(&mut self) -> Key<K> {
        let key = self.keys.next(self.now);
        self.unwritten.last_key = key.integer();
        key
    }

    /// Keeps the chain that an attempt names, unless that was done on its day already.
    pub(crate) fn keep_chain(&mut self, attempt: AttemptKey, chain: &Arc<ShownChain>) {
        let fresh = &mut self.unwritten.chains;
        observed::kept(self.kept).name(fresh, (attempt, chain));
    }

    /// A tail for a row that the store makes itself.
    pub(crate) fn tail(&self) -> Tail {
        random(self.entropy)
    }

    /// Fan-outs that were computed so far are stale. Nothing else changes a revision.
    pub(crate) async fn grow_revision(&self, application: ApplicationKey) -> Result<(), Failure> {
        let grown = self.sql.run(
            "UPDATE application SET revision = revision + 1 WHERE id = $1",
            params![application.integer()],
        );
        grown.await.map(drop)
    }

    /// What became of the first request with this key, also if it was in this very transaction.
    pub(crate) async fn prior(&self, key: &IdempotencyKey) -> Result<Option<Prior>, Failure> {
        if let Some(prior) = self.fresh.get(&key.fingerprint) {
            return Ok(Some(*prior));
        }
        let wanted = vec![(&key.fingerprint, key.life)];
        let found = find_priors(self.sql, wanted, self.now).await?;
        Ok(found.get(&key.fingerprint).copied())
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
            self.unwritten
                .pending
                .keys
                .push((hour, key.fingerprint, prior));
        }
        prior
    }

    /// Writes the rows that were collected: whatever reads them comes after this.
    pub(crate) async fn flush(&mut self) -> Result<(), Failure> {
        let pending = std::mem::take(&mut self.unwritten.pending);
        self.sql.run_all(pending.statements()).await
    }

    /// What is left to write.
    pub(crate) fn into_unwritten(self) -> Unwritten {
        self.unwritten
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
