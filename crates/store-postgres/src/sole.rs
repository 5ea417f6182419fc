//! Sole rights: which node alone makes the attempts of a lane, or of an application's lanes. A row
//! names the epoch that has it. It goes when that node gives it up, and with the epoch: a right is
//! never taken from a lease that may still be renewed.
//!
//! Each time that a right is given out its row gets another turn, and who gives it up names the
//! last one that it knows: so none is removed that was given out again meanwhile, however late the
//! removal comes. It doesn't say when a right is wanted: that is the engine's.

use crate::claim;
use crate::columns::{get, number};
use crate::deliveries::Columns;
use crate::failure::Failure;
use crate::node::Membership;
use crate::shared::Shared;
use crate::sql::{Sql, columns_of, params};
use model::delivery::Delivery;
use model::id::EndpointKey;
use std::collections::{BTreeSet, HashMap};
use store::owned::Owned;
use store::{Scope, Sole};
use tokio_postgres::types::Type;

/// Open deliveries that are looked at in one transaction, for those that are this node's.
const PAGE: i64 = 5_000;

/// Takes the rights that no other node has. In the order of their keys, as all that locks several
/// of their rows, so that two nodes don't wait for each other; and rows that another node is known
/// to have are not touched, whatever becomes of them at this moment.
pub(crate) async fn own(shared: &Shared, scopes: &[Scope]) -> Result<Vec<Option<Sole>>, Failure> {
    let (Membership { slot, epoch }, owned) = shared.tenure();
    let keys: BTreeSet<i64> = scopes.iter().map(|scope| key(*scope)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut client = shared.pools.client().await?;
    let sql = shared.pools.begin(&mut client);
    claim::require_lease(&sql, slot, epoch).await?;
    let given = sql.rows(
        "INSERT INTO lane (scope, epoch, turn)
         SELECT g.s, $2, nextval('node_epoch') FROM unnest($1) AS g (s)
         WHERE coalesce((SELECT epoch FROM lane WHERE scope = g.s LIMIT 1), $2) = $2
         ON CONFLICT (scope) DO UPDATE SET turn = excluded.turn WHERE lane.epoch = excluded.epoch
         RETURNING scope, turn",
        params![keys.into_iter().collect::<Vec<i64>>(), epoch],
    );
    let turns: HashMap<i64, i64> = given
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect::<Result<_, Failure>>()?;
    // Before the commit, which may succeed though that is not known: what is then dropped here is
    // given up.
    let right = |scope: &Scope| Some(owned.sole(*scope, *turns.get(&key(*scope))?));
    let rights = scopes.iter().map(right).collect();
    sql.commit().await?;
    Ok(rights)
}

/// Gives up what nobody here needs any more.
pub(crate) async fn give_up(shared: &Shared) -> Result<(), Failure> {
    let (Membership { epoch, .. }, owned) = shared.tenure();
    let mut given_up = owned.take_given_up();
    if given_up.is_empty() {
        return Ok(());
    }
    given_up.sort_unstable_by_key(|(scope, _)| key(*scope));
    let removing = async {
        let client = shared.pools.writer().await?;
        let scopes = columns_of(&given_up, |(scope, _)| key(*scope));
        let turns = columns_of(&given_up, |(_, turn)| *turn);
        client
            .query_typed(
                "DELETE FROM lane l USING unnest($1, $2) AS g (s, t)
                 WHERE l.scope = ANY(ARRAY[g.s]) AND l.turn = g.t AND l.epoch = $3",
                &[
                    (&scopes, Type::INT8_ARRAY),
                    (&turns, Type::INT8_ARRAY),
                    (&epoch, Type::INT8),
                ],
            )
            .await?;
        Ok(())
    };
    let removed = shared.pools.within(removing).await;
    if removed.is_err() {
        owned.put_back_given_up(&given_up);
    }
    removed
}

/// What this node owns of a lane, and nobody here holds, is nobody's. Where nothing of it was held,
/// nothing is asked.
pub(crate) async fn release(shared: &Shared, endpoint: EndpointKey) -> Result<(), Failure> {
    let (_, owned) = shared.tenure();
    if !owned.begin_release(endpoint) {
        return Ok(());
    }
    let released = release_all(shared, endpoint).await;
    if released.is_err() {
        owned.not_released(endpoint);
    }
    released
}

/// Page by page, since a lane may be long, and nothing leads to its rows by owner.
async fn release_all(shared: &Shared, endpoint: EndpointKey) -> Result<(), Failure> {
    let mut after = (-1, i64::MIN, i64::MIN);
    loop {
        let (Membership { slot, epoch }, owned) = shared.tenure();
        let mut client = shared.pools.client().await?;
        let sql = shared.pools.begin(&mut client);
        claim::require_lease(&sql, slot, epoch).await?;
        let page = page(&sql, endpoint, (epoch, after)).await?;
        release_some(&sql, (&owned, epoch), page.own).await?;
        sql.commit().await?;
        match page.last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}

/// Some of a lane's open deliveries.
struct Page {
    /// Those that are this node's.
    own: Vec<Delivery>,
    /// Class, due time and id of the last; `None`: there are no more.
    last: Option<(i16, i64, i64)>,
}

async fn page(
    sql: &Sql<'_>,
    endpoint: EndpointKey,
    (epoch, after): (i64, (i16, i64, i64)),
) -> Result<Page, Failure> {
    let statement = format!(
        "SELECT {}, class, owner FROM delivery
         WHERE endpoint = $1 AND (class, due, id) > ($2, $3, $4)
         ORDER BY class, due, id LIMIT $5",
        crate::deliveries::COLUMNS
    );
    let params = params![endpoint.integer(), after.0, after.1, after.2, PAGE];
    let rows = sql.rows(&statement, params).await?;
    let mut page = Page {
        own: Vec::new(),
        last: None,
    };
    for row in &rows {
        let delivery = crate::deliveries::read(row)?;
        if rows.len() as i64 == PAGE {
            let class: i16 = number(row, 7)?;
            page.last = Some((class, delivery.due.micros(), delivery.key.integer()));
        }
        if get::<i64>(row, 8)? == epoch {
            page.own.push(delivery);
        }
    }
    Ok(page)
}

/// Rows stay locked until what is held was looked at: who claims one of this node's takes hold of
/// it before it is unlocked.
async fn release_some(
    sql: &Sql<'_>,
    (owned, epoch): (&Owned, i64),
    mut own: Vec<Delivery>,
) -> Result<(), Failure> {
    own.retain(|one| !owned.is_held(one.endpoint, one.key));
    if own.is_empty() {
        return Ok(());
    }
    let keys = |columns: Columns| {
        params![
            columns.endpoints,
            columns.classes,
            columns.dues,
            columns.ids,
            epoch
        ]
    };
    let locked = sql.rows(
        "SELECT d.id FROM unnest($1, $2, $3, $4) AS g (e, c, u, i), delivery d
         WHERE d.endpoint = ANY(ARRAY[g.e]) AND d.class = g.c AND d.due = g.u AND d.id = g.i
         AND d.owner = $5 FOR UPDATE OF d SKIP LOCKED",
        keys(Columns::of(own.iter())),
    );
    let locked: BTreeSet<i64> = locked
        .await?
        .iter()
        .map(|row| get(row, 0))
        .collect::<Result<_, _>>()?;
    own.retain(|one| locked.contains(&one.key.integer()) && !owned.is_held(one.endpoint, one.key));
    let released = sql.run(
        "UPDATE delivery d SET owner = 0 FROM unnest($1, $2, $3, $4) AS g (e, c, u, i)
         WHERE d.endpoint = ANY(ARRAY[g.e]) AND d.class = g.c AND d.due = g.u AND d.id = g.i
         AND d.owner = $5",
        keys(Columns::of(own.iter())),
    );
    released.await.map(drop)
}

/// Keys of endpoints and applications come from one sequence: none is both.
fn key(scope: Scope) -> i64 {
    match scope {
        Scope::Endpoint(endpoint) => endpoint.integer(),
        Scope::Application(application) => application.integer(),
    }
}
