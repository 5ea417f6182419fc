//! What the system says of this process, under the names that all programs have for it. Elsewhere
//! than on Linux most of it is not told.

use model::Timestamp;
use rustix::process::{Resource, getrlimit};
use std::fs;
use watch::exposition::Exposition;

/// Writes it.
pub(super) fn write(text: &mut Exposition, since: Timestamp) {
    text.gauge("postrider_build_info", "Which program this is: always 1.")
        .with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    text.gauge(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
    )
    .is(since.micros() as f64 / 1e6);
    let mut cpu = text.counter(
        "process_cpu_seconds_total",
        "Processor time that the process has used, in user space and in the kernel.",
    );
    if let Some(seconds) = read("/proc/self/stat").as_deref().and_then(cpu_seconds) {
        cpu.is(seconds);
    }
    let mut memory = text.gauge(
        "process_resident_memory_bytes",
        "Memory of the process that is resident.",
    );
    if let Some(bytes) = read("/proc/self/statm").as_deref().and_then(resident) {
        memory.is(bytes);
    }
    let mut open = text.gauge("process_open_fds", "Files and connections that are open.");
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        open.is(entries.count() as f64);
    }
    let mut most = text.gauge("process_max_fds", "How many of them may be.");
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        most.is(limit as f64);
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// `utime` and `stime`, the 14th and 15th field, in ticks. The 2nd is a name that may hold
/// anything, and ends at the last bracket.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The second field, in pages.
fn resident(statm: &str) -> Option<f64> {
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages as f64 * rustix::param::page_size() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_hides_no_field() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0";
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(cpu_seconds(stat), Some(200.0 / ticks));
        assert_eq!(cpu_seconds("7 (x"), None);
        let page = rustix::param::page_size() as f64;
        assert_eq!(resident("100 25 9 1 0 1 0\n"), Some(25.0 * page));
    }
}
