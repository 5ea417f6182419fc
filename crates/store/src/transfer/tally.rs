//! What two stores are compared by: how many rows a table has, and a checksum of them that depends
//! neither on a database nor on the order in which it gives them. It finds what went wrong, and is
//! no defence against somebody who means it.

use super::{Row, Value};

/// FNV-1a, 64 bits wide.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// Rows, counted and added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub rows: u64,
    /// The sum of their hashes.
    pub checksum: u64,
}

/// A table that is not the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub table: &'static str,
    /// As it is in the source.
    pub source: Tally,
    /// As it is in the target.
    pub target: Tally,
}

impl Tally {
    /// One row more.
    pub fn add(&mut self, row: &Row) {
        let mut hash = OFFSET;
        for value in row {
            hash = match value {
                Value::Null => fold(hash, &[0]),
                Value::Integer(integer) => fold(fold(hash, &[1]), &integer.to_le_bytes()),
                Value::Text(text) => sized(fold(hash, &[2]), text.as_bytes()),
                Value::Bytes(bytes) => sized(fold(hash, &[3]), bytes),
            };
        }
        self.rows += 1;
        self.checksum = self.checksum.wrapping_add(spread(hash));
    }
}

/// With its length before it: what stands in one column is never taken for the next one's.
fn sized(hash: u64, bytes: &[u8]) -> u64 {
    fold(fold(hash, &(bytes.len() as u64).to_le_bytes()), bytes)
}

fn fold(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
    bytes.iter().fold(hash, step)
}

/// Rows that are alike must not have hashes that are: these are added. The end of SplitMix64.
fn spread(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn tally(rows: &[Row]) -> Tally {
        let mut tally = Tally::default();
        rows.iter().for_each(|row| tally.add(row));
        tally
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn the_order_of_rows_does_not_count_and_everything_else_does() {
        let (one, two) = (
            vec![Value::Integer(1), text("ab"), Value::Null],
            vec![Value::Integer(2), text("c"), text("d")],
        );
        let both = tally(&[one.clone(), two.clone()]);
        assert_eq!(both, tally(&[two.clone(), one.clone()]));
        for other in [
            vec![],
            vec![one.clone()],
            vec![one.clone(), one.clone()],
            vec![one.clone(), two.clone(), vec![]],
            vec![one.clone(), vec![Value::Integer(2), text("cd"), text("")]],
            vec![one.clone(), vec![Value::Integer(2), text("d"), text("c")]],
            vec![
                vec![Value::Integer(2), text("ab"), Value::Null],
                vec![Value::Integer(1), text("c"), text("d")],
            ],
            vec![vec![Value::Integer(1), text("ab"), text("")], two.clone()],
            vec![
                vec![
                    Value::Integer(1),
                    Value::Bytes(Bytes::from_static(b"ab")),
                    Value::Null,
                ],
                two.clone(),
            ],
        ] {
            assert_ne!(both, tally(&other), "{other:?}");
        }
    }
}
