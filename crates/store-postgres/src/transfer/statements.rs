//! How rows in their neutral form are read from this store's tables, and written into them. Both
//! have the same columns, but: payloads and excerpts are in tables of their own, a few numbers are
//! booleans here, and counters are kept by node.

use store::tally::COLUMNS;
use store::transfer::{Column, Kind, MARKER, Table};

/// Numbers elsewhere.
const BOOLEANS: [&str; 6] = [
    "archived",
    "deleted",
    "deprecated",
    "disabled",
    "finished",
    "given_up",
];

/// The columns of a table, then those that it is read in the order of; behind those of a cursor,
/// `$1` and on, if there is one, and at most `limit` rows.
pub(super) fn select(table: &Table, behind: bool, limit: usize) -> String {
    let order = order(table);
    let mut read: Vec<String> = table.columns.iter().map(|c| column(table, c)).collect();
    read.extend(order.iter().map(|(name, kind)| match *kind {
        "smallint" | "integer" => format!("t.{name}::bigint"),
        _ => format!("t.{name}"),
    }));
    let names: Vec<String> = order.iter().map(|(name, _)| format!("t.{name}")).collect();
    let names = names.join(", ");
    let mut conditions = Vec::new();
    if table.name == "setting" {
        conditions.push(format!("t.name <> '{MARKER}'"));
    }
    if behind {
        let places = order
            .iter()
            .enumerate()
            .map(|(place, (_, kind))| match *kind {
                narrow @ ("smallint" | "integer") => format!("${}::bigint::{narrow}", place + 1),
                kind => format!("${}::{kind}", place + 1),
            });
        let places = places.collect::<Vec<_>>().join(", ");
        conditions.push(format!("({names}) > ({places})"));
    }
    let conditions = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let grouped = match is_by_node(table) {
        true => format!(" GROUP BY {names}"),
        false => String::new(),
    };
    format!(
        "SELECT {} FROM {}{conditions}{grouped} ORDER BY {names} LIMIT {limit}",
        read.join(", "),
        from(table)
    )
}

/// Counts the rows that a table has in the neutral form.
pub(super) fn count(table: &Table) -> String {
    let name = table.name;
    match name {
        "setting" => format!("SELECT count(*) FROM setting WHERE name <> '{MARKER}'"),
        _ if is_by_node(table) => {
            let order: Vec<&str> = order(table).iter().map(|(name, _)| *name).collect();
            let order = order.join(", ");
            format!("SELECT count(*) FROM (SELECT FROM {name} GROUP BY {order}) AS one")
        }
        _ => format!("SELECT count(*) FROM {name}"),
    }
}

/// Writes rows, whose columns are arrays: `$1` and on.
pub(super) fn insert(table: &Table) -> String {
    let places = table.columns.iter().enumerate();
    let arrays = places.map(|(place, column)| format!("${}::{}[]", place + 1, kind(column)));
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let rows = format!(
        "WITH rows AS MATERIALIZED (SELECT * FROM unnest({}) AS r ({}))",
        arrays.collect::<Vec<_>>().join(", "),
        names.join(", ")
    );
    let apart = match table.name {
        "message" => {
            ", payloads AS (INSERT INTO payload (application, message, expires_at, body)
             SELECT application, id, expires_at, payload FROM rows WHERE payload IS NOT NULL)"
        }
        "attempt" => {
            ", excerpts AS (INSERT INTO excerpt (application, attempt, body, head)
             SELECT application, id, excerpt, head FROM rows
             WHERE excerpt IS NOT NULL OR head IS NOT NULL)"
        }
        _ => "",
    };
    // What a node has alone: nobody's.
    let more = match table.name {
        "delivery" | "task" => Some("owner"),
        _ if is_by_node(table) => Some("slot"),
        _ => None,
    };
    let own: Vec<&Column> = table
        .columns
        .iter()
        .filter(|c| !is_apart(table, c))
        .collect();
    let into = own.iter().map(|column| column.name).chain(more);
    let values = own.iter().map(|column| match is_boolean(column) {
        true => format!("{} <> 0", column.name),
        false => column.name.to_owned(),
    });
    let values = values.chain(more.map(|_| "0".to_owned()));
    format!(
        "{rows}{apart} INSERT INTO {} ({}) SELECT {} FROM rows",
        table.name,
        into.collect::<Vec<_>>().join(", "),
        values.collect::<Vec<_>>().join(", ")
    )
}

