//! What is asked often costs the same whatever the store holds: counted in SQLite's instructions,
//! not in time. A statement that has lost its index shows here.

mod listing;
mod writing;

use crate::connection::prepare_for_writing;
use crate::failure::Failure;
use crate::{
    applications, attempts, claim, endpoint_messages, event_types, messages, schema, settings,
    statistics, tally,
};
use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey, Id, Key, MessageKey};
use model::name::Name;
use rusqlite::Connection;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::conformance::TestClock;
use store::owned::Owned;
use store::query::{
    ApplicationQuery, AttemptQuery, AttemptScope, EndpointMessageQuery, EventTypeQuery,
    MessageFilter, MessageQuery, ResultFilter, StatisticsQuery, Window,
};
use store::rows::ApplicationRef;
use store::tally::TallyQuery;
use store::{Lane, MessageRef};

/// An application with much of everything; its endpoints are [`FULL`] and [`OTHER`].
const APPLICATION: i64 = 5;
/// Nearly all open deliveries are this endpoint's.
const FULL: i64 = 10;
/// This one has a single one, and gave up on a few messages.
const OTHER: i64 = 20;
/// Where the keys of messages and attempts begin.
const ROWS: i64 = 1 << 40;

/// A store with so many rows of each kind.
fn database(rows: i64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    prepare_for_writing(&connection).unwrap();
    schema::migrate(&connection, 0).unwrap();
    let tail = "zeroblob(12)";
    let fill = |columns: &str| {
        let sql = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO {columns} FROM n"
        );
        connection.execute(&sql, [rows]).unwrap();
    };
    let (message, attempt) = (format!("{ROWS} + 2 * i"), format!("{ROWS} + 2 * i + 1"));
    fill(&format!(
        "application SELECT 100 + 2 * i, {tail}, 'uid' || i, 'A shop', NULL, '{{}}', 1, 0, 0, 0"
    ));
    let endpoint = "NULL, 'https://receiver.example', '', 0, NULL, NULL, NULL, '{}', 1, x'00', \
                    NULL, NULL, 1, NULL, 0, 0, 0, 0, NULL, NULL";
    fill(&format!(
        "endpoint SELECT 101 + 2 * i, {tail}, 100 + 2 * i, {endpoint}"
    ));
    fill("endpoint_url SELECT 101 + 2 * i, 1, 'https://receiver.example'");
    fill("event_type SELECT i, printf('type%09d', i), '', 0, 0, NULL, NULL, NULL, '', NULL, 0, 0");
    fill(&format!(
        "message SELECT {message}, {tail}, {APPLICATION}, 'order.paid', 'event' || i, NULL, NULL,
         NULL, {}, 0, NULL, NULL, NULL, x'00'",
        i64::MAX
    ));
    fill(&format!(
        "event_key SELECT {APPLICATION}, 'event' || i, {message}"
    ));
    fill(&format!(
        "delivery SELECT {FULL}, 0, 1000 + i, {message}, {APPLICATION}, {message}, 0, 0"
    ));
    fill(&format!(
        "attempt SELECT {attempt}, {tail}, {message}, {FULL}, 0, 1, 0, 5, 500, i % 2, 1, i % 2, NULL,
         i"
    ));
    fill(&format!("excerpt SELECT {attempt}, x'00', x'00'"));
    fill("chain_shown SELECT i, 1, x'31'");
    let rollup = "rollup (endpoint, hour, event_type, result, attempts, m05)";
    fill(&format!(
        "{rollup} SELECT 1000 + i, 1, 'order.paid', 0, 1, 1"
    ));
    fill("task SELECT 10 + i, zeroblob(12), 5, 16, 10, 0, 0, 0, NULL, 0, 0, 1, NULL, NULL, 0");
    // Expired: those that are not are read at the start.
    fill(&format!(
        "replay_key SELECT 1, i, CAST(printf('replay%010d', i) AS BLOB), NULL, zeroblob(16),
         {message}, {tail}, 0"
    ));
    fill("setting SELECT 'setting' || i, x'00'");
    let one = format!(
        "INSERT INTO application VALUES ({APPLICATION}, {tail}, 'shop', 'A shop', NULL, '{{}}', 1,
             0, 0, 0);
         INSERT INTO endpoint VALUES ({FULL}, {tail}, {APPLICATION}, {endpoint});
         INSERT INTO endpoint VALUES ({OTHER}, {tail}, {APPLICATION}, {endpoint});
         INSERT INTO delivery VALUES ({OTHER}, 1, 5, 7, {APPLICATION}, {ROWS} + 4, 2, 0);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
             INSERT INTO attempt SELECT i, {tail}, {ROWS} + 2 * i, {OTHER}, 0, 1, 0, 5, 500, 1, 1, 1,
             NULL, NULL FROM n;
         INSERT INTO open_count VALUES ({FULL}, {rows}, 0), ({OTHER}, 1, 0);"
    );
    connection.execute_batch(&one).unwrap();
    connection
}

/// Instructions that `work` takes, when its statements have been prepared.
fn instructions<T>(connection: &mut Connection, work: impl Fn(&Connection) -> T) -> u64 {
    work(connection);
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    let tick = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    connection.progress_handler(1, Some(tick)).unwrap();
    work(connection);
    connection
        .progress_handler(0, None::<fn() -> bool>)
        .unwrap();
    count.load(Ordering::Relaxed)
}

