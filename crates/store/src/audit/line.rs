//! A checkpoint as one line of JSON: what the log of the server, the API, the command and the file
//! outside have of it, and what is read back from there.

use super::Checkpoint;
use model::Timestamp;
use serde_json::Value;
use std::fmt::Write as _;

/// A checkpoint, and the public key that it is to be verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The key.
    pub public_key: [u8; 32],
}

impl SignedCheckpoint {
    /// The line, without its end.
    pub fn line(&self) -> String {
        let Checkpoint {
            position,
            hash,
            count,
            start,
            at,
            signature,
        } = &self.checkpoint;
        format!(
            concat!(
                r#"{{"position":{},"hash":"{}","count":{},"start":{},"timeMicros":{},"#,
                r#""publicKey":"{}","signature":"{}"}}"#
            ),
            position,
            hex(hash),
            count,
            start,
            at.micros(),
            hex(&self.public_key),
            hex(signature),
        )
    }

    /// What a line says; `None`: it is none. Whether it is signed is another question.
    pub fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let number = |name: &str| value[name].as_u64();
        Some(Self {
            checkpoint: Checkpoint {
                position: number("position")?,
                hash: from_hex(value["hash"].as_str()?)?,
                count: number("count")?,
                start: number("start")?,
                at: Timestamp::from_micros(value["timeMicros"].as_i64()?),
                signature: from_hex(value["signature"].as_str()?)?,
            },
            public_key: from_hex(value["publicKey"].as_str()?)?,
        })
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes all that is written to it");
    }
    text
}

/// So many bytes from hexadecimal digits.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let value = 16 * digit(pair[0])? + digit(pair[1])?;
        *byte = u8::try_from(value).expect("two digits are a byte");
    }
    Some(bytes)
}
