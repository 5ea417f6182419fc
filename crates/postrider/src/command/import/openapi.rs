//! `postrider import openapi`: event types from the webhooks of an OpenAPI document. What the
//! document says is read by the server; here it is only carried there, and the answer shown.

use super::super::escape::plain;
use super::super::table::{Column, table};
use super::super::{Input, drive, say};
use crate::cli::ImportOpenapiArgs;
use crate::client::{Client, Patience, Request};
use crate::failure::Failure;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const EVENT_TYPE: Column = Column::of("event type", "name");
const DONE: [Column; 2] = [EVENT_TYPE, Column::of("is", "what")];
const FORESEEN: [Column; 2] = [EVENT_TYPE, Column::of("would be", "what")];

/// What the server says that was done, or would be.
#[derive(Deserialize)]
struct Imported {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    created: Vec<String>,
    updated: Vec<String>,
    archived: Vec<String>,
    unchanged: Vec<String>,
}

/// Sends the document, and shows what became of which event type.
pub(super) fn run(args: &ImportOpenapiArgs) -> Result<(), Failure> {
    let (server, credentials) = args.server.choose()?;
    let client = Client::new(server, &credentials, Patience::SHORT)?;
    let document = Input::file(&args.document).text()?;
    let body = json!({
        "specRaw": document,
        "dryRun": args.dry_run,
        "replaceAll": args.replace_all,
    });
    let request = Request::post(["event-type", "import", "openapi"], body.to_string());
    let answer = drive(client.call(&request))??;
    let strange = |_| client.strange("its answer makes no sense");
    if args.json {
        let text: &RawValue = serde_json::from_slice(&answer).map_err(strange)?;
        return say(plain(text.get()));
    }
    let imported: Imported = serde_json::from_slice(&answer).map_err(strange)?;
    let columns = match args.dry_run {
        true => &FORESEEN,
        false => &DONE,
    };
    match imported.data.rows() {
        rows if rows.is_empty() => say("none"),
        rows => say(table(columns, &rows)),
    }
}

impl Data {
    /// A row for each event type, what changed first.
    fn rows(&self) -> Vec<Value> {
        let all = [
            ("created", &self.created),
            ("updated", &self.updated),
            ("archived", &self.archived),
            ("unchanged", &self.unchanged),
        ];
        let rows = all.into_iter().flat_map(|(what, names)| {
            let row = move |name| json!({ "name": name, "what": what });
            names.iter().map(row)
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_shown_first() {
        let imported: Imported = serde_json::from_value(json!({"data": {
            "modified": ["a", "b"], "to_modify": null,
            "created": ["b"], "updated": ["a"], "unchanged": ["c"], "archived": ["d"],
        }}))
        .unwrap();
        let rows = imported.data.rows();
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (&row["name"], &row["what"]))
            .collect();
        let shown = json!(shown);
        let expected = json!([
            ["b", "created"],
            ["a", "updated"],
            ["d", "archived"],
            ["c", "unchanged"]
        ]);
        assert_eq!(shown, expected);
    }
}
