//! Tables of what the API answers, for people. Everything in them came from outside, and is
//! escaped.

use super::escaped;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use model::duration;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;

/// What stands where there is nothing.
const NOTHING: &str = "–";
/// What stands where a list is empty, which can mean something else.
const NO_ONE: &str = "none";
/// The fields that an object is known by, which are shown first.
const FIRST: [&str; 3] = ["id", "uid", "name"];

/// A column: what its head says, and which field it shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    field: &'static str,
    is_number: bool,
}

impl Column {
    /// A column of texts.
    pub(crate) const fn of(title: &'static str, field: &'static str) -> Self {
        Self {
            title,
            field,
            is_number: false,
        }
    }

    /// A column of numbers, which are held against each other.
    pub(crate) const fn number(title: &'static str, field: &'static str) -> Self {
        Self {
            title,
            field,
            is_number: true,
        }
    }

    fn has_something(&self, rows: &[Value]) -> bool {
        rows.iter().any(|row| !self.value(row).is_null())
    }

    /// What a row has in it. A field of a field has a dot between their names; of several, with a
    /// bar between them, the first is shown that has something.
    fn value<'r>(&self, row: &'r Value) -> &'r Value {
        let at = |field: &str| field.split('.').fold(row, |value, name| &value[name]);
        let mut values = self.field.split('|').map(at);
        values
            .find(|value| !value.is_null())
            .unwrap_or(&Value::Null)
    }
}

/// A row for each object. A column for which none of them has anything is left out, but for the
/// first.
pub(super) fn table(columns: &[Column], rows: &[Value]) -> Table {
    let shown = columns.iter().enumerate();
    let shown = shown.filter(|(place, column)| *place == 0 || column.has_something(rows));
    let columns: Vec<&Column> = shown.map(|(_, column)| column).collect();
    let mut table = empty();
    table.set_header(columns.iter().map(|column| column.title));
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(column.value(row))));
    }
    for (place, column) in columns.iter().enumerate() {
        let alignment = match column.is_number {
            true => CellAlignment::Right,
            false => CellAlignment::Left,
        };
        if let Some(drawn) = table.column_mut(place) {
            drawn.set_cell_alignment(alignment);
        }
    }
    keep_first_whole(&mut table);
    table
}

/// One object in a line: what it has of these columns.
pub(super) fn line(columns: &[Column], row: &Value) -> String {
    let values = columns.iter().map(|column| column.value(row));
    let values = values.filter(|value| !value.is_null()).map(cell);
    values.collect::<Vec<_>>().join("  ")
}

/// The fields of one object, a row for each.
pub(super) fn fields(object: &BTreeMap<String, Box<RawValue>>) -> Table {
    let mut table = empty();
    let known = FIRST.iter().filter_map(|name| object.get_key_value(*name));
    let others = object.iter();
    let others = others.filter(|(name, _)| !FIRST.contains(&name.as_str()));
    for (name, value) in known.chain(others) {
        table.add_row([escaped(name), raw_cell(value)]);
    }
    keep_first_whole(&mut table);
    table
}

fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// What a row is known by can be copied from a narrow terminal, too.
fn keep_first_whole(table: &mut Table) {
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => escaped(text),
        Value::Array(words) if words.is_empty() => NO_ONE.to_owned(),
        Value::Array(words) => words.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => wait(other).unwrap_or_else(|| escaped(&other.to_string())),
    }
}

/// A span of time in whole seconds, as the API spells one.
fn wait(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 2)?;
    let seconds = fields.get("secs")?.as_u64()?;
    let is_whole = fields.get("nanos")?.as_u64()? == 0;
    is_whole.then(|| duration::write(Duration::from_secs(seconds)))
}

/// Objects as they came: a payload's numbers are shown as they were posted.
fn raw_cell(value: &RawValue) -> String {
    match serde_json::from_str(value.get()) {
        Ok(Value::Object(_) | Value::Number(_)) | Err(_) => escaped(value.get()),
        Ok(value) => cell(&value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: [Column; 5] = [
        Column::of("id", "id"),
        Column::of("name", "name"),
        Column::of("roles", "roles"),
        Column::of("nobody's", "nobody"),
        Column::number("count", "count"),
    ];

    #[test]
    fn a_table_shows_each_row_and_nothing_that_steers_a_terminal() {
        let rows = [
            json!({"id": null, "name": "a\u{1b}[2Jb", "roles": ["api", "x\u{9b}"], "count": 17}),
            json!({"id": true, "name": {"a": "\u{7f}"}, "roles": [], "nobody": null}),
        ];
        let text = table(&COLUMNS, &rows).to_string();
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{7f}']), "{text:?}");
        for shown in ["a\\u{1b}[2Jb", "api, x\\u{9b}", "17", "yes", NOTHING, "id"] {
            assert!(text.contains(shown), "no {shown} in {text}");
        }
        assert!(!text.contains("nobody's"), "{text}");
    }

    #[test]
    fn a_column_shows_a_field_of_a_field_or_the_first_of_several() {
        let row = serde_json::json!({"last": {"code": 503}, "uid": null, "id": "x"});
        for (field, expected) in [
            ("last.code", serde_json::json!(503)),
            ("last.time", Value::Null),
            ("uid|id", serde_json::json!("x")),
            ("id|last.code", serde_json::json!("x")),
            ("uid|gid", Value::Null),
        ] {
            assert_eq!(*Column::of("a", field).value(&row), expected, "{field}");
        }
    }

    #[test]
    fn spans_of_time_are_shown_as_they_are_typed_and_none_of_them_is_not_nothing() {
        for (value, expected) in [
            (
                json!([{"secs": 5, "nanos": 0}, {"secs": 600, "nanos": 0}]),
                "5s, 10m",
            ),
            (json!([{"secs": 5, "nanos": 1}]), r#"{"nanos":1,"secs":5}"#),
            (
                json!({"secs": 5, "nanos": 0, "more": 1}),
                r#"{"more":1,"nanos":0,"secs":5}"#,
            ),
            (json!([]), NO_ONE),
            (Value::Null, NOTHING),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }

    #[test]
    fn an_object_is_shown_as_it_came_beginning_with_what_it_is_known_by() {
        let text = r#"{"a":1.50,"payload":{ "z":1e2,"b":"\u009b" },"id":"x","t":"\u001b[1m"}"#;
        let object = serde_json::from_str(&text.replace("\\u009b", "\u{9b}")).unwrap();
        let shown = fields(&object).to_string();
        assert!(!shown.contains(['\u{1b}', '\u{9b}']), "{shown:?}");
        let place = |part: &str| {
            shown
                .find(part)
                .unwrap_or_else(|| panic!("{part}: {shown}"))
        };
        assert!(place("id") < place("1.50"), "{shown}");
        place(r#"{ "z":1e2,"b":"\u{9b}" }"#);
    }
}
