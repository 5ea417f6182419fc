//! How many files the system lets this process have open: every connection is one, and 1,024, which
//! is what most systems give at first, is less than a busy node needs.
//!
//! It does not go beyond what the administrator allows (the hard limit).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Clients, the store, name servers, and whatever else is open beside attempts.
const BESIDE_ATTEMPTS: u64 = 1_024;
/// More than any node uses. Systems may refuse to go to a hard limit that says there is none.
const ENOUGH: u64 = 65_536;

/// Raises the process's limit as far as it may be, and warns where that is little for so many
/// attempts in flight.
pub(crate) fn raise_limit(attempts_in_flight_max: usize) {
    let needed = BESIDE_ATTEMPTS.saturating_add(attempts_in_flight_max as u64);
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: raised(limit, needed.max(ENOUGH)),
        ..limit
    };
    if wanted.current != limit.current
        && let Err(error) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::debug!(%error, "the limit of open files can't be raised");
    }
    let has = getrlimit(Resource::Nofile).current;
    if let Some(has) = has.filter(|has| *has < needed) {
        tracing::warn!(
            "this process may have {has} files open, each connection is one, and \
             attempts_in_flight_max is {attempts_in_flight_max}: allow it more (ulimit -n, or \
             LimitNOFILE= of a systemd unit), or set attempts_in_flight_max lower"
        );
    }
}

/// What the limit should be to have `enough`; `None` is no limit.
fn raised(limit: Rlimit, enough: u64) -> Option<u64> {
    let possible = limit.maximum.map_or(enough, |hard| hard.min(enough));
    limit.current.map(|current| current.max(possible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_had_is_taken_and_nothing_is_given_up() {
        let cases = [
            ((Some(1_024), Some(4_096)), Some(4_096)),
            ((Some(1_024), Some(1_048_576)), Some(65_536)),
            ((Some(1_024), None), Some(65_536)),
            ((Some(200_000), Some(1_048_576)), Some(200_000)),
            ((Some(1_024), Some(1_024)), Some(1_024)),
            ((None, None), None),
        ];
        for ((current, maximum), expected) in cases {
            let limit = Rlimit { current, maximum };
            assert_eq!(raised(limit, 65_536), expected, "{limit:?}");
        }
    }
}
