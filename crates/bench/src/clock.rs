//! The machine's monotonic clock, which shows all processes of a machine the same time: so the
//! receiver can tell how long ago the load client sent something. And the other one, which
//! signatures name.

use rustix::time::{ClockId, clock_gettime};

/// Microseconds since some point before the machine's start.
pub(crate) fn now_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * 1_000_000 + nanos / 1_000
}

/// Seconds since 1970: when something is signed.
pub(crate) fn unix_seconds() -> i64 {
    clock_gettime(ClockId::Realtime).tv_sec
}

/// What tells this clock from another machine's; `None` where nothing does.
pub(crate) fn machine() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}
