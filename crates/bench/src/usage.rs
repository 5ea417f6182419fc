//! What processes have used: CPU time and memory, as Linux tells it in `/proc`.
//!
//! CPU time comes in ticks of 10 ms, so that a figure needs a measurement of seconds behind it.
//! Elsewhere than on Linux nothing is told.

use std::fs;
use std::time::Duration;

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
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            sum.cpu += cpu(&stat, rustix::param::clock_ticks_per_second())?;
            sum.peak_kib += peak_kib(&status)?;
        }
        (!processes.is_empty()).then_some(sum)
    }
}

/// `utime` and `stime`, the 14th and 15th field. The 2nd is a name that may hold anything, and ends
/// at the last bracket.
fn cpu(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let micros = (user + system) * 1_000_000 / ticks_per_second.max(1);
    Some(Duration::from_micros(micros))
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
    fn the_peak_is_read_from_its_line() {
        let status = "Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t   5120 kB\nVmRSS:\t 7 kB\n";
        assert_eq!(peak_kib(status), Some(5_120));
        assert_eq!(peak_kib("Name:\tx\n"), None);
    }
}
