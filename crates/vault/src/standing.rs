//! Which master key seals, as the store keeps it for all nodes: usually one that is alone; two
//! while one gives way to another.
//!
//! The new one is asked for first. Only when every node has both does it seal, and the other one is
//! needed until all that it sealed is sealed anew.

use crate::MasterKeyId;

/// How the master keys of an installation stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It seals, and sealed all there is.
    Alone(MasterKeyId),
    /// Another one is to take its place as soon as every node has it.
    Asked {
        /// The one that seals.
        current: MasterKeyId,
        /// The one that is to.
        next: MasterKeyId,
    },
    /// It seals, and what the one before it sealed is being sealed anew.
    Rewrapping {
        /// The one that seals.
        current: MasterKeyId,
        /// The one that is still needed.
        previous: MasterKeyId,
    },
}

const ASKED: u8 = 1;
const REWRAPPING: u8 = 2;

impl Standing {
    /// What to store. It begins with the id of the key that seals.
    pub fn to_bytes(self) -> Vec<u8> {
        let pair = |current: MasterKeyId, kind, other: MasterKeyId| {
            [&current.to_bytes()[..], &[kind], &other.to_bytes()].concat()
        };
        match self {
            Self::Alone(current) => current.to_bytes().to_vec(),
            Self::Asked { current, next } => pair(current, ASKED, next),
            Self::Rewrapping { current, previous } => pair(current, REWRAPPING, previous),
        }
    }

    /// Reads what was stored.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (current, rest) = bytes.split_first_chunk()?;
        let current = MasterKeyId::from_bytes(*current);
        let Some((kind, other)) = rest.split_first() else {
            return Some(Self::Alone(current));
        };
        let other = MasterKeyId::from_bytes(other.try_into().ok()?);
        match *kind {
            ASKED => Some(Self::Asked {
                current,
                next: other,
            }),
            REWRAPPING => Some(Self::Rewrapping {
                current,
                previous: other,
            }),
            _ => None,
        }
    }

    /// The key that seals.
    pub fn current(self) -> MasterKeyId {
        match self {
            Self::Alone(current)
            | Self::Asked { current, .. }
            | Self::Rewrapping { current, .. } => current,
        }
    }

    /// Without these keys something can't be opened.
    pub fn needed(self) -> Vec<MasterKeyId> {
        match self {
            Self::Alone(current) | Self::Asked { current, .. } => vec![current],
            Self::Rewrapping { current, previous } => vec![current, previous],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_nothing_else_is() {
        let [current, other] = [[1; 8], [2; 8]].map(MasterKeyId::from_bytes);
        let all = [
            Standing::Alone(current),
            Standing::Asked {
                current,
                next: other,
            },
            Standing::Rewrapping {
                current,
                previous: other,
            },
        ];
        for standing in all {
            let bytes = standing.to_bytes();
            assert_eq!(Standing::from_bytes(&bytes), Some(standing));
            assert_eq!(bytes[..8], current.to_bytes());
            for length in (0..bytes.len()).filter(|length| *length != 8) {
                assert_eq!(Standing::from_bytes(&bytes[..length]), None, "{length}");
            }
        }
        assert_eq!(Standing::from_bytes(&[3; 17]), None);
    }
}
