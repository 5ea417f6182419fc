//! Stored forms that are a few texts: U+0000 stands between them, and becomes a space where one has
//! it. What they mean is whoever's that keeps them.

use crate::clock::Timestamp;

/// The bytes that are stored.
pub(crate) fn to_stored(texts: &[String]) -> Vec<u8> {
    let plain: Vec<_> = texts.iter().map(|text| text.replace('\0', " ")).collect();
    plain.join("\0").into_bytes()
}

/// Reads what [`to_stored`] wrote; `None` if it is no text.
pub(crate) fn from_stored(stored: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(stored).ok()?;
    Some(text.split('\0').collect())
}

/// A time, as it is written in one.
pub(crate) fn of_time(time: Timestamp) -> String {
    time.micros().to_string()
}

/// Reads what [`of_time`] wrote; `None` if it is something else.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_micros)
}
