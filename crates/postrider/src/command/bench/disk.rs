//! The disk that a bench's stores are on: where one is, what it has, and what is needed of it.

use crate::failure::Failure;
use bench::Plan;
use std::path::{Path, PathBuf};

/// What a delivered message takes in PostgreSQL beside its payload: rows, and what indexes have of
/// them.
const ROWS_BYTES: u64 = 1_000;
/// What a PostgreSQL takes that holds nothing.
const EMPTY_BYTES: u64 = 128 << 20;
/// Where its log ends to grow.
const LOG_BYTES_MAX: u64 = 4 << 30;
/// Of what is logged, pages are a part that were changed for the first time since a checkpoint.
const LOGGED_TIMES: u64 = 2;

/// Where stores are made when nobody says where: for what is to be on a disk, not in memory.
pub(super) fn directory(on_disk: bool) -> PathBuf {
    let usual = std::env::temp_dir();
    let other = PathBuf::from("/var/tmp");
    match on_disk && is_memory(&usual) && other.is_dir() && !is_memory(&other) {
        true => other,
        false => usual,
    }
}

/// How many bytes are free in a directory, for users who are not root.
pub(super) fn free(directory: &Path) -> Result<u64, Failure> {
    let system = rustix::fs::statvfs(directory).map_err(Failure::could_not)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// How many bytes a plan's databases take at the most: each history for all rounds, with what is
/// measured on it, and one that is empty before.
pub(super) fn needed(plan: &Plan) -> u64 {
    let size = &plan.size;
    // A page has some room left behind those that it holds.
    let payload = size.payload_bytes as u64 * 5 / 4;
    let measured = size.messages + size.messages / 10;
    let measured = measured.saturating_mul(payload + ROWS_BYTES * u64::from(size.endpoints));
    let cases = plan.cases();
    let database = |&stored: &u64| {
        let passes = cases.iter().filter(|case| case.nodes.is_some());
        let passes = passes.filter(|case| case.stored == stored).count() * plan.rounds;
        let passes = if stored == 0 { 1 } else { passes as u64 };
        let history = stored.saturating_mul(payload + ROWS_BYTES);
        let rows = history.saturating_add(measured.saturating_mul(passes));
        let log = rows.saturating_mul(LOGGED_TIMES).min(LOG_BYTES_MAX);
        rows.saturating_add(EMPTY_BYTES + log)
    };
    plan.stored
        .iter()
        .map(database)
        .fold(0, u64::saturating_add)
}

/// For people.
pub(super) fn shown(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(target_os = "linux")]
fn is_memory(directory: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::statfs(directory).is_ok_and(|system| system.f_type as u64 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;

    fn needed_by(options: &[&str]) -> u64 {
        let line = ["postrider", "bench", "--cluster", "1,2", "--clients", "64"];
        let parsed = Cli::try_parse_from([&line[..], options].concat());
        let Command::Bench(args) = parsed.unwrap().command else {
            panic!("it is a bench");
        };
        let plan = args.plan(PathBuf::new(), PathBuf::new(), None);
        plan.check().unwrap();
        needed(&plan)
    }

    #[test]
    fn every_history_needs_its_rows_with_a_bounded_log_and_an_empty_store_one_measurement() {
        let (one, gib) = (needed_by(&["--messages", "1000"]), 1 << 30);
        assert!(
            (EMPTY_BYTES..EMPTY_BYTES + (10 << 20)).contains(&one),
            "{one}"
        );
        assert_eq!(needed_by(&["--messages", "1000", "--rounds", "9"]), one);
        let history = needed_by(&["--messages", "1000", "--stored", "5000000"]);
        assert!((14 * gib..16 * gib).contains(&history), "{history}");
        let both = needed_by(&["--messages", "1000", "--stored", "0,5000000"]);
        assert_eq!(both, history + one);
        let rounds = ["--messages", "1000", "--stored", "5000000", "--rounds", "9"];
        assert!(needed_by(&rounds) > history, "it grows in each round");
        let most = ["--stored", "10000000", "--payload", "16777216"];
        assert!(needed_by(&most) > 100_000 * gib);
    }

    #[test]
    fn memory_is_told_from_disk() {
        assert!(!is_memory(Path::new("/")));
        assert_eq!(directory(false), std::env::temp_dir());
        assert!(free(Path::new("/")).unwrap() > 0);
        assert!(free(Path::new("/absent")).is_err());
        assert_eq!(shown(3 << 29), "1.5 GiB");
    }
}
