//! What a node counted up to moments that are not long ago: each second of the last ten, and each
//! minute of the last hour. Memory alone, and little of it: it begins anew with the process.

use dashboard::{Counted, Recent};
use std::collections::VecDeque;
use std::sync::Mutex;

/// Rates of now are of so many seconds.
const SECONDS: usize = 10;
/// An hour has so many minutes, and one moment more that they lie between.
const MOMENTS: usize = 61;
const MINUTE: i64 = 60_000_000;

/// The memory.
#[derive(Default)]
pub(super) struct Memory(Mutex<Held>);

#[derive(Default)]
struct Held {
    seconds: VecDeque<Counted>,
    /// The first of each minute.
    minutes: VecDeque<Counted>,
}

impl Memory {
    /// Remembers what was counted up to now.
    pub(super) fn note(&self, counted: Counted) {
        let mut held = self.0.lock().expect("no holder panics");
        let minute = |one: &Counted| one.at.micros().div_euclid(MINUTE);
        let is_new = |last: &Counted| minute(last) != minute(&counted);
        if held.minutes.back().is_none_or(is_new) {
            push(&mut held.minutes, counted, MOMENTS);
        }
        push(&mut held.seconds, counted, SECONDS);
    }

    /// What is remembered.
    pub(super) fn tell(&self) -> Recent {
        let held = self.0.lock().expect("no holder panics");
        Recent {
            before: held.seconds.front().copied(),
            minutes: held.minutes.iter().copied().collect(),
        }
    }
}

fn push(moments: &mut VecDeque<Counted>, counted: Counted, most: usize) {
    if moments.len() == most {
        moments.pop_front();
    }
    moments.push_back(counted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    #[test]
    fn it_holds_ten_seconds_and_an_hour_by_the_minute() {
        let memory = Memory::default();
        assert_eq!(memory.tell(), Recent::default());
        let begun = 1_800_000_030;
        for second in 0..2 * 3_600 {
            memory.note(Counted {
                at: Timestamp::from_seconds(begun + second),
                accepted: second.unsigned_abs(),
                ..Counted::default()
            });
        }
        let told = memory.tell();
        assert_eq!(told.before.map(|before| before.accepted), Some(7_190));
        assert_eq!(told.minutes.len(), 61);
        let accepted = |moment: usize| told.minutes[moment].accepted;
        assert_eq!((accepted(60), accepted(0)), (7_170, 7_170 - 3_600));
        assert!(
            told.minutes
                .iter()
                .skip(1)
                .all(|one| one.at.micros() % MINUTE == 0)
        );
    }
}
