//! Whether what a server commits is on a standby before it is answered, and waiting until it is.

use std::process::Command;

/// Fails while no standby has every commit before it is answered.
pub(crate) const SYNCHRONOUS: &str =
    "SELECT 1 / (count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')
     AND state = 'streaming') * (current_setting('synchronous_commit') = 'on')::integer)
 FROM pg_stat_replication";
/// Waits until a command succeeds: for two minutes at most, on a slow machine.
const WAIT: &str = "tries=0
until \"$@\" >/dev/null 2>&1; do
  [ $tries -lt 1200 ] || exit 1
  tries=$((tries + 1))
  sleep 0.1
done";

/// Waits until a command succeeds. Whether it did.
pub(crate) fn comes(asked: &Command) -> bool {
    let mut waiting = Command::new("sh");
    waiting
        .args(["-c", WAIT, "sh"])
        .arg(asked.get_program())
        .args(asked.get_args());
    waiting.status().expect("every system has sh").success()
}
