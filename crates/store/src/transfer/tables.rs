//! The tables of an installation in their neutral form, in the order in which they are moved.
//!
//! What one store keeps apart and the other together is together here: a message with its payload,
//! an attempt with its excerpt and the head of its response. Counters are sums over all nodes.

use Kind::{Bytes, Integer, Text};

/// What a column holds, where it holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`super::Value::Integer`].
    Integer,
    /// [`super::Value::Text`].
    Text,
    /// [`super::Value::Bytes`].
    Bytes,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name, in either store.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, in either store.
    pub name: &'static str,
    /// Its columns, in the order of a row's values.
    pub columns: &'static [Column],
    /// The place of the column with the row's key, where that was given by a sequence.
    pub key: Option<usize>,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

macro_rules! tables {
    ($($table:ident $(key $key:literal)? { $($column:ident: $kind:ident),* $(,)? })*) => {
        /// All of them.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($table),
            columns: &[$(column(stringify!($column), $kind)),*],
            key: tables!(@key $($key)?),
        }),*];
    };
    (@key) => { None };
    (@key $key:literal) => { Some($key) };
}

tables! {
    setting { name: Text, value: Bytes }
    application key 0 {
        id: Integer, tail: Bytes, uid: Text, name: Text, rate_limit: Integer, metadata: Text,
        revision: Integer, created_at: Integer, updated_at: Integer, deleted: Integer,
    }
    data_key { application: Integer, position: Integer, sealed: Bytes }
    endpoint key 0 {
        id: Integer, tail: Bytes, application: Integer, uid: Text, url: Text, description: Text,
        disabled: Integer, event_types: Text, channels: Text, rate_limit: Integer, metadata: Text,
        version: Integer, secrets: Bytes, headers: Bytes, protection: Bytes,
        revision: Integer, failing_since: Integer, created_at: Integer, updated_at: Integer,
        deleted: Integer, cancelled_up_to: Integer, chain: Bytes, proof: Bytes,
    }
    endpoint_url { endpoint: Integer, revision: Integer, url: Text }
    event_type {
        name: Text, description: Text, archived: Integer, deprecated: Integer, schemas: Text,
        feature_flags: Text, group_name: Text, created_at: Integer, updated_at: Integer,
        redaction: Text, sensitive: Text,
    }
    retry_schedule { event_type: Text, waits: Text }
    message key 1 {
        application: Integer, id: Integer, tail: Bytes, event_type: Text, event_id: Text,
        channels: Text, tags: Text, deliver_at: Integer, expires_at: Integer, form: Integer,
        content_type: Text, hops: Integer, trace: Bytes,
        payload: Bytes,
    }
    event_key { application: Integer, event_id: Text, message: Integer }
    delivery key 3 {
        endpoint: Integer, class: Integer, due: Integer, id: Integer, application: Integer,
        message: Integer, trigger: Integer, attempts: Integer,
    }
    open_count { endpoint: Integer, pending: Integer, retrying: Integer }
    attempt key 1 {
        application: Integer, id: Integer, tail: Bytes, message: Integer, endpoint: Integer,
        trigger: Integer, number: Integer, started_at: Integer, duration_ms: Integer,
        status_code: Integer, result: Integer, revision: Integer, given_up: Integer,
        phases: Bytes, chain: Integer, excerpt: Bytes, head: Bytes,
    }
    chain_shown { key: Integer, day: Integer, certificates: Bytes }
    rollup {
        endpoint: Integer, hour: Integer, event_type: Text, result: Integer, attempts: Integer,
        m00: Integer, m05: Integer, m10: Integer, m15: Integer, m20: Integer, m25: Integer,
        m30: Integer, m35: Integer, m40: Integer, m45: Integer, m50: Integer, m55: Integer,
    }
    idempotency {
        hour: Integer, fingerprint: Bytes, body: Bytes, status: Integer, made: Integer,
        made_tail: Bytes,
    }
    task key 0 {
        id: Integer, tail: Bytes, application: Integer, kind: Integer, subject: Integer,
        low: Integer, high: Integer, detail: Integer, arguments: Bytes, cursor: Integer,
        done: Integer, state: Integer, failure: Text, data: Text, updated_at: Integer,
    }
    access_version { one: Integer, version: Integer }
    revoked_token { token: Text, ends_at: Integer, version: Integer }
    token_floor {
        application: Integer, session: Text, issued_before: Integer, holds_from: Integer,
        ends_at: Integer, version: Integer,
    }
    api_key key 0 {
        id: Integer, tail: Bytes, hash: Bytes, name: Text, shown: Text, scopes: Text,
        created_at: Integer, expires_at: Integer, used_at: Integer, version: Integer,
    }
    source key 0 {
        id: Integer, tail: Bytes, uid: Text, name: Text, source_type: Text, metadata: Text,
        created_at: Integer, updated_at: Integer, token: Bytes, sealed: Bytes, version: Integer,
    }
    replay_key {
        key: Bytes, unsigned_id: Bytes, content: Bytes, message: Integer, tail: Bytes,
        until: Integer,
    }
    one_time_token { hash: Bytes, granted: Text, expires_at: Integer }
    security_event key 0 {
        id: Integer, tail: Bytes, kind: Text, severity: Integer, subject_kind: Text,
        subject: Text, application: Integer, remote_address: Text, count: Integer,
        first_seen: Integer, last_seen: Integer, description: Text, sample: Bytes,
    }
    audit_entry key 0 {
        id: Integer, tail: Bytes, entry: Text, application: Integer, action: Text, actor: Text,
        subject: Text, position: Integer, hash: Bytes,
    }
    audit_checkpoint {
        previous: Integer, position: Integer, hash: Bytes, first: Integer, signed_at: Integer,
        signature: Bytes,
    }
    audit_left {
        tail: Bytes, entry: Text,
    }
    audit_start {
        one: Integer, position: Integer, hash: Bytes, signed_at: Integer, signature: Bytes,
    }
}

impl Table {
    /// The table of this name.
    pub fn named(name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The place of a column.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_where_the_tables_have_them() {
        for table in TABLES {
            assert_eq!(table.key, table.place("id"), "{}", table.name);
        }
    }
}
