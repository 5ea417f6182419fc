//! What a backup says of itself: the version of its schema, its tables with their columns and rows,
//! the partitions that they need. Text, a line for each; the last one tells that it is whole.

use std::fmt;
use std::path::{Path, PathBuf};

const FIRST: &str = "postrider backup of a PostgreSQL store, form 1";
const LAST: &str = "end";

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The version of the schema.
    pub(super) schema: u32,
    /// No epoch of a node was larger.
    pub(super) epoch: i64,
    pub(super) partitions: Vec<String>,
    pub(super) tables: Vec<Table>,
}

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) columns: Vec<String>,
}

/// Where the manifest of a backup is.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("manifest")
}

/// Where a table of a backup is.
pub(super) fn file(directory: &Path, table: &str) -> PathBuf {
    directory.join(format!("{table}.copy"))
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}")?;
        writeln!(f, "schema {}", self.schema)?;
        writeln!(f, "epoch {}", self.epoch)?;
        for name in &self.partitions {
            writeln!(f, "partition {name}")?;
        }
        for Table {
            name,
            rows,
            columns,
        } in &self.tables
        {
            writeln!(f, "table {name} {rows} {}", columns.join(" "))?;
        }
        writeln!(f, "{LAST}")
    }
}

impl Manifest {
    /// Reads what [`fmt::Display`] wrote; None if it is not that, or not all of it. Every name is
    /// one that a statement can hold without quotes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != FIRST || lines.next_back()? != LAST || !text.ends_with('\n') {
            return None;
        }
        let mut manifest = Self {
            schema: lines.next()?.strip_prefix("schema ")?.parse().ok()?,
            epoch: lines.next()?.strip_prefix("epoch ")?.parse().ok()?,
            partitions: Vec::new(),
            tables: Vec::new(),
        };
        for line in lines {
            let mut words = line.split(' ');
            match words.next()? {
                "partition" => manifest.partitions.push(identifier(words.next()?)?),
                "table" => manifest.tables.push(Table {
                    name: identifier(words.next()?)?,
                    rows: words.next()?.parse().ok()?,
                    columns: words.by_ref().map(identifier).collect::<Option<_>>()?,
                }),
                _ => return None,
            }
            if words.next().is_some() {
                return None;
            }
        }
        Some(manifest)
    }
}

fn identifier(word: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let plain = word.bytes().all(is_plain) && word.starts_with(|first: char| first.is_alphabetic());
    plain.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let table = |name: &str, rows, columns: &[&str]| Table {
            name: name.to_owned(),
            rows,
            columns: columns.iter().map(ToString::to_string).collect(),
        };
        Manifest {
            schema: 3,
            epoch: 17,
            partitions: vec!["message_2957".to_owned(), "message_2958".to_owned()],
            tables: vec![
                table("application", 0, &["id", "name"]),
                table("message", u64::MAX, &["id", "event_type"]),
            ],
        }
    }

    #[test]
    fn a_manifest_is_read_back_as_it_was_written() {
        let manifest = manifest();
        assert_eq!(Manifest::parse(&manifest.to_string()), Some(manifest));
    }

    #[test]
    fn a_manifest_that_is_cut_off_is_none() {
        let text = manifest().to_string();
        for end in 0..text.len() {
            assert_eq!(Manifest::parse(&text[..end]), None, "{}", &text[..end]);
        }
    }

    #[test]
    fn a_manifest_with_anything_else_in_it_is_none() {
        let text = manifest().to_string();
        for (what, instead) in [
            ("form 1", "form 2"),
            ("schema 3", "schema -3"),
            ("epoch 17", "epoch"),
            ("message_2957", "message_2957 more"),
            ("message_2957", "message; DROP TABLE a"),
            ("application 0", "application no"),
            ("table application", "view application"),
            ("event_type", "event_type)"),
            ("event_type", "Event"),
            ("event_type", "1event"),
            ("id name", "id  name"),
        ] {
            assert!(text.contains(what), "{what}");
            let text = text.replace(what, instead);
            assert_eq!(Manifest::parse(&text), None, "{instead}");
        }
    }
}
