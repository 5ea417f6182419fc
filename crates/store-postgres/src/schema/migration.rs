//! What a migration's text says of it. It runs nothing.
//!
//! `-- works_with: N` in a line of its own: the oldest version that a program may know to work with
//! the schema from then on. Without it, whatever worked before does.
//!
//! A migration that begins with `CREATE INDEX CONCURRENTLY` has only such statements.

/// A migration.
pub(super) struct Migration {
    pub(super) works_with: Option<u32>,
    /// Without comments, with single spaces.
    pub(super) statements: Vec<String>,
}

/// An index to be built while others write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) table: String,
    /// What follows the table.
    pub(super) rest: String,
}

impl Migration {
    pub(super) fn read(text: &str) -> Self {
        let marked = |line: &str| line.strip_prefix("-- works_with:")?.trim().parse().ok();
        Self {
            works_with: text.lines().find_map(marked),
            statements: statements(text),
        }
    }

    /// The indexes to build, if it is about such.
    pub(super) fn indexes(&self) -> Option<Vec<Index>> {
        self.statements
            .iter()
            .map(|statement| Index::read(statement))
            .collect::<Option<Vec<Index>>>()
            .filter(|indexes| !indexes.is_empty())
    }
}

impl Index {
    fn read(statement: &str) -> Option<Self> {
        let named = statement.strip_prefix("CREATE INDEX CONCURRENTLY ")?;
        let (name, on) = named.split_once(" ON ")?;
        let (table, rest) = on.split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            table: table.to_owned(),
            rest: rest.to_owned(),
        })
    }
}

/// Divided at semicolons, but for those in quotes of any kind.
fn statements(text: &str) -> Vec<String> {
    let (mut all, mut one) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '-' if rest.starts_with("--") => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            ';' => {
                all.push(std::mem::take(&mut one));
                rest = &rest[1..];
                continue;
            }
            '\'' | '"' => quoted(rest, &rest[..1]),
            '$' if rest.starts_with("$$") => quoted(rest, "$$"),
            other => other.len_utf8(),
        };
        one.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    all.push(one);
    let single_spaced = |one: &String| one.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = all.iter().map(single_spaced);
    all.filter(|one| !one.is_empty()).collect()
}

/// The length of what begins with this quote, up to the next.
fn quoted(text: &str, quote: &str) -> usize {
    let end = text[quote.len()..].find(quote);
    end.map_or(text.len(), |end| end + 2 * quote.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_divided_where_they_end() {
        let text = "-- a; b\nCREATE TABLE a (\n  b text DEFAULT ';' -- c;\n);\n
            DO $$ BEGIN x; END $$;\n";
        let expected = [
            "CREATE TABLE a ( b text DEFAULT ';' )",
            "DO $$ BEGIN x; END $$",
        ];
        assert_eq!(Migration::read(text).statements, expected);
    }

    #[test]
    fn a_migration_may_say_which_programs_can_go_on() {
        for (text, expected) in [
            ("-- works_with: 7\nDROP TABLE a;", Some(7)),
            ("-- What it does.\n-- works_with: 7\nDROP TABLE a;", Some(7)),
            ("CREATE TABLE a (b text);", None),
        ] {
            assert_eq!(Migration::read(text).works_with, expected, "{text}");
        }
    }

    #[test]
    fn indexes_that_are_built_meanwhile_stand_alone() {
        let index = Index {
            name: "message_due".to_owned(),
            table: "message".to_owned(),
            rest: "(application, deliver_at) WHERE deliver_at > 0".to_owned(),
        };
        let one = "CREATE INDEX CONCURRENTLY message_due\n ON message (application, deliver_at)
            WHERE deliver_at > 0;";
        assert_eq!(Migration::read(one).indexes(), Some(vec![index]));
        let with_another = format!("{one} CREATE TABLE a (b text);");
        assert_eq!(Migration::read(&with_another).indexes(), None);
        assert_eq!(Migration::read("").indexes(), None);
    }
}
