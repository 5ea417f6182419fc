//! How messages stand and how attempts ended, as numbers and words of the wire.

use crate::query::Pairs;
use app::AppError;
use app::status::Status;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Numbers and words, those last which only clients know that ask for them.
const STATUSES: [(&str, Status, &str); 5] = [
    ("0", Status::Success, "success"),
    ("1", Status::Pending, "pending"),
    ("2", Status::Fail, "fail"),
    ("3", Status::Sending, "sending"),
    ("4", Status::Cancelled, "canceled"),
];

/// The two fields that say it.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusOut {
    status: Number,
    status_text: Word,
}

/// A status by its number.
#[derive(Debug, Clone, Copy)]
struct Number(Status);

/// A status by its word.
#[derive(Debug, Clone, Copy)]
struct Word(Status);

impl From<Status> for StatusOut {
    fn from(status: Status) -> Self {
        Self {
            status: Number(status),
            status_text: Word(status),
        }
    }
}

fn entry(status: Status) -> (&'static str, &'static str) {
    let found = STATUSES.iter().find(|(_, other, _)| *other == status);
    let (number, _, word) = found.expect("every status has its entry");
    (number, word)
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = entry(self.0).0.parse().expect("these are numbers");
        serializer.serialize_u8(number)
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(entry(self.0).1)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "MessageStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let numbers = STATUSES.map(|(number, ..)| number.parse::<u8>().expect("a number"));
        json_schema!({ "type": "integer", "enum": numbers })
    }
}

impl JsonSchema for Word {
    fn schema_name() -> Cow<'static, str> {
        "MessageStatusText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": STATUSES.map(|(.., word)| word) })
    }
}

/// A status by its number, in a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatusIn(pub(crate) Status);

impl<'de> Deserialize<'de> for StatusIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let text = number.to_string();
        let found = STATUSES.iter().find(|(other, ..)| *other == text);
        let unknown = || D::Error::custom(format!("unknown status {number}, expected 0 to 4"));
        found
            .map(|(_, status, _)| Self(*status))
            .ok_or_else(unknown)
    }
}

/// Those of what is not on its way: others can be read, and are refused with the reason.
impl JsonSchema for StatusIn {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EndedStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": [0, 2, 4] })
    }
}

/// A list's filter by status, and whether all words are told apart.
pub(crate) struct StatusFilter {
    pub(crate) status: Option<Status>,
    pub(crate) expanded: bool,
}

impl StatusFilter {
    pub(crate) fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let expanded = query.flag("expanded_statuses")?.unwrap_or_default();
        let known = if expanded {
            STATUSES.len()
        } else {
            STATUSES.len() - 1
        };
        Self::among(query, (known, expanded))
    }

    /// The same, where all words are told apart in any case.
    pub(crate) fn expanded(query: &Pairs) -> Result<Self, AppError> {
        Self::among(query, (STATUSES.len(), true))
    }

    fn among(query: &Pairs, (known, expanded): (usize, bool)) -> Result<Self, AppError> {
        let choices = STATUSES.map(|(number, status, _)| (number, status));
        let status = query.choice("status", &choices[..known])?;
        Ok(Self { status, expanded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_the_numbers_that_are_shown() {
        for status in [
            Status::Success,
            Status::Pending,
            Status::Fail,
            Status::Sending,
            Status::Cancelled,
        ] {
            let number = serde_json::to_string(&StatusOut::from(status).status).unwrap();
            let query = Pairs::parse(&format!("status={number}&expanded_statuses=true"));
            let filter = StatusFilter::from_query(&query).unwrap();
            assert_eq!((filter.status, filter.expanded), (Some(status), true));
        }
        for wrong in [
            "status=4",
            "status=-1",
            "status=x",
            "status=",
            "status=5&expanded_statuses=true",
        ] {
            let refused = StatusFilter::from_query(&Pairs::parse(wrong));
            assert!(
                matches!(refused.err(), Some(AppError::BadRequest { .. })),
                "{wrong}"
            );
        }
    }
}
