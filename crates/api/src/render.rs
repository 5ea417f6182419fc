//! The way out: what many answers share.

use app::{AppError, Page, Patch, Saved};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use model::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListOf{T}")]
pub(crate) struct ListOut<T> {
    data: Vec<T>,
    iterator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_iterator: Option<String>,
    done: bool,
}

impl<T> From<Page<T>> for ListOut<T> {
    fn from(page: Page<T>) -> Self {
        Self {
            data: page.data,
            iterator: page.iterator,
            prev_iterator: page.prev_iterator,
            done: page.done,
        }
    }
}

/// A point in time on the wire: RFC 3339, UTC, with as many digits of a second as it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = jiff::Timestamp::from_microsecond(self.0.micros());
        serializer.collect_str(&time.unwrap_or(jiff::Timestamp::MAX))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        parse_time(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "pattern": TIME })
    }
}

/// Which texts are points in time, but for days that a month does not have.
const TIME: &str = concat!(
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]",
    r":[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
);

/// Reads a point in time.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, jiff::Error> {
    let time: jiff::Timestamp = text.parse()?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

/// A field of a patch: in a shape with `default`, so that a field that is not there is kept.
#[derive(Debug)]
pub(crate) struct Field<T>(pub(crate) Patch<T>);

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self(Patch::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Patch::Set(value)))
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        T::json_schema(schemas)
    }
}

/// JSON as an answer's body, in one piece of memory: as axum's, for what is about so many bytes.
pub(crate) struct SizedJson<T>(pub(crate) usize, pub(crate) T);

impl<T: Serialize> IntoResponse for SizedJson<T> {
    fn into_response(self) -> Response {
        let Self(bytes, value) = self;
        let mut body = Vec::with_capacity(bytes);
        match serde_json::to_writer(&mut body, &value) {
            Ok(()) => {
                let json = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, json)], body).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer can't be written");
                crate::problem::internal()
            }
        }
    }
}

/// What a handler gives back.
pub(crate) type Answer<T> = Result<T, crate::problem::Problem>;

/// 201, and what is new.
pub(crate) struct Created<B>(pub(crate) B);

impl<B: IntoResponse> IntoResponse for Created<B> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, self.0).into_response()
    }
}

/// 202, and what was begun.
pub(crate) struct Accepted<B>(pub(crate) B);

impl<B: IntoResponse> IntoResponse for Accepted<B> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, self.0).into_response()
    }
}

/// 204, and nothing.
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// 201 and what is new, or 200 and what was there.
pub(crate) struct SavedOut<B> {
    created: bool,
    body: B,
}

impl<T> SavedOut<Json<T>> {
    /// What was saved, as clients see it.
    pub(crate) fn of<V>(saved: Saved<V>, out: impl FnOnce(V) -> T) -> Self {
        Self {
            created: saved.created,
            body: Json(out(saved.value)),
        }
    }

    /// The same, where it may turn out that it can't be shown.
    pub(crate) fn try_of<V, E>(
        saved: Saved<V>,
        out: impl FnOnce(V) -> Result<T, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            created: saved.created,
            body: Json(out(saved.value)?),
        })
    }
}

impl<B: IntoResponse> IntoResponse for SavedOut<B> {
    fn into_response(self) -> Response {
        let status = match self.created {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        (status, self.body).into_response()
    }
}

/// An operation that is not built.
pub(crate) fn not_built() -> AppError {
    AppError::NotBuilt("This API endpoint is not yet implemented.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_digits_they_need() {
        for (micros, text) in [
            (0, "\"1970-01-01T00:00:00Z\""),
            (1_700_000_000_250_000, "\"2023-11-14T22:13:20.25Z\""),
            (1_700_000_000_000_001, "\"2023-11-14T22:13:20.000001Z\""),
        ] {
            let time = Time(Timestamp::from_micros(micros));
            assert_eq!(serde_json::to_string(&time).expect("it serialises"), text);
            assert_eq!(serde_json::from_str::<Time>(text).expect("it parses"), time);
        }
    }

    #[test]
    fn times_of_other_zones_are_turned_into_utc() {
        let time = parse_time("2023-11-15T00:13:20+02:00").expect("it parses");
        assert_eq!(time, Timestamp::from_seconds(1_700_000_000));
        for bad in [
            "",
            "2023-11-15",
            "2023-11-15T00:13:20",
            "1700000000",
            "2023-13-01T00:00:00Z",
        ] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
