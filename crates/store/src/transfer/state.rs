//! How far a transfer is, as the target keeps it.

use super::{Cursor, Value};
use bytes::Bytes;
use model::id::Key;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Keys tell times that are so far apart.
const STEP: Duration = Duration::from_millis(4);

/// Which keys were given: what comes next must be larger than each of them, so that lists which are
/// read forwards miss nothing, and no key is given twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keys {
    /// The largest of all.
    pub last: i64,
    /// The highest slot that gave one.
    pub slots: u16,
}

impl Keys {
    /// One key more.
    pub fn add(&mut self, key: i64) {
        self.last = self.last.max(key);
        self.slots = self.slots.max(Key::<()>::from_integer(key).slot());
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            last: self.last.max(other.last),
            slots: self.slots.max(other.slots),
        }
    }

    /// A key that every slot can go on behind: of the time step after the last one, since within a
    /// step the slot counts more than the order.
    pub fn behind(self) -> i64 {
        match self.last {
            0 => 0,
            last => {
                let time = Key::<()>::from_integer(last).time();
                Key::<()>::first_at(time.plus(STEP)).integer()
            }
        }
    }
}

/// How far a transfer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What the source is recognised by.
    pub source: String,
    /// The place of the table that is moved next; behind the last one when all are moved.
    pub table: usize,
    /// Where to go on in it; `None`: at its beginning.
    pub cursor: Option<Cursor>,
    /// Which keys the rows had that were moved.
    pub keys: Keys,
}

impl State {
    /// As the target keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let cursor = self.cursor.as_ref();
        let cursor = cursor.map(|cursor| cursor.iter().map(value).collect::<Vec<_>>());
        let state = json!({
            "source": self.source,
            "table": self.table,
            "cursor": cursor,
            "lastKey": self.keys.last,
            "slots": self.keys.slots,
        });
        state.to_string().into_bytes()
    }

    /// What [`Self::to_bytes`] wrote; `None` if it is not that.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let state: Json = serde_json::from_slice(bytes).ok()?;
        let cursor = match &state["cursor"] {
            Json::Null => None,
            cursor => Some(
                cursor
                    .as_array()?
                    .iter()
                    .map(read_value)
                    .collect::<Option<_>>()?,
            ),
        };
        Some(Self {
            source: state["source"].as_str()?.to_owned(),
            table: state["table"].as_u64()?.try_into().ok()?,
            cursor,
            keys: Keys {
                last: state["lastKey"].as_i64()?,
                slots: state["slots"].as_u64()?.try_into().ok()?,
            },
        })
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(integer) => json!(integer),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!(bytes.to_vec()),
    }
}

fn read_value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(bytes) => {
            let byte = |byte: &Json| byte.as_u64().and_then(|byte| byte.try_into().ok());
            let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
            Value::Bytes(Bytes::from(bytes?))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;
    use model::id::KeySequence;

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        let begun = State {
            source: "a \"source\"".to_owned(),
            table: 0,
            cursor: None,
            keys: Keys::default(),
        };
        let within = State {
            table: 7,
            cursor: Some(vec![
                Value::Integer(i64::MAX),
                Value::Integer(-1),
                Value::Text("ü\n".to_owned()),
                Value::Bytes(Bytes::from_static(&[0, 255])),
                Value::Null,
            ]),
            keys: Keys {
                last: i64::MAX - 1,
                slots: 1_023,
            },
            ..begun.clone()
        };
        for state in [begun, within] {
            assert_eq!(State::from_bytes(&state.to_bytes()), Some(state));
        }
        for other in ["", "{}", "[]", r#"{"source":"a","table":-1}"#] {
            assert_eq!(State::from_bytes(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn whichever_slot_goes_on_its_keys_are_larger_than_all_that_were_given() {
        let now = Timestamp::from_seconds(1_767_227_400);
        let mut given = Keys::default();
        for slot in [0, 3, 1_023] {
            let mut sequence = KeySequence::after(slot, 0);
            given.add(sequence.next::<()>(now).integer());
        }
        assert_eq!(given.slots, 1_023);
        for slot in [0, 1, 1_023] {
            let mut sequence = KeySequence::after(slot, given.behind());
            let next = sequence.next::<()>(now).integer();
            assert!(next > given.last, "{slot}: {next}");
        }
        assert_eq!(Keys::default().behind(), 0);
    }
}
