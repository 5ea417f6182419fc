//! The way out: what many answers share.

use app::{AppError, Page, Patch, Saved};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
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
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        parse_time(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Reads a point in time.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, jiff::Error> {
    let time: jiff::Timestamp = text.parse()?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

/// A field of a patch: to be used with `default`, so that a field that is not there is kept.
pub(crate) fn patch<'de, T, D>(deserializer: D) -> Result<Patch<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Patch::Set)
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

/// 201 for what is new, 200 for what was there.
pub(crate) fn saved_status<T>(saved: &Saved<T>) -> StatusCode {
    if saved.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
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
