//! How an attempt's time was spent, and over what connection. Measured where requests are sent;
//! nothing is decided by it.

use crate::endpoint::StoredFormError;
use std::time::Duration;

const WRONG: StoredFormError = StoredFormError::new("phases");

const REUSED: u8 = 1;
const HTTP2: u8 = 2;
/// The bit of the first phase; those of the others follow.
const FIRST: u8 = 4;

/// The phases of one request, in the order in which they come. `None`: it got there not at all, or
/// had no need to. Kept in microseconds, of which a phase has at most `u32::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    /// Whether a kept connection was used.
    pub reused: bool,
    /// Whether it was HTTP/2.
    pub http2: bool,
    /// Until the host's addresses were known.
    pub resolve: Option<Duration>,
    /// Until there was a connection, the operator's proxy included.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// Writing the request, and waiting for the response's head.
    pub answer: Option<Duration>,
    /// Reading as much of the response's body as is kept.
    pub body: Option<Duration>,
}

impl Phases {
    /// The bytes that are stored; none where nothing is known.
    pub fn to_stored(&self) -> Vec<u8> {
        let mut flags = (u8::from(self.reused) * REUSED) | (u8::from(self.http2) * HTTP2);
        let mut stored = vec![0];
        for (index, phase) in self.all().into_iter().enumerate() {
            if let Some(phase) = phase {
                flags |= FIRST << index;
                write(
                    &mut stored,
                    u32::try_from(phase.as_micros()).unwrap_or(u32::MAX),
                );
            }
        }
        stored[0] = flags;
        match flags {
            0 => Vec::new(),
            _ => stored,
        }
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let Some((&flags, mut rest)) = stored.split_first() else {
            return Ok(Self::default());
        };
        let mut phase = |index: u8| match flags & (FIRST << index) {
            0 => Ok(None),
            _ => read(&mut rest).map(Some).ok_or(WRONG),
        };
        let phases = Self {
            reused: flags & REUSED != 0,
            http2: flags & HTTP2 != 0,
            resolve: phase(0)?,
            connect: phase(1)?,
            tls: phase(2)?,
            answer: phase(3)?,
            body: phase(4)?,
        };
        match rest {
            [] => Ok(phases),
            _ => Err(WRONG),
        }
    }

    fn all(&self) -> [Option<Duration>; 5] {
        [self.resolve, self.connect, self.tls, self.answer, self.body]
    }
}

/// Seven bits a byte, the low ones first, as LEB128 has it.
fn write(stored: &mut Vec<u8>, mut micros: u32) {
    while micros > 0x7f {
        stored.push(0x80 | (micros & 0x7f) as u8);
        micros >>= 7;
    }
    stored.push(micros as u8);
}

fn read(stored: &mut &[u8]) -> Option<Duration> {
    let mut micros = 0_u64;
    for index in 0..5 {
        let (&byte, rest) = stored.split_first()?;
        *stored = rest;
        micros |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(Duration::from_micros(micros));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Told = [Option<u32>; 5];

    fn phases(reused: bool, http2: bool, told: Told) -> Phases {
        let told = told.map(|told| told.map(|micros| Duration::from_micros(micros.into())));
        let [resolve, connect, tls, answer, body] = told;
        Phases {
            reused,
            http2,
            resolve,
            connect,
            tls,
            answer,
            body,
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(reused: bool, http2: bool, told: Told) {
            let phases = phases(reused, http2, told);
            let stored = phases.to_stored();
            prop_assert!(stored.len() <= 26);
            prop_assert_eq!(Phases::from_stored(&stored), Ok(phases));
        }

        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            let _ = Phases::from_stored(&bytes);
        }
    }

    #[test]
    fn of_nothing_nothing_is_stored() {
        assert!(Phases::default().to_stored().is_empty());
    }

    #[test]
    fn what_takes_too_long_to_be_told_takes_as_long_as_can_be() {
        let long = Phases {
            answer: Some(Duration::from_secs(1_000_000)),
            ..Phases::default()
        };
        let read = Phases::from_stored(&long.to_stored()).expect("phases");
        assert_eq!(read.answer, Some(Duration::from_micros(u32::MAX.into())));
    }
}
