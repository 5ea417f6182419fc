//! What processes have used: CPU time and memory, as Linux tells it in `/proc`.
//!
//! CPU time comes in ticks of 10 ms, so that a figure needs a measurement of seconds behind it;
//! that of threads in nanoseconds, while they are there.
//! Elsewhere than on Linux nothing is told.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// How often a family is looked at until nobody ends meanwhile.
const LOOKS_MAX: usize = 20;

/// What processes have used since they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// In user space and in the kernel.
    pub(crate) cpu: Duration,
    /// The most memory that was resident at a time, added up over the processes.
    pub(crate) peak_kib: u64,
}

impl Usage {
    /// Of all these processes together; `None` if one of them can't be looked at.
    pub(crate) fn of(processes: &[u32]) -> Option<Self> {
        let mut sum = Self {
            cpu: Duration::ZERO,
            peak_kib: 0,
        };
        for process in processes {
            let stat = stat(*process)?;
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            sum.cpu += cpu(&stat, rustix::param::clock_ticks_per_second())?;
            sum.peak_kib += peak_kib(&status)?;
        }
        (!processes.is_empty()).then_some(sum)
    }
}

/// The CPU time of processes, thread by thread.
pub(crate) struct Threads(HashMap<u32, u64>);

impl Threads {
    /// Of all threads that these processes have.
    pub(crate) fn of(processes: &[u32]) -> Self {
        let tasks = |process| {
            fs::read_dir(format!("/proc/{process}/task"))
                .into_iter()
                .flatten()
        };
        let entries = processes.iter().flat_map(tasks).flatten();
        let thread = |entry: fs::DirEntry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let used = fs::read_to_string(entry.path().join("schedstat")).ok()?;
            Some((number, used.split_whitespace().next()?.parse().ok()?))
        };
        Self(entries.filter_map(thread).collect())
    }

    /// What they have used since then, and those that are new: without what was used by those that
    /// have ended meanwhile, which in a server are those that had nothing to do.
    pub(crate) fn since(&self, before: &Self) -> Option<Duration> {
        let since = |(thread, now): (&u32, &u64)| {
            now.saturating_sub(before.0.get(thread).copied().unwrap_or_default())
        };
        let nanos = self.0.iter().map(since).sum();
        (!self.0.is_empty()).then_some(Duration::from_nanos(nanos))
    }
}

/// The CPU time of a process and all its children, also of those that have ended: of a PostgreSQL,
/// whose backends come and go, and have no children of their own.
pub(crate) fn of_family(parent: u32) -> Option<Duration> {
    let ticks_per_second = rustix::param::clock_ticks_per_second();
    let read = || cpu_with_ended(&stat(parent)?, ticks_per_second);
    let mut before = read()?;
    // A child that ends while this looks would be counted twice, or not at all.
    for _ in 0..LOOKS_MAX {
        let children = children(parent, ticks_per_second);
        let after = read()?;
        if after.1 == before.1 {
            return Some(after.0 + after.1 + children);
        }
        before = after;
    }
    None
}

/// The CPU time of those that are there.
fn children(parent: u32, ticks_per_second: u64) -> Duration {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let stats = processes.filter_map(stat);
    let own = stats.filter(|stat| parent_of(stat) == Some(parent));
    own.filter_map(|stat| cpu(&stat, ticks_per_second)).sum()
}

fn stat(process: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{process}/stat")).ok()
}

/// `ppid`, the 4th field.
fn parent_of(stat: &str) -> Option<u32> {
    fields(stat)?.nth(1)?.parse().ok()
}

/// `utime` and `stime`, the 14th and 15th field. The 2nd is a name that may hold anything, and ends
/// at the last bracket.
fn cpu(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    sum_of_two(stat, (11, ticks_per_second))
}

/// The same, and `cutime` and `cstime`, the 16th and 17th: of children that have ended and been
/// waited for.
fn cpu_with_ended(stat: &str, ticks_per_second: u64) -> Option<(Duration, Duration)> {
    let ended = sum_of_two(stat, (13, ticks_per_second))?;
    Some((cpu(stat, ticks_per_second)?, ended))
}

fn sum_of_two(stat: &str, (first, ticks_per_second): (usize, u64)) -> Option<Duration> {
    let mut fields = fields(stat)?.skip(first);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let micros = (user + system) * 1_000_000 / ticks_per_second.max(1);
    Some(Duration::from_micros(micros))
}

/// From the 3rd on.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_ascii_whitespace())
}

fn peak_kib(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_that_holds_anything() {
        let stat = "7 (a ) S 9) R 1 2 3 4 5 6 7 8 9 10 250 50 99 99 20 0 4 0 5";
        assert_eq!(cpu(stat, 100), Some(Duration::from_secs(3)));
        assert_eq!(cpu("7 (a", 100), None);
    }

    #[test]
    fn what_ended_children_used_is_told_beside_what_their_parent_did() {
        let stat = "7 (a) S 9 2 3 4 5 6 7 8 9 10 250 50 30 70 20 0 4 0 5";
        let expected = (Duration::from_secs(3), Duration::from_secs(1));
        assert_eq!(cpu_with_ended(stat, 100), Some(expected));
        assert_eq!(parent_of(stat), Some(9));
    }

    #[test]
    fn a_family_has_used_what_a_child_used_that_has_ended() {
        let own = std::process::id();
        let before = of_family(own).unwrap();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let mut child = std::process::Command::new("sh");
        assert!(child.args(["-c", busy]).status().unwrap().success());
        assert!(of_family(own).unwrap() >= before + Duration::from_millis(20));
        assert_eq!(of_family(0), None);
    }

    #[test]
    fn threads_have_used_what_they_used_since_and_new_ones_all_of_theirs() {
        let threads = |used: &[(u32, u64)]| Threads(used.iter().copied().collect());
        let before = threads(&[(1, 5_000), (2, 7_000)]);
        let after = threads(&[(1, 6_500), (3, 400)]);
        assert_eq!(after.since(&before), Some(Duration::from_nanos(1_900)));
        assert_eq!(threads(&[]).since(&before), None);
        let own = [std::process::id()];
        let before = Threads::of(&own);
        let busy = (0..3_000_000_u64).fold(0, |sum, number| std::hint::black_box(sum ^ number));
        let used = Threads::of(&own).since(&before).unwrap();
        assert!(used > Duration::ZERO, "{busy}");
    }

    #[test]
    fn the_peak_is_read_from_its_line() {
        let status = "Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t   5120 kB\nVmRSS:\t 7 kB\n";
        assert_eq!(peak_kib(status), Some(5_120));
        assert_eq!(peak_kib("Name:\tx\n"), None);
    }
}
