//! The trace that an event is a part of, as W3C Trace Context has it: taken from its sender's
//! request, and passed on with each attempt, which is a step of its own in it; and the steps that
//! whoever records traces is told of. None is recorded here, and `tracestate`, which belongs to
//! those who write it, is not passed on.

use crate::Timestamp;
use crate::id::{ApplicationId, EndpointId, MessageId};
use std::fmt;
use std::str::FromStr;

/// The header that tells it, in lower case.
pub const TRACE_HEADER: &str = "traceparent";

/// A place in a trace: which trace, which step of it, and whether it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace: [u8; 16],
    parent: [u8; 8],
    flags: u8,
}

impl TraceParent {
    /// How many bytes it is kept in.
    pub const BYTES: usize = 25;
    /// The flags that say something: that it is recorded, and that the trace's id is random.
    const FLAGS: u8 = 0b11;
    /// That it is recorded.
    const SAMPLED: u8 = 0b01;

    /// The first step of a trace that is recorded, of random bytes. `None`: no trace, or no step,
    /// has this name.
    pub fn begin(trace: [u8; 16], step: [u8; 8]) -> Option<Self> {
        let named = trace != [0; 16] && step != [0; 8];
        named.then_some(Self {
            trace,
            parent: step,
            flags: Self::FLAGS,
        })
    }

    /// The trace's name.
    pub fn trace(self) -> [u8; 16] {
        self.trace
    }

    /// The step's.
    pub fn step(self) -> [u8; 8] {
        self.parent
    }

    /// Whether it is recorded.
    pub fn is_sampled(self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// As a store keeps it.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.trace);
        bytes[16..24].copy_from_slice(&self.parent);
        bytes[24] = self.flags;
        bytes
    }

    /// What a store has kept; `None`: it is not one that was let in.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (trace, rest) = bytes.split_first_chunk()?;
        let (parent, flags) = rest.split_first_chunk()?;
        let &[flags] = flags else {
            return None;
        };
        let read = Self {
            trace: *trace,
            parent: *parent,
            flags: flags & Self::FLAGS,
        };
        (read.trace != [0; 16] && read.parent != [0; 8]).then_some(read)
    }

    /// The same trace, from the step on that these bytes name.
    #[must_use]
    pub fn from_here(self, step: [u8; 8]) -> Self {
        match step {
            // No step has this name.
            [0, 0, 0, 0, 0, 0, 0, 0] => self,
            parent => Self { parent, ..self },
        }
    }
}

/// A step that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which it is, and in which trace.
    pub at: TraceParent,
    /// The step that it follows; `None`: the trace begins with it.
    pub after: Option<TraceParent>,
    /// What was done.
    pub what: Taken,
    /// When it was begun.
    pub began: Timestamp,
    /// When it was over.
    pub ended: Timestamp,
    /// Whose message it was; `None` where that is gone.
    pub application: Option<ApplicationId>,
    /// The message.
    pub message: MessageId,
}

/// What is done in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The message was made durable.
    Accept,
    /// It was sent to an endpoint, or that was tried.
    Attempt {
        /// To which; `None` where that is gone.
        endpoint: Option<EndpointId>,
        /// Which attempt of its delivery, from 1.
        number: u16,
        /// What was answered; 0: nothing.
        status_code: u16,
        /// Whether it failed.
        failed: bool,
    },
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        for byte in self.trace {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("-")?;
        for byte in self.parent {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "-{:02x}", self.flags)
    }
}

/// A text that names no place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
pub struct NoTrace;

impl FromStr for TraceParent {
    type Err = NoTrace;

    /// Versions to come may add to the end, and mean the same by what is before.
    fn from_str(text: &str) -> Result<Self, NoTrace> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(NoTrace);
        let version: [u8; 1] = hexadecimal(part()?)?;
        let (trace, parent): ([u8; 16], [u8; 8]) = (hexadecimal(part()?)?, hexadecimal(part()?)?);
        let [flags] = hexadecimal(part()?)?;
        let more = parts.next().is_some();
        if version == [0xff] || version == [0] && more || text.len() > 512 {
            return Err(NoTrace);
        }
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&trace);
        bytes[16..24].copy_from_slice(&parent);
        bytes[24] = flags;
        Self::from_bytes(&bytes).ok_or(NoTrace)
    }
}

/// Digits, in lower case, two a byte.
fn hexadecimal<const N: usize>(text: &str) -> Result<[u8; N], NoTrace> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(NoTrace),
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(NoTrace);
    };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return Err(NoTrace);
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Result<TraceParent, NoTrace> {
        text.parse()
    }

    #[test]
    fn what_is_read_is_kept_and_told_as_it_was() {
        let known = read(KNOWN).expect("it is one");
        assert_eq!(known.to_string(), KNOWN);
        assert_eq!(TraceParent::from_bytes(&known.to_bytes()), Some(known));
        let later = KNOWN.replacen("00", "cc", 1) + "-what-is-new";
        assert_eq!(read(&later), Ok(known), "a version to come");
    }

    #[test]
    fn a_trace_that_is_begun_is_recorded_and_has_a_name() {
        let begun = TraceParent::begin([7; 16], [9; 8]).expect("it has a name");
        assert!(begun.is_sampled());
        assert_eq!((begun.trace(), begun.step()), ([7; 16], [9; 8]));
        assert_eq!(TraceParent::from_bytes(&begun.to_bytes()), Some(begun));
        assert_eq!(TraceParent::begin([0; 16], [9; 8]), None);
        assert_eq!(TraceParent::begin([7; 16], [0; 8]), None);
        let unrecorded = read(&KNOWN.replace("-01", "-02")).expect("it is one");
        assert!(!unrecorded.is_sampled());
    }

    #[test]
    fn what_names_no_place_in_a_trace_is_none() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        ] {
            assert_eq!(read(wrong), Err(NoTrace), "{wrong}");
        }
    }

    #[test]
    fn an_attempt_is_a_step_of_its_own_in_the_same_trace() {
        let known = read(KNOWN).expect("it is one");
        let step = known.from_here([1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            step.to_string(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0102030405060708-01"
        );
        assert_eq!(known.from_here([0; 8]), known);
    }
}
