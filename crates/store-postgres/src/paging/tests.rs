//! A walk in chunks is the same as one row by row, and reads little more than it gives.

use super::*;
use std::sync::Mutex;

/// A row of a list in memory, whose place is its position.
#[derive(Clone, Copy)]
struct Made {
    passes: bool,
    there: bool,
    bytes: usize,
}

struct Memory {
    rows: Vec<Made>,
    with_content: bool,
    looked_at: Mutex<usize>,
    loaded: Mutex<usize>,
}

impl Memory {
    fn new(rows: Vec<Made>) -> Self {
        Self {
            with_content: rows.iter().any(|row| row.bytes > 0),
            rows,
            looked_at: Mutex::new(0),
            loaded: Mutex::new(0),
        }
    }
}

impl Listing for Memory {
    type Position = usize;
    type Passed = ();
    type Row = (usize, usize);

    async fn look(
        &self,
        beyond: Option<&usize>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let first = beyond.map_or(0, |place| place + 1);
        let all = self.rows.iter().enumerate().skip(first).take(rows);
        let seen: Vec<_> = all
            .map(|(position, row)| Seen {
                position,
                passes: row.passes.then_some(()),
            })
            .collect();
        *self.looked_at.lock().unwrap() += seen.len();
        Ok(seen)
    }

    async fn load(&self, passed: &[(usize, ())]) -> Result<HashMap<usize, Self::Row>, Failure> {
        assert!(passed.iter().all(|(place, ())| self.rows[*place].passes));
        let there = passed.iter().filter(|(place, ())| self.rows[*place].there);
        let bytes = |place: usize| self.rows[place].bytes;
        let found: HashMap<_, _> = there
            .map(|(place, ())| (*place, (*place, bytes(*place))))
            .collect();
        *self.loaded.lock().unwrap() += found.values().map(|(_, bytes)| bytes).sum::<usize>();
        Ok(found)
    }

    fn with_content(&self) -> bool {
        self.with_content
    }

    fn content_bytes(row: &Self::Row) -> usize {
        row.1
    }
}

fn row_by_row(rows: &[Made], limit: usize) -> Walk<(usize, usize), usize> {
    let mut walking = Walking::new(limit);
    for (place, row) in rows.iter().enumerate() {
        if !walking.looks_at(place) {
            break;
        }
        if row.passes && row.there {
            walking.keep_with_content((place, row.bytes), row.bytes);
        }
    }
    walking.end()
}

#[tokio::test]
async fn chunks_find_what_a_walk_row_by_row_finds() {
    for count in [
        0, 1, 7, 8, 9, 50, 51, 999, 1_000, 1_001, 4_999, 5_000, 5_001, 6_200,
    ] {
        for one_in in [1, 2, 60, 5_000, 10_000] {
            for bytes in [0, 1 << 10, 1 << 20, 9 << 20] {
                let made = |place: usize| Made {
                    passes: place % one_in == one_in - 1,
                    there: place % 17 != 3,
                    bytes: bytes + place % 5 * bytes / 4,
                };
                let list = Memory::new((0..count).map(made).collect());
                for limit in [0, 1, 7, 8, 9, 50, 1_000, 10_000] {
                    let found = walk(&list, limit).await.unwrap();
                    let expected = row_by_row(&list.rows, limit);
                    assert_eq!(found, expected, "{count} {one_in} {bytes} {limit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_page_that_fills_reads_one_row_more() {
    let row = Made {
        passes: true,
        there: true,
        bytes: 0,
    };
    let list = Memory::new(vec![row; 10_000]);
    walk(&list, 50).await.unwrap();
    assert_eq!(*list.looked_at.lock().unwrap(), 51);
}

#[tokio::test]
async fn large_content_is_hardly_read_in_vain() {
    for bytes in [3 << 10, 200 << 10, 1 << 20] {
        let row = Made {
            passes: true,
            there: true,
            bytes,
        };
        let list = Memory::new(vec![row; 4_000]);
        let kept: usize = walk(&list, 4_000)
            .await
            .unwrap()
            .rows
            .iter()
            .map(|row| row.1)
            .sum();
        let loaded = *list.loaded.lock().unwrap();
        assert!(loaded - kept < bytes, "{loaded} of which {kept} are kept");
    }
}

#[test]
fn a_window_goes_on_behind_a_position() {
    let window = |ascending| Window::<()> {
        above: Key::from_integer(10),
        below: Key::from_integer(90),
        ascending,
        limit: 1,
    };
    let position = Key::from_integer(40);
    assert_eq!(behind(&window(true), None), (10, 90));
    assert_eq!(behind(&window(true), Some(&position)), (40, 90));
    assert_eq!(behind(&window(false), Some(&position)), (10, 40));
}