/// Claims that some work costs the same with few rows as with many.
fn check<T: Debug>(what: &str, work: impl Fn(&Connection) -> Result<T, Failure>) {
    let cost = |rows| {
        let mut connection = database(rows);
        // A failure shows here, before anything is counted.
        work(&connection).unwrap_or_else(|failure| panic!("{what}: {failure}"));
        instructions(&mut connection, |connection| drop(work(connection)))
    };
    let (few, many) = (cost(60), cost(3_000));
    assert_eq!(few, many, "{what}");
}

fn lane(endpoint: i64) -> Lane {
    Lane {
        application: ApplicationKey::from_integer(APPLICATION),
        endpoint: EndpointKey::from_integer(endpoint),
    }
}

fn window<K>(above: i64, ascending: bool) -> Window<K> {
    Window {
        above: Key::from_integer(above),
        below: Key::MAX,
        ascending,
        limit: 10,
    }
}

/// The key of a message in the middle.
fn some_message() -> MessageKey {
    MessageKey::from_integer(ROWS + 40)
}

#[test]
fn claims_pass_by_other_lanes_and_what_is_held() {
    check("claim", |connection| {
        claim::claim(
            connection,
            &Arc::default(),
            (lane(OTHER), Timestamp::MAX, 10),
        )
    });
    check("claim while others are held", |connection| {
        let owned = Arc::default();
        let held = claim::claim(connection, &owned, (lane(FULL), Timestamp::MAX, 20))?;
        let claimed = claim::claim(connection, &owned, (lane(OTHER), Timestamp::MAX, 10))?;
        assert_eq!((held.len(), claimed.len()), (20, 1));
        Ok(())
    });
    check("lanes", |connection| {
        let found = claim::lanes(connection, &Owned::default(), EndpointKey::MIN, 10)?;
        assert_eq!(found.len(), 2);
        Ok(())
    });
}

#[test]
fn what_is_configured_is_found_by_its_keys_and_names() {
    for by in [
        ApplicationRef::Key(ApplicationKey::from_integer(APPLICATION)),
        ApplicationRef::Uid(name("shop")),
        ApplicationRef::Id(Id::new(Key::from_integer(APPLICATION), [0; 12])),
    ] {
        check("registry", |connection| {
            let found = applications::registry(connection, &by)?.expect("it is there");
            assert_eq!(found.endpoints.len(), 2);
            Ok(())
        });
    }
    check("setting", |connection| {
        settings::get(connection, "setting5")
    });
    check("event types by name", |connection| {
        event_types::named(connection, &[name("type000000005"), name("other")])
    });
}

#[test]
fn lists_read_no_more_than_they_show() {
    for ascending in [true, false] {
        let query = ApplicationQuery {
            window: window(104, ascending),
            with_endpoints: true,
            without_disabled_endpoints: true,
        };
        check("applications", |connection| {
            applications::list(connection, &query)
        });
        for beyond in [None, Some(name("type000000030"))] {
            let query = EventTypeQuery {
                beyond,
                ascending,
                limit: 10,
                archived: true,
                with_schemas: true,
                visible_to: None,
            };
            check("event types", |connection| {
                event_types::list(connection, &query)
            });
        }
        let query = MessageQuery {
            application: lane(FULL).application,
            window: window(ROWS + 10, ascending),
            filter: MessageFilter::default(),
            with_payload: true,
        };
        check("messages", |connection| messages::list(connection, &query));
        let query = EndpointMessageQuery {
            application: lane(FULL).application,
            endpoint: lane(FULL).endpoint,
            window: window(ROWS + 10, ascending),
            filter: MessageFilter::default(),
            standing: None,
            with_payload: false,
        };
        check("messages of an endpoint", |connection| {
            endpoint_messages::of_endpoint(connection, &query)
        });
    }
    check("endpoints of a message", |connection| {
        endpoint_messages::of_message(connection, some_message(), EndpointKey::MIN, 10)
    });
}

#[test]
fn attempts_are_listed_by_their_endpoint_or_their_message() {
    let scopes = [
        AttemptScope::Endpoint(lane(FULL).endpoint),
        AttemptScope::Message(some_message(), None),
        AttemptScope::Message(some_message(), Some(lane(FULL).endpoint)),
    ];
    for scope in scopes {
        for (result, ascending) in [(None, true), (Some(ResultFilter::Failure), false)] {
            let query = AttemptQuery {
                application: lane(FULL).application,
                scope,
                window: window(ROWS + 10, ascending),
                result,
                status_codes: None,
                filter: MessageFilter::default(),
                with_excerpt: true,
                with_message: true,
                with_payload: true,
            };
            check("attempts", |connection| attempts::list(connection, &query));
        }
    }
    check("a message by its event id", |connection| {
        let by = MessageRef::EventId(name("event20"));
        messages::named(connection, lane(FULL).application, &by)
    });
    check("an attempt", |connection| {
        let id = Id::new(Key::from_integer(ROWS + 41), [0; 12]);
        attempts::one(connection, (lane(FULL).application, some_message()), id)
    });
}

/// However many deliveries are open, and however much happened to other endpoints.
#[test]
fn statistics_are_not_counted_row_by_row() {
    let query = StatisticsQuery {
        endpoint: lane(FULL).endpoint,
        since: Timestamp::from_micros(0),
        until: Timestamp::MAX,
    };
    check("statistics", |connection| {
        statistics::count(connection, query, TestClock::START)
    });
    let query = TallyQuery {
        application: Some(lane(FULL).application),
        slots: 3..1_000_000,
        event_types: Some(vec![name("order.paid"), name("order.sent")]),
    };
    check("attempts of an application", |connection| {
        Ok((
            tally::by_time(connection, &query, 12)?.len(),
            tally::by_type(connection, &query)?,
        ))
    });
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}
