//! When the load client sends the next request: as soon as it can, or when its time has come.
//!
//! At a fixed rate a request's time is when it was to be sent, not when a connection was free for
//! it: a server that makes the client wait makes its latencies longer, not its load smaller.

use crate::clock::now_us;
use rustix::thread::nanosleep;
use rustix::time::Timespec;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Hands out the requests of a run.
pub(crate) struct Pace {
    requests: u64,
    next: AtomicU64,
    schedule: Option<Schedule>,
}

struct Schedule {
    interval: Duration,
    began_us: u64,
    due: Semaphore,
}

/// A request to send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Its number, from 0.
    pub(crate) number: u64,
    /// Since when it is due.
    pub(crate) due_us: u64,
}

impl Pace {
    /// So many requests, one in each interval, or as fast as they go.
    pub(crate) fn new(requests: u64, interval: Option<Duration>) -> Self {
        let schedule = interval.map(|interval| Schedule {
            interval,
            began_us: now_us(),
            due: Semaphore::new(0),
        });
        Self {
            requests,
            next: AtomicU64::new(0),
            schedule,
        }
    }

    /// The next request, as soon as it is due; `None` when all have been handed out.
    pub(crate) async fn next(&self) -> Option<Turn> {
        if let Some(schedule) = &self.schedule {
            schedule.due.acquire().await.ok()?.forget();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.requests {
            return None;
        }
        let due_us = match &self.schedule {
            None => now_us(),
            Some(schedule) => schedule.due_us(number),
        };
        Some(Turn { number, due_us })
    }

    /// Makes requests due as time goes by, until all are. It blocks a thread of its own: the
    /// runtime's timer knows milliseconds only, and at 4,000 requests a second would send four at
    /// once.
    pub(crate) fn keep(&self) {
        let Some(schedule) = &self.schedule else {
            return;
        };
        let mut due = 0;
        while due < self.requests {
            let passed = schedule.passed(now_us()).min(self.requests);
            schedule.due.add_permits((passed - due) as usize);
            due = passed;
            sleep_until(schedule.due_us(due));
        }
        // Whoever asks from now on is told that there is none.
        schedule.due.add_permits(Semaphore::MAX_PERMITS >> 1);
    }
}

impl Schedule {
    /// How many requests are due by now.
    fn passed(&self, now_us: u64) -> u64 {
        let nanos = u128::from(now_us.saturating_sub(self.began_us)) * 1_000;
        let passed = nanos / self.interval.as_nanos().max(1);
        u64::try_from(passed).unwrap_or(u64::MAX)
    }

    fn due_us(&self, number: u64) -> u64 {
        let nanos = u128::from(number + 1) * self.interval.as_nanos();
        self.began_us + u64::try_from(nanos / 1_000).unwrap_or(u64::MAX >> 1)
    }
}

fn sleep_until(then_us: u64) {
    let time = Duration::from_micros(then_us.saturating_sub(now_us()));
    let time = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    // Interrupted, it is asked for again.
    let _ = nanosleep(&time);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn without_a_rate_requests_are_handed_out_at_once() {
        let pace = Pace::new(2, None);
        let numbers = [pace.next().await, pace.next().await, pace.next().await];
        assert_eq!(
            numbers.map(|turn| turn.map(|turn| turn.number)),
            [Some(0), Some(1), None]
        );
    }

    #[tokio::test]
    async fn at_a_rate_no_request_is_handed_out_before_it_is_due() {
        let pace = Arc::new(Pace::new(20, Some(Duration::from_micros(300))));
        let pacing = pace.clone();
        let keep = tokio::task::spawn_blocking(move || pacing.keep());
        let take = async {
            let mut turns = Vec::new();
            while let Some(turn) = pace.next().await {
                assert!(turn.due_us <= now_us());
                turns.push(turn);
            }
            turns
        };
        let (kept, turns) = tokio::join!(keep, take);
        kept.unwrap();
        assert_eq!(turns.len(), 20);
        assert_eq!(turns[19].due_us - turns[0].due_us, 19 * 300);
    }
}
