//! The claims that every store keeps, on a real PostgreSQL.

mod harness;

use harness::{Base, Place, PostgresHarness};
use store_postgres::PostgresConfig;

struct Direct;

impl Place for Direct {
    fn base() -> Base {
        Base::shared(|database| PostgresConfig {
            url: database.url().to_owned(),
            ..PostgresConfig::default()
        })
    }
}

store::conformance_tests!(PostgresHarness<Direct>);