fn from(table: &Table) -> String {
    let joined = match table.name {
        "message" => {
            "message t LEFT JOIN payload p ON p.expires_at = t.expires_at
             AND p.application = t.application AND p.message = t.id"
        }
        "attempt" => {
            "attempt t LEFT JOIN excerpt x ON x.application = t.application AND x.attempt = t.id"
        }
        "setting" => "(SELECT name COLLATE \"C\" AS name, value FROM setting) t",
        name => return format!("{name} t"),
    };
    joined.to_owned()
}

fn column(table: &Table, column: &Column) -> String {
    let name = column.name;
    match (table.name, name) {
        ("message", "payload") => "p.body".to_owned(),
        ("attempt", "excerpt") => "x.body".to_owned(),
        ("attempt", "head") => "x.head".to_owned(),
        ("open_count", "pending" | "retrying") | ("rollup", "attempts") => {
            format!("sum(t.{name})::bigint")
        }
        ("rollup", minute) if COLUMNS.contains(&minute) => format!("sum(t.{minute})"),
        _ if is_boolean(column) => format!("t.{name}::integer::bigint"),
        _ => format!("t.{name}::{}", kind(column)),
    }
}

/// As the rows of a table lie, with the types of these columns.
fn order(table: &Table) -> &'static [(&'static str, &'static str)] {
    match table.name {
        "setting" | "event_type" => &[("name", "text")],
        "retry_schedule" => &[("event_type", "text")],
        "data_key" => &[("application", "bigint"), ("position", "integer")],
        "endpoint_url" => &[("endpoint", "bigint"), ("revision", "bigint")],
        "message" | "attempt" => &[("application", "bigint"), ("id", "bigint")],
        "event_key" => &[("application", "bigint"), ("event_id", "text")],
        "delivery" => &[
            ("endpoint", "bigint"),
            ("class", "smallint"),
            ("due", "bigint"),
            ("id", "bigint"),
        ],
        "open_count" => &[("endpoint", "bigint")],
        "rollup" => &[
            ("endpoint", "bigint"),
            ("hour", "bigint"),
            ("event_type", "text"),
            ("result", "smallint"),
        ],
        "idempotency" => &[("hour", "bigint"), ("fingerprint", "bytea")],
        "access_version" => &[("one", "bigint")],
        "revoked_token" => &[("token", "text")],
        "token_floor" => &[
            ("application", "bigint"),
            ("session", "text"),
            ("issued_before", "bigint"),
        ],
        "replay_key" => &[("key", "bytea")],
        "one_time_token" => &[("hash", "bytea")],
        "audit_checkpoint" => &[("previous", "bigint")],
        "audit_left" => &[("tail", "bytea")],
        "audit_start" => &[("one", "bigint")],
        "chain_shown" => &[("key", "bigint")],
        _ => &[("id", "bigint")],
    }
}

fn is_by_node(table: &Table) -> bool {
    ["open_count", "rollup"].contains(&table.name)
}

/// In a table of its own.
fn is_apart(table: &Table, column: &Column) -> bool {
    let apart = [
        ("message", "payload"),
        ("attempt", "excerpt"),
        ("attempt", "head"),
    ];
    apart.contains(&(table.name, column.name))
}

fn is_boolean(column: &Column) -> bool {
    BOOLEANS.contains(&column.name)
}

fn kind(column: &Column) -> &'static str {
    match column.kind {
        Kind::Integer => "bigint",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    }
}
