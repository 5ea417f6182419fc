//! Whether our clock runs apart from everybody else's, by what receivers' `Date` headers say. Pure:
//! whoever makes attempts tells it what they said.
//!
//! One receiver whose clock is wrong is not our skew: most of those that were heard lately have to
//! agree, and they have to be several.

use crate::clock::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// By more than this a clock runs apart.
pub const SKEW_MAX: Duration = Duration::from_secs(30);
/// So many different hosts have to say so.
pub const HOSTS_MIN: usize = 3;
/// So many are listened to.
const HOSTS_MAX: usize = 32;
/// For so long what a host said counts.
const HEARD_FOR: Duration = Duration::from_secs(600);
/// So often it is said at the most.
const SAID_EVERY: Duration = Duration::from_secs(3_600);

/// What hosts have said lately.
#[derive(Debug, Default)]
pub struct SkewRule {
    heard: BTreeMap<String, Heard>,
    said_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    at: Timestamp,
    /// How far our clock is ahead, in microseconds.
    ahead: i64,
}

/// Our clock runs apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// How far it is ahead, in seconds; negative: behind. Half of those who say so say less.
    pub ahead_seconds: i64,
    /// How many hosts say so.
    pub hosts: usize,
}

impl std::fmt::Display for Skew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, hosts) = (self.ahead_seconds.unsigned_abs(), self.hosts);
        let way = if self.ahead_seconds < 0 {
            "behind"
        } else {
            "ahead of"
        };
        write!(
            f,
            "this node's clock is {seconds} s {way} the clocks of {hosts} receivers: signatures \
             carry its time, and receivers refuse what is too old or too new; look at its time \
             synchronisation"
        )
    }
}

impl SkewRule {
    /// Hears what a host's `Date` header said at `now`. `Some`: it is to be reported.
    pub fn hear(&mut self, host: &str, date: Timestamp, now: Timestamp) -> Option<Skew> {
        self.heard
            .retain(|_, heard| between(heard.at, now) < HEARD_FOR);
        let ahead = now.micros().saturating_sub(date.micros());
        let heard = Heard { at: now, ahead };
        if !self.heard.contains_key(host) && self.heard.len() >= HOSTS_MAX {
            // Enough others are heard.
            return None;
        }
        self.heard.insert(host.to_owned(), heard);
        let skew = self.agreed()?;
        let said = self.said_at.replace(now);
        if let Some(at) = said.filter(|at| between(*at, now) < SAID_EVERY) {
            self.said_at = Some(at);
            return None;
        }
        Some(skew)
    }

    /// What most of the hosts say, if it is that our clock runs apart.
    fn agreed(&self) -> Option<Skew> {
        let apart = i64::try_from(SKEW_MAX.as_micros()).unwrap_or(i64::MAX);
        let all = || self.heard.values().map(|heard| heard.ahead);
        let mut ahead: Vec<i64> = all().filter(|ahead| *ahead > apart).collect();
        let mut behind: Vec<i64> = all().filter(|ahead| *ahead < -apart).collect();
        let agreed = match ahead.len() > behind.len() {
            true => &mut ahead,
            false => &mut behind,
        };
        let hosts = agreed.len();
        if hosts < HOSTS_MIN || 2 * hosts <= self.heard.len() {
            return None;
        }
        agreed.sort_unstable();
        Some(Skew {
            ahead_seconds: agreed[hosts / 2] / 1_000_000,
            hosts,
        })
    }
}

/// Clocks are set back, too.
fn between(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_000_000;

    /// What is said last of dates that are so many seconds off ours, each of another host.
    fn last(ahead: &[i64]) -> Option<Skew> {
        let mut rule = SkewRule::default();
        let now = Timestamp::from_seconds(NOON);
        let hosts = ahead.iter().enumerate();
        let said = hosts.map(|(host, ahead)| {
            rule.hear(
                &host.to_string(),
                Timestamp::from_seconds(NOON - ahead),
                now,
            )
        });
        said.flatten().last()
    }

    #[test]
    fn several_hosts_and_most_of_them_have_to_say_that_a_clock_runs_apart() {
        let skew = |ahead_seconds, hosts| {
            Some(Skew {
                ahead_seconds,
                hosts,
            })
        };
        for (ahead, expected) in [
            (&[][..], None),
            (&[3_600], None),
            (&[3_600, 3_600], None),
            (&[31, 40, 50], skew(40, 3)),
            (&[-31, -40, -50], skew(-40, 3)),
            (&[30, 30, 30], None),
            (&[-30, -30, -30, -30], None),
            (&[0, 0, 0, 60, 60, 60], None),
            (&[0, 0, 60, 60, 60], skew(60, 3)),
            (&[-60, 60, -60, 60], None),
            (&[i64::MAX / 1_000_000, 60, 60], skew(60, 3)),
        ] {
            assert_eq!(last(ahead), expected, "{ahead:?}");
        }
    }

    #[test]
    fn one_host_that_says_so_often_is_one() {
        let mut rule = SkewRule::default();
        for second in 0..100 {
            let now = Timestamp::from_seconds(NOON + second);
            let date = now.minus(Duration::from_secs(100));
            assert_eq!(rule.hear("a", date, now), None);
        }
    }

    #[test]
    fn it_is_said_once_an_hour_and_what_was_said_long_ago_does_not_count() {
        let mut rule = SkewRule::default();
        let mut said = Vec::new();
        for minute in 0..130 {
            let now = Timestamp::from_seconds(NOON + 60 * minute);
            let date = now.plus(Duration::from_secs(100));
            let host = (minute % 5).to_string();
            if rule.hear(&host, date, now).is_some() {
                said.push(minute);
            }
        }
        assert_eq!(said, [2, 62, 122]);
        let late = Timestamp::from_seconds(NOON + 1_000_000);
        for host in ["x", "y"] {
            let date = late.plus(Duration::from_secs(100));
            assert_eq!(rule.hear(host, date, late), None);
        }
    }

    #[test]
    fn no_more_hosts_are_remembered_than_are_listened_to() {
        let mut rule = SkewRule::default();
        let now = Timestamp::from_seconds(NOON);
        for host in 0..1_000 {
            rule.hear(&host.to_string(), now, now);
        }
        assert_eq!(rule.heard.len(), HOSTS_MAX);
    }

    #[test]
    fn people_are_told_which_way() {
        let told = |ahead_seconds| {
            let skew = Skew {
                ahead_seconds,
                hosts: 3,
            };
            skew.to_string()
        };
        assert!(told(31).contains("31 s ahead of the clocks of 3 receivers"));
        assert!(told(-31).contains("31 s behind the clocks of 3 receivers"));
    }
}
