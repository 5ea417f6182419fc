//! The nodes as they are listed: who is there, and what each of them holds. What a node does about
//! its own lease is in [`crate::node`].

use crate::OpenError;
use crate::columns::{get, number, time, unreadable};
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::pools::Pools;
use crate::sql::{Sql, params};
use model::node::{Node, Roles};
use std::collections::HashMap;
use tokio_postgres::Row;

/// Lists the nodes of a database without joining them: the way of a process that has no store open.
pub async fn nodes(config: &PostgresConfig) -> Result<Vec<Node>, OpenError> {
    let pools = Pools::new(config)?;
    let mut client = pools.client().await?;
    let sql = pools.snapshot(&mut client);
    let nodes = list(&sql).await?;
    sql.commit().await?;
    Ok(nodes)
}

/// All but those whose epoch was ended: these hold nothing, and are not missed.
pub(crate) async fn list(sql: &Sql<'_>) -> Result<Vec<Node>, Failure> {
    let rows = sql.rows(
        "SELECT slot, name, version, roles,
                (extract(epoch FROM started_at) * 1000000)::bigint,
                (extract(epoch FROM expires_at) * 1000000)::bigint,
                expires_at > clock_timestamp(), epoch, master_keys
         FROM node WHERE expires_at > '-infinity' ORDER BY slot",
        params![],
    );
    let rows = rows.await?;
    let held = held(sql).await?;
    rows.iter().map(|row| node(row, &held)).collect()
}

/// How many commits of all slots but this one have moved something. They stay counted when a node
/// goes, and when another takes its slot.
pub(crate) async fn moved_elsewhere(sql: &Sql<'_>, slot: u16) -> Result<i64, Failure> {
    let row = sql.row(
        "SELECT coalesce(sum(moved), 0)::bigint FROM node WHERE slot <> $1",
        params![i32::from(slot)],
    );
    row.await?.map_or(Ok(0), |row| get(&row, 0))
}

/// How many deliveries each epoch holds. An index of owners would have to be written with every
/// delivery, for a list that people ask for now and then: this looks at all of them, in the order
/// in which they lie.
async fn held(sql: &Sql<'_>) -> Result<HashMap<i64, u64>, Failure> {
    sql.run("SET LOCAL enable_seqscan = on", params![]).await?;
    let rows = sql.rows(
        "SELECT owner, count(*) FROM delivery WHERE owner <> 0 GROUP BY owner",
        params![],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| Ok((get(row, 0)?, number(row, 1)?)))
        .collect()
}

fn node(row: &Row, held: &HashMap<i64, u64>) -> Result<Node, Failure> {
    let roles = Roles::of_words(get::<&str>(row, 3)?.split(' '));
    Ok(Node {
        slot: number(row, 0)?,
        name: get(row, 1)?,
        version: get(row, 2)?,
        roles: roles.map_err(|_| unreadable(row, 3))?,
        since: time(row, 4)?,
        lease_ends: Some(time(row, 5)?),
        alive: get(row, 6)?,
        deliveries: held.get(&get(row, 7)?).copied().unwrap_or_default(),
        master_keys: get::<&str>(row, 8)?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}
