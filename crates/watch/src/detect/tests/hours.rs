//! What is far from usual at an hour of the week.

use super::*;

/// So many each hour, by day and by night, at working days and at weekends.
fn usual(seconds: i64) -> u64 {
    let is_weekend = (seconds - MONDAY).rem_euclid(WEEK) >= 5 * DAY;
    let hour = seconds.rem_euclid(DAY) / HOUR;
    match (is_weekend, (8..20).contains(&hour)) {
        (false, true) => 600,
        (true, true) => 60,
        _ => 0,
    }
}

/// Lets time pass in which it is as usual, but for what is changed.
fn live(
    detection: &mut Detection,
    (from, until): (i64, i64),
    change: impl Fn(i64, u64) -> (u64, u64),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for minute in (from..until).step_by(MINUTE as usize) {
        findings.extend(detection.pass(at(minute)));
        let (total, failed) = change(minute, usual(minute) / 60);
        if total > 0 {
            findings.extend(detection.observe(Observation::Traffic(Traffic {
                of: application(1),
                at: at(minute - MINUTE),
                total,
                failed,
            })));
        }
    }
    findings
}

fn as_usual(_: i64, usual: u64) -> (u64, u64) {
    (usual, 0)
}

/// One that knows so many weeks.
fn knows(weeks: i64) -> Detection {
    let mut detection = Detection::new(Config::default());
    let found = live(&mut detection, (MONDAY, MONDAY + weeks * WEEK), as_usual);
    assert_eq!(found, []);
    detection
}

#[test]
fn much_more_than_usual_at_this_hour_is_told_once_and_by_night_less_is_much() {
    let monday = MONDAY + 4 * WEEK;
    for (begin, more, expected) in [
        (monday + 9 * HOUR, 3, 0),
        (monday + 9 * HOUR, 20, 1),
        (monday + 2 * HOUR, 3, 1),
        (monday + 2 * HOUR, 0, 0),
    ] {
        let mut detection = knows(4);
        let until = begin + 2 * HOUR;
        let is_then = |time| (begin..until).contains(&time);
        let more = |time, usual| (usual + if is_then(time) { more } else { 0 }, 0);
        let found = live(&mut detection, (monday, monday + 20 * HOUR), more);
        assert_eq!(rules(&found), vec!["volume-spike"; expected], "{begin}");
        for finding in found {
            assert_eq!(finding.application, Some(ApplicationKey::from_integer(1)));
            assert!(
                finding
                    .explanation
                    .contains("in this hour of the week, at most")
            );
        }
    }
}

#[test]
fn silence_is_told_where_there_usually_is_something_and_nowhere_else() {
    let monday = MONDAY + 4 * WEEK;
    for (from, until, expected) in [
        (monday + 10 * HOUR, monday + 13 * HOUR, 1),
        (monday + 10 * HOUR, monday + 10 * HOUR + 40 * MINUTE, 0),
        (monday + 21 * HOUR, monday + 30 * HOUR, 0),
    ] {
        let mut detection = knows(4);
        let silent = |time, usual| match (from..until).contains(&time) {
            true => (0, 0),
            false => (usual, 0),
        };
        let found = live(&mut detection, (monday, monday + 2 * DAY), silent);
        assert_eq!(rules(&found), vec!["silence"; expected], "{from}");
        for finding in found {
            let after = finding.at.seconds() - from;
            assert!((50 * MINUTE..70 * MINUTE).contains(&after), "{after}");
        }
    }
}

#[test]
fn what_was_not_watched_is_not_silence() {
    let monday = MONDAY + 4 * WEEK;
    let mut detection = knows(4);
    let found = live(&mut detection, (monday, monday + 10 * HOUR), as_usual);
    assert_eq!(found, []);
    // Nobody tells anything for three hours.
    let back = monday + 13 * HOUR;
    assert_eq!(detection.pass(at(back)), []);
    let none = |_, _| (0, 0);
    assert_eq!(live(&mut detection, (back, back + 55 * MINUTE), none), []);
    let found = live(&mut detection, (back + 55 * MINUTE, back + 2 * HOUR), none);
    assert_eq!(rules(&found), ["silence"]);
}

#[test]
fn little_is_told_of_what_is_hardly_known() {
    for weeks in [0, 1, 2] {
        let monday = MONDAY + weeks * WEEK;
        let mut detection = knows(weeks);
        let none = |_, _| (0, 0);
        assert_eq!(live(&mut detection, (monday, monday + DAY), none), []);
        let much = |_, usual| (usual * 5, usual * 5);
        let found = live(&mut detection, (monday + DAY, monday + 2 * DAY), much);
        let expected = match weeks {
            0 => vec![],
            _ => vec!["failure-rate", "volume-spike"],
        };
        let mut rules = rules(&found);
        rules.sort_unstable();
        assert_eq!(rules, expected, "{weeks} weeks");
    }
}

#[test]
fn much_more_failures_than_usual_are_told_once() {
    let monday = MONDAY + 4 * WEEK;
    for (failing, expected) in [(0, 0), (1, 0), (5, 1), (10, 1)] {
        let mut detection = knows(4);
        let fails = |time: i64, usual: u64| match (time - monday) / HOUR {
            10..12 => (usual, failing.min(usual)),
            _ => (usual, 0),
        };
        let found = live(&mut detection, (monday, monday + DAY), fails);
        assert_eq!(rules(&found), vec!["failure-rate"; expected], "{failing}");
    }
}

#[test]
fn what_is_learnt_of_hours_is_kept_over_a_restart() {
    let monday = MONDAY + 4 * WEEK;
    let detection = knows(4);
    let mut detection = Detection::restore(Config::default(), &detection.save()).unwrap();
    let silent = |time: i64, usual| match (time - monday) / HOUR {
        10..13 => (0, 0),
        _ => (usual, 0),
    };
    let found = live(&mut detection, (monday, monday + DAY), silent);
    assert_eq!(rules(&found), ["silence"]);
}
