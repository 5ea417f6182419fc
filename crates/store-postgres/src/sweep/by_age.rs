//! What goes by the time in its key and is keyed by application: found by going round the
//! applications, so that it needs no index by age, which every message would have to write.
//! Attempts, which take only their excerpts with them, are removed here too.

use super::limit;
use crate::batch::Batch;
use crate::columns::get;
use crate::failure::Failure;
use crate::rounds;
use crate::sql::{Sql, params};
use store::work::{SweepLimits, Swept};

/// Applications that one sweep looks at.
const APPLICATIONS: i64 = 1_000;

/// The applications that one sweep looks at.
pub(super) struct Applications {
    /// The last of them.
    pub(super) last: i64,
    /// There are more behind it.
    pub(super) more: bool,
}

impl Applications {
    /// Those from this one on.
    pub(super) async fn from(sql: &Sql<'_>, first: i64) -> Result<Self, Failure> {
        let row = sql.row(
            "SELECT coalesce(max(id), 0), count(*) FROM
             (SELECT id FROM application WHERE id >= $1 ORDER BY id LIMIT $2) AS next",
            params![first, APPLICATIONS],
        );
        let (last, count): (i64, i64) = match row.await? {
            Some(row) => (get(&row, 0)?, get(&row, 1)?),
            None => (0, 0),
        };
        Ok(Self {
            last,
            more: count == APPLICATIONS,
        })
    }

    /// Where the next sweep begins after one that removed what is below `border`: of all these
    /// applications, or up to where it stopped. Whether there is more to do at once.
    pub(super) fn next(
        &self,
        before: rounds::Swept,
        stopped_at: Option<(i64, i64)>,
        border: i64,
    ) -> (rounds::Swept, bool) {
        let border = match before.from {
            (0, 0) => border,
            // The border has moved since the round began.
            _ => border.min(before.border),
        };
        let going_on = |from| rounds::Swept {
            from,
            border,
            ..before
        };
        match stopped_at {
            Some(stopped_at) => (going_on(stopped_at), true),
            None if self.more => (going_on((self.last + 1, 0)), true),
            None => {
                let floor = border.max(before.floor);
                (
                    rounds::Swept {
                        floor,
                        border,
                        from: (0, 0),
                    },
                    false,
                )
            }
        }
    }
}

/// Keys of applications, in order, as ranges: of each application from its first to its last.
#[derive(Default)]
pub(super) struct Ranges {
    pub(super) applications: Vec<i64>,
    pub(super) first: Vec<i64>,
    pub(super) last: Vec<i64>,
}

impl Ranges {
    /// The ranges of these.
    pub(super) fn of(keys: impl Iterator<Item = (i64, i64)>) -> Self {
        let mut ranges = Self::default();
        for (application, key) in keys {
            match ranges.last.last_mut() {
                Some(last) if ranges.applications.last() == Some(&application) => *last = key,
                _ => {
                    ranges.applications.push(application);
                    ranges.first.push(key);
                    ranges.last.push(key);
                }
            }
        }
        ranges
    }
}

/// Removes attempts.
pub(super) async fn remove_attempts(
    batch: &mut Batch<'_>,
    limits: SweepLimits,
    ((floor, border), swept): ((i64, i64), &mut Swept),
) -> Result<(), Failure> {
    if floor >= border {
        return Ok(());
    }
    let before = batch.rounds.swept_attempts.above(floor);
    let applications = Applications::from(batch.sql, before.from.0).await?;
    let rows = batch.sql.rows(
        "SELECT old.application, old.id FROM application a
         CROSS JOIN LATERAL (SELECT t.application, t.id FROM attempt t
             WHERE t.application = a.id AND t.id >= $4 AND t.id < $5
             AND (t.application, t.id) > ($1, $2) ORDER BY t.id LIMIT $6) AS old
         WHERE a.id BETWEEN $1 AND $3 ORDER BY a.id, old.id LIMIT $6",
        params![
            before.from.0,
            before.from.1,
            applications.last,
            before.floor,
            border,
            limit(limits)
        ],
    );
    let old: Vec<(i64, i64)> = rows
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect::<Result<_, Failure>>()?;
    if !old.is_empty() {
        delete_attempts(batch.sql, Ranges::of(old.iter().copied())).await?;
    }
    let full = old.len() == limits.rows_max;
    let stopped_at = old.last().copied().filter(|_| full);
    let (next, more) = applications.next(before, stopped_at, border);
    batch.rounds.swept_attempts = next;
    swept.attempts = old.len();
    swept.more |= more;
    Ok(())
}

async fn delete_attempts(sql: &Sql<'_>, ranges: Ranges) -> Result<(), Failure> {
    let params = || {
        params![
            ranges.applications.clone(),
            ranges.first.clone(),
            ranges.last.clone()
        ]
    };
    tokio::try_join!(
        sql.row(
            "WITH gone AS (DELETE FROM attempt t USING unnest($1, $2, $3) AS g (a, f, l)
                 WHERE t.application = ANY(ARRAY[g.a]) AND t.id BETWEEN g.f AND g.l
                 RETURNING 1)
             SELECT count(*) FROM gone",
            params()
        ),
        sql.row(
            "WITH gone AS (DELETE FROM excerpt t USING unnest($1, $2, $3) AS g (a, f, l)
                 WHERE t.application = ANY(ARRAY[g.a]) AND t.attempt BETWEEN g.f AND g.l
                 RETURNING 1)
             SELECT count(*) FROM gone",
            params()
        )
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applications(last: i64, more: bool) -> Applications {
        Applications { last, more }
    }

    #[test]
    fn keys_of_an_application_are_a_range() {
        let ranges = Ranges::of([(1, 5), (1, 6), (1, 9), (2, 3), (4, 1), (4, 2)].into_iter());
        assert_eq!(ranges.applications, [1, 2, 4]);
        assert_eq!(ranges.first, [5, 3, 1]);
        assert_eq!(ranges.last, [9, 3, 2]);
    }

    #[test]
    fn a_round_goes_on_where_a_slice_stopped() {
        let (next, more) = applications(7, false).next(Default::default(), Some((7, 40)), 100);
        assert_eq!((next.from, next.floor, more), ((7, 40), 0, true));
        let (next, more) = applications(9, true).next(next, None, 100);
        assert_eq!((next.from, next.floor, more), ((10, 0), 0, true));
        let (next, more) = applications(0, false).next(next, None, 100);
        assert_eq!((next.from, next.floor, more), ((0, 0), 100, false));
    }

    #[test]
    fn nothing_is_gone_above_the_border_at_which_a_round_began() {
        let (next, _) = applications(7, true).next(Default::default(), None, 100);
        let (next, _) = applications(9, false).next(next, None, 200);
        assert_eq!(next.floor, 100);
        let (next, _) = applications(9, false).next(next, None, 50);
        assert_eq!(next.floor, 100, "what is kept longer now is gone already");
    }
}
