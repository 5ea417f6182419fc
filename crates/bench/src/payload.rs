//! Messages that say who they are: a payload carries its run, its index and when it was sent, in
//! fields of a fixed width, so that a request is made by writing digits into a copy.
//!
//! Senders may write JSON anew: a mark is found by its names, wherever it stands.

use std::ops::Range;

/// The smallest payload that holds a mark.
pub(crate) const PAYLOAD_BYTES_MIN: usize = 100;
/// What every message says it is.
const OPENING: &str = r#"{"eventType":"bench.message","payload":"#;

/// What tells one message from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which measurement it belongs to.
    pub(crate) run: u64,
    /// Its number in it, from 0.
    pub(crate) index: u64,
    /// When it was sent, by [`crate::clock`].
    pub(crate) sent_us: u64,
}

/// A field of a mark: its name, and how many digits there is room for.
const RUN: (&str, usize) = (r#""run":"#, 10);
const INDEX: (&str, usize) = (r#""index":"#, 10);
const SENT: (&str, usize) = (r#""sent":"#, 16);
/// Runs have numbers below this.
pub(crate) const RUNS: u64 = 10_000_000_000;

impl Mark {
    /// The mark in what arrived; `None` if there is none.
    pub(crate) fn find(body: &[u8]) -> Option<Self> {
        Some(Self {
            run: number(body, RUN.0)?,
            index: number(body, INDEX.0)?,
            sent_us: number(body, SENT.0)?,
        })
    }
}

/// A request's body with room for marks.
pub(crate) struct Template {
    bytes: Vec<u8>,
    marks: Vec<[Range<usize>; 3]>,
}

impl Template {
    /// A payload of so many bytes by itself.
    pub(crate) fn payload(payload_bytes: usize) -> Self {
        let mut bytes = Vec::with_capacity(payload_bytes);
        let mut opening = "{";
        let fields = [RUN, INDEX, SENT].map(|(name, digits)| {
            bytes.extend_from_slice(opening.as_bytes());
            bytes.extend_from_slice(name.as_bytes());
            opening = ",";
            let begin = bytes.len();
            bytes.resize(begin + digits, b' ');
            begin..bytes.len()
        });
        bytes.extend_from_slice(br#","pad":""#);
        let end = payload_bytes.saturating_sub(2).max(bytes.len());
        bytes.resize(end, b'x');
        bytes.extend_from_slice(br#""}"#);
        Self {
            bytes,
            marks: vec![fields],
        }
    }

    /// A message's body with a payload of so many bytes.
    pub(crate) fn message(payload_bytes: usize) -> Self {
        let mut message = Self {
            bytes: OPENING.as_bytes().to_vec(),
            marks: Vec::with_capacity(1),
        };
        message.append(&Self::payload(payload_bytes));
        message.bytes.push(b'}');
        message
    }

    /// The body of a batch of so many messages.
    pub(crate) fn batch(payload_bytes: usize, messages: usize) -> Self {
        let one = Self::message(payload_bytes);
        let mut batch = Self {
            bytes: br#"{"messages":["#.to_vec(),
            marks: Vec::with_capacity(messages),
        };
        for number in 0..messages {
            if number > 0 {
                batch.bytes.push(b',');
            }
            batch.append(&one);
        }
        batch.bytes.extend_from_slice(b"]}");
        batch
    }

    /// Adds another one at the end.
    fn append(&mut self, other: &Self) {
        let by = self.bytes.len();
        let moved = |fields: &[Range<usize>; 3]| {
            let fields = fields.clone();
            fields.map(|field| field.start + by..field.end + by)
        };
        self.marks.extend(other.marks.iter().map(moved));
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// A copy whose messages are `first` and those that follow it.
    pub(crate) fn marked(&self, first: Mark) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (number, [run, index, sent]) in (0..).zip(&self.marks) {
            write(&mut bytes[run.clone()], first.run);
            write(&mut bytes[index.clone()], first.index + number);
            write(&mut bytes[sent.clone()], first.sent_us);
        }
        bytes
    }
}

/// Writes a number at the right end of its field.
fn write(field: &mut [u8], mut number: u64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return;
        }
    }
}

fn number(body: &[u8], name: &str) -> Option<u64> {
    let name = name.as_bytes();
    let at = body.windows(name.len()).position(|window| window == name)?;
    let rest = body[at + name.len()..].trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const MARK: Mark = Mark {
        run: RUNS - 1,
        index: 7,
        sent_us: 1_234_567_890_123,
    };

    #[test]
    fn a_payload_has_the_size_that_was_asked_for_and_its_mark() {
        for size in [PAYLOAD_BYTES_MIN, 1_024, 262_144] {
            let body = Template::message(size).marked(MARK);
            assert_eq!(body.len(), OPENING.len() + size + 1);
            assert_eq!(Mark::find(&body), Some(MARK));
            let message: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(message["payload"]["index"], 7);
            let payload = Template::payload(size).marked(MARK);
            assert_eq!(payload.len(), size);
            let value: Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(value, message["payload"]);
        }
    }

    #[test]
    fn a_mark_is_found_in_json_that_was_written_anew() {
        let body = Template::message(200).marked(MARK);
        let message: Value = serde_json::from_slice(&body).unwrap();
        for text in [
            message["payload"].to_string(),
            format!("{:#}", message["payload"]),
        ] {
            assert_eq!(Mark::find(text.as_bytes()), Some(MARK), "{text}");
        }
        assert_eq!(Mark::find(br#"{"run": "7"}"#), None);
        assert_eq!(Mark::find(b""), None);
    }

    #[test]
    fn a_batch_has_messages_of_its_own() {
        let body = Template::batch(100, 3).marked(MARK);
        let batch: Value = serde_json::from_slice(&body).unwrap();
        let messages = batch["messages"].as_array().unwrap();
        let index = |message: &Value| message["payload"]["index"].as_u64();
        let indexes: Vec<_> = messages.iter().map(index).collect();
        assert_eq!(indexes, [Some(7), Some(8), Some(9)]);
    }
}
