//! Tables of what is sent when, and what holds whatever comes.

use super::*;
use model::Timestamp;
use model::alerts::Destination;
use model::security::{SecurityKind, Subject, SubjectKind};
use proptest::prelude::*;

const FAILED: SecurityKind = SecurityKind::AuthenticationFailed;
const PIN: SecurityKind = SecurityKind::PinMismatch;
const INFO: SecurityKind = SecurityKind::SecretRead;

fn pace(dedup: u64, digest: u64, at_once: u16) -> Pace {
    Pace {
        dedup: Duration::from_secs(dedup),
        digest: Duration::from_secs(digest),
        at_once,
    }
}

fn desk(pace: Pace) -> Desk {
    let channel = Channel {
        to: Destination::Email(Vec::new()),
        min_severity: Severity::Warning,
        kinds: None,
    };
    Desk::new(channel, pace)
}

fn heard(kind: SecurityKind, subject: usize, count: u64) -> Heard {
    Heard {
        kind,
        severity: kind.severity(),
        subject: Subject::new(SubjectKind::Application, subject),
        remote_address: None,
        count,
        first_seen: Timestamp::from_seconds(1),
        last_seen: Timestamp::from_seconds(2),
        description: "it happened".to_owned(),
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn count(letter: &Letter) -> u64 {
    match letter {
        Letter::One(heard) => heard.count,
        Letter::Digest(tally) => tally.count(),
    }
}

#[test]
fn the_first_goes_out_at_once_and_the_same_is_counted_until_its_silence_ends() {
    let mut desk = desk(pace(3_600, 900, 5));
    let first = heard(FAILED, 1, 1);
    assert_eq!(desk.take(first.clone(), at(0)), Some(Letter::One(first)));
    for second in 1..=5 {
        assert_eq!(desk.take(heard(FAILED, 1, 1), at(second)), None);
    }
    assert_eq!(desk.due_at(), Some(at(3_600)));
    assert_eq!(desk.due(at(3_599)), None);
    let digest = desk.due(at(3_600)).expect("its silence is over");
    assert_eq!(count(&digest), 5);
    assert_eq!((desk.due_at(), desk.due(at(9_999))), (None, None));
}

#[test]
fn ten_times_as_much_as_was_told_does_not_wait_for_the_end_of_its_silence() {
    let mut desk = desk(pace(3_600, 900, 5));
    assert!(desk.take(heard(FAILED, 1, 3), at(0)).is_some());
    desk.take(heard(FAILED, 1, 29), at(10));
    assert_eq!(desk.due_at(), Some(at(3_600)));
    desk.take(heard(FAILED, 1, 1), at(20));
    assert_eq!(desk.due_at(), Some(at(920)));
    assert_eq!(desk.due(at(920)).map(|letter| count(&letter)), Some(30));
    // Of what a digest has told, as much again is nothing to hurry for.
    desk.take(heard(FAILED, 1, 30), at(930));
    assert_eq!(desk.due_at(), Some(at(920 + 3_600)));
}

#[test]
fn beyond_so_many_at_once_the_rest_comes_as_one_digest() {
    let mut desk = desk(pace(3_600, 900, 3));
    let letters: Vec<_> = (0..50)
        .filter_map(|subject| desk.take(heard(FAILED, subject, 2), at(subject as u64)))
        .collect();
    assert_eq!(letters.len(), 3);
    assert_eq!(desk.due(at(902)), None);
    let Some(Letter::Digest(digest)) = desk.due(at(903)) else {
        panic!("it is due 900 seconds after the fourth");
    };
    assert_eq!(digest.kinds(), [(FAILED, 94)]);
    assert_eq!(digest.worst().len(), 47);
    assert_eq!(desk.due(at(9_999)), None);
}

#[test]
fn what_is_critical_has_room_of_its_own() {
    let mut desk = desk(pace(3_600, 900, 2));
    for subject in 0..20 {
        desk.take(heard(FAILED, subject, 1), at(0));
    }
    assert!(desk.take(heard(PIN, 1, 1), at(1)).is_some());
    assert!(desk.take(heard(PIN, 2, 1), at(1)).is_some());
    assert!(desk.take(heard(PIN, 3, 1), at(1)).is_none());
}

#[test]
fn what_a_digest_has_told_is_not_told_by_itself_right_after_it() {
    let mut desk = desk(pace(3_600, 900, 1));
    desk.take(heard(FAILED, 1, 1), at(0));
    desk.take(heard(FAILED, 2, 1), at(0));
    assert!(desk.due(at(900)).is_some());
    assert_eq!(desk.take(heard(FAILED, 2, 1), at(901)), None);
    assert!(desk.take(heard(FAILED, 3, 1), at(901)).is_some());
}

#[test]
fn what_is_not_wanted_is_not_even_counted() {
    let mut desk = desk(pace(3_600, 900, 5));
    assert_eq!(desk.take(heard(INFO, 1, 9), at(0)), None);
    assert_eq!(desk.rest(at(1)), None);
}

#[test]
fn what_was_not_taken_comes_again_with_the_next_digest() {
    let mut desk = desk(pace(3_600, 900, 5));
    let letter = desk.take(heard(FAILED, 1, 4), at(0)).expect("the first");
    desk.returned(letter, at(30));
    assert_eq!(desk.due_at(), Some(at(930)));
    let digest = desk.due(at(930)).expect("it is due");
    assert_eq!(count(&digest), 4);
    desk.returned(digest, at(940));
    assert_eq!(desk.due(at(1_829)), None);
    assert_eq!(desk.due(at(1_840)).map(|letter| count(&letter)), Some(4));
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut desk = desk(pace(86_400, 10, 100));
    for n in 0..5_000_u64 {
        desk.take(heard(FAILED, n as usize, 1), at(n));
        desk.due(at(n));
    }
    assert!(desk.told.len() <= REMEMBERED_MAX);
    assert!(desk.held.worst().len() <= super::super::tally::TOLD_APART_MAX);
}

fn incidents() -> impl Strategy<Value = Vec<(u64, usize, usize, u64, bool)>> {
    let one = (
        0..400_u64,
        0..3_usize,
        0..40_usize,
        1..50_u64,
        any::<bool>(),
    );
    proptest::collection::vec(one, 1..400)
}

proptest! {
    #[test]
    fn no_channel_is_flooded_and_nothing_that_was_counted_is_lost(
        incidents in incidents(),
        at_once in 1..6_u16,
        digest in 60..1_200_u64,
        dedup in 10..7_200_u64,
    ) {
        let mut desk = desk(pace(dedup, digest, at_once));
        let (mut now, mut sent, mut told, mut all) = (0, Vec::new(), 0, 0);
        for (wait, kind, subject, times, arrives) in incidents {
            now += wait;
            let kind = [FAILED, PIN, INFO][kind];
            all += if kind == INFO { 0 } else { times };
            let letters = [desk.take(heard(kind, subject, times), at(now)), desk.due(at(now))];
            for letter in letters.into_iter().flatten() {
                sent.push(now);
                match arrives {
                    true => told += count(&letter),
                    false => desk.returned(letter, at(now)),
                }
            }
        }
        told += desk.rest(at(now)).map_or(0, |letter| count(&letter));
        prop_assert_eq!(told, all);
        // In each hour: what goes at once, twice, in each time of a digest that it touches, and a
        // digest each.
        let times = 3_600_u64.div_ceil(digest) + 1;
        let most = times * (2 * u64::from(at_once) + 1);
        for (index, begin) in sent.iter().enumerate() {
            let within = sent[index..].iter().take_while(|at| **at < begin + 3_600).count();
            prop_assert!(within as u64 <= most, "{} within an hour, not {}", within, most);
        }
    }
}
