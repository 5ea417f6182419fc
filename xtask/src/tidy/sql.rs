//! SQL stays in the `store-*` rooms: elsewhere no literal reads like a statement.
//!
//! Statements are told by their first words in capitals, which is how this repository writes
//! them. Who would write them otherwise still needs a database library, and those are kept to
//! their rooms by the table `libraries` in `tidy.toml`.

use super::Finding;
use super::lexer::is_word;
use super::source::Source;

/// Sequences of words that begin a statement, or that only a statement holds.
const STATEMENTS: [&[&str]; 11] = [
    &["SELECT"],
    &["INSERT", "INTO"],
    &["INSERT", "OR"],
    &["DELETE", "FROM"],
    &["UPDATE", "*", "SET"],
    &["CREATE", "TABLE"],
    &["CREATE", "INDEX"],
    &["CREATE", "UNIQUE", "INDEX"],
    &["ALTER", "TABLE"],
    &["DROP", "TABLE"],
    &["PRAGMA"],
];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    // xtask names the words in order to look for them.
    // A receiver's own database is no store of this house.
    let receivers = ["sqlite", "postgres"].map(|one| format!("crates/webhook/src/replay/{one}"));
    let homes = ["crates/store-", "tests/", "xtask/"];
    let mut homes = homes
        .into_iter()
        .chain(receivers.iter().map(String::as_str));
    if homes.any(|home| source.path.starts_with(home)) {
        return Vec::new();
    }
    let lines = source.lines.iter().enumerate();
    lines
        .filter(|(_, line)| is_statement(&line.literal))
        .map(|(index, _)| {
            let text = "SQL: only store-* rooms speak it; give the trait `Store` a method";
            Finding::new("sql", &source.path, index + 1, text)
        })
        .collect()
}

fn is_statement(literal: &str) -> bool {
    let words: Vec<&str> = literal
        .split(|c| !is_word(c))
        .filter(|word| !word.is_empty())
        .collect();
    STATEMENTS.iter().any(|statement| {
        words.windows(statement.len()).any(|window| {
            window
                .iter()
                .zip(*statement)
                .all(|(&word, &wanted)| wanted == "*" || word == wanted)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(path: &str, text: &str) -> Vec<usize> {
        check(&Source::read(path, text))
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn statements_are_found_in_literals() {
        for text in [
            "f(\"SELECT 1\")",
            "f(\"INSERT INTO message (a) VALUES (1)\")",
            "f(\"UPDATE delivery SET due = 1\")",
            "f(r#\"CREATE UNIQUE INDEX a\"#)",
            "f(\"PRAGMA journal_mode=WAL\")",
        ] {
            assert_eq!(lines_found("crates/app/src/a.rs", text), [1], "{text}");
            assert_eq!(
                lines_found("crates/store-sqlite/src/a.rs", text),
                [0; 0],
                "{text}"
            );
            assert_eq!(lines_found("tests/tests/a.rs", text), [0; 0], "{text}");
        }
        assert_eq!(
            lines_found("crates/app/src/a.rs", "f(\"\n DELETE FROM a\n\")"),
            [2]
        );
    }

    #[test]
    fn plain_words_and_comments_are_not_statements() {
        for text in [
            "// SELECT 1",
            "f(\"select an endpoint\")",
            "f(\"delete from the list\")",
            "SELECT",
        ] {
            assert_eq!(lines_found("crates/app/src/a.rs", text), [0; 0], "{text}");
        }
    }
}
