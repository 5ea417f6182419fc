//! What a migration may do while nodes of the version before go on: add, without standing in front
//! of their commits. Everything else needs a program that does without what goes, on every node:
//! such a migration says `works_with` with its own number, and waits until they are.

use super::migration::Migration;
use std::collections::HashSet;

/// What is wrong with the statements of the migration of this number; nothing, for one that only
/// adds, or says that the programs before can't go on.
fn faults(number: u32, text: &str) -> Vec<String> {
    let migration = Migration::read(text);
    let mut faults = Vec::new();
    if migration.works_with.is_some_and(|oldest| oldest > number) {
        faults.push("it would refuse the program that brings it".to_owned());
    }
    if migration.works_with == Some(number) || migration.indexes().is_some() {
        return faults;
    }
    let mut new = HashSet::new();
    for statement in &migration.statements {
        if let Some(table) = made(statement) {
            new.insert(table.to_owned());
        } else if let Some(fault) = fault(statement, &new) {
            faults.push(format!("{statement}: {fault}"));
        }
    }
    let of = |statement: &String| {
        Some(
            statement
                .strip_prefix("ALTER TABLE ")?
                .split_once(' ')?
                .0
                .to_owned(),
        )
    };
    let changed: HashSet<String> = migration.statements.iter().filter_map(of).collect();
    if changed.difference(&new).count() > 1 {
        faults
            .push("it waits for one table while it keeps another locked: one for each".to_owned());
    }
    faults
}

/// The table or sequence that a statement makes: nobody uses it yet.
fn made(statement: &str) -> Option<&str> {
    let of = ["CREATE TABLE ", "CREATE SEQUENCE "];
    let named = of.iter().find_map(|begin| statement.strip_prefix(begin))?;
    let end = named.find([' ', '(']).unwrap_or(named.len());
    Some(&named[..end])
}

fn fault(statement: &str, new: &HashSet<String>) -> Option<&'static str> {
    let word_after = |begin: &str| {
        let (_, rest) = statement.split_once(begin)?;
        rest.split([' ', '(']).next()
    };
    let is_new = |begin: &str| word_after(begin).is_some_and(|table| new.contains(table));
    if statement.starts_with("CREATE INDEX ") || statement.starts_with("CREATE UNIQUE INDEX ") {
        let alone = "writers would wait until it is built, or be refused: a migration of its own, \
                     with CREATE INDEX CONCURRENTLY only, and never UNIQUE";
        return (!is_new(" ON ")).then_some(alone);
    }
    if statement.starts_with("INSERT INTO ") {
        return (!is_new("INSERT INTO "))
            .then_some("it writes what the programs before don't know");
    }
    let added = statement
        .strip_prefix("ALTER TABLE ")
        .and_then(|rest| rest.split_once(' '));
    match added {
        Some((table, _)) if new.contains(table) => None,
        Some((_, changes)) => added_columns(changes),
        None => Some("it does not only add"),
    }
}

fn added_columns(changes: &str) -> Option<&'static str> {
    let Some(column) = changes.strip_prefix("ADD COLUMN ") else {
        return Some("it does not only add");
    };
    // One column for each statement, so that there is nothing else behind a comma.
    let words: Vec<&str> = column.split(' ').collect();
    let has = |word: &str| words.contains(&word);
    if column.contains([',', '(']) {
        return Some("one column a statement, and no value that is computed for each row");
    }
    let constrained = ["UNIQUE", "PRIMARY", "REFERENCES", "CHECK", "GENERATED"];
    if constrained.iter().any(|word| has(word)) {
        return Some("what the programs before write may be refused");
    }
    if has("NULL") && has("NOT") && !has("DEFAULT") {
        return Some("the programs before write rows without it");
    }
    None
}

#[test]
fn migrations_only_add_or_say_that_the_programs_before_can_not_go_on() {
    for (place, text) in super::MIGRATIONS.iter().enumerate().skip(1) {
        let number = u32::try_from(place + 1).expect("they are few");
        assert_eq!(faults(number, text), [""; 0], "migration {number}");
    }
}

#[test]
fn what_only_adds_is_allowed() {
    for text in [
        "CREATE TABLE incident (id bigint PRIMARY KEY, kind smallint NOT NULL);
         CREATE UNIQUE INDEX incident_kind ON incident (kind);
         INSERT INTO incident VALUES (1, 2);
         ALTER TABLE incident ADD CHECK (kind > 0);",
        "CREATE SEQUENCE number;",
        "ALTER TABLE message ADD COLUMN priority smallint;",
        "ALTER TABLE message ADD COLUMN priority smallint NULL;",
        "ALTER TABLE delivery ADD COLUMN priority smallint NOT NULL DEFAULT 0;",
        "ALTER TABLE a ADD COLUMN b text; ALTER TABLE a ADD COLUMN d text DEFAULT 'e';",
        "CREATE INDEX CONCURRENTLY message_priority ON message (application, priority);",
    ] {
        assert_eq!(faults(2, text), [""; 0], "{text}");
    }
}

/// What the programs before could not go on with, or would have to wait for.
const NOT_ADDED: [&str; 23] = [
    "DROP TABLE message;",
    "DROP INDEX delivery_message;",
    "ALTER TABLE message DROP COLUMN tags;",
    "ALTER TABLE message RENAME COLUMN tags TO labels;",
    "ALTER TABLE message RENAME TO event;",
    "ALTER TABLE message ALTER COLUMN form TYPE integer;",
    "ALTER TABLE message ALTER COLUMN event_id SET NOT NULL;",
    "ALTER TABLE message ALTER COLUMN form SET DEFAULT 1;",
    "ALTER TABLE message ADD COLUMN priority smallint NOT NULL;",
    "ALTER TABLE message ADD COLUMN made timestamptz NOT NULL DEFAULT clock_timestamp();",
    "ALTER TABLE message ADD COLUMN a text, DROP COLUMN tags;",
    "ALTER TABLE message ADD COLUMN a text UNIQUE;",
    "ALTER TABLE message ADD COLUMN a smallint CHECK (a > 0);",
    "ALTER TABLE message ADD COLUMN a bigint REFERENCES application;",
    "ALTER TABLE endpoint ADD CONSTRAINT short CHECK (length(url) < 9);",
    "CREATE INDEX message_type ON message (application, event_type);",
    "CREATE UNIQUE INDEX endpoint_url ON endpoint (url);",
    "CREATE INDEX CONCURRENTLY a ON message (tags); ALTER TABLE a ADD COLUMN b text;",
    "CREATE UNIQUE INDEX CONCURRENTLY a ON endpoint (url);",
    "UPDATE message SET form = 1;",
    "ALTER TABLE a ADD COLUMN b text; ALTER TABLE c ADD COLUMN d text;",
    "INSERT INTO setting VALUES ('a', '');",
    "DO $$ BEGIN ALTER TABLE message DROP COLUMN tags; END $$;",
];

#[test]
fn what_takes_something_away_is_refused_unless_it_says_so() {
    for text in NOT_ADDED {
        assert_ne!(faults(3, text), [""; 0], "{text}");
        let of_another = format!("-- works_with: 2\n{text}");
        assert_ne!(faults(3, &of_another), [""; 0], "{text}");
        let said = format!("-- works_with: 3\n{text}");
        assert_eq!(faults(3, &said), [""; 0], "{text}");
    }
    let beyond = faults(3, "-- works_with: 4\nCREATE TABLE a (b text);");
    assert_eq!(beyond.len(), 1, "{beyond:?}");
}
