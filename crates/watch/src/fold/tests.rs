//! What is equal, for how long, and what becomes of more than is told apart.

use super::*;
use model::id::SecurityEventKey;
use model::security::SubjectKind;

const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn event(kind: SecurityKind, subject: &str, address: &str) -> SecurityEvent {
    let subject = Subject::new(SubjectKind::Endpoint, subject);
    let event = SecurityEvent::new(kind, subject, NOON, "it happened");
    event.from_address(address.parse().ok())
}

fn at(mut event: SecurityEvent, seconds: u64) -> SecurityEvent {
    event.at = NOON.plus(Duration::from_secs(seconds));
    event
}

fn row(number: i64) -> SecurityEventId {
    SecurityEventId::new(SecurityEventKey::from_integer(number), [0; 12])
}

/// Writes all, and gives what it was.
fn write(folding: &mut Folding) -> Vec<SecurityWrite> {
    let (batch, is_more) = folding.unwritten();
    assert!(!is_more, "these are few");
    let writes = batch.iter().map(|(_, write)| write.clone()).collect();
    let rows: Vec<_> = (1..).take(batch.len()).map(row).collect();
    folding.written(batch, &rows);
    writes
}

fn counts(folding: &mut Folding) -> Vec<u64> {
    let writes = write(folding);
    writes.iter().map(|write| write.event.count).collect()
}

#[test]
fn events_are_equal_by_kind_subject_and_network() {
    let kind = SecurityKind::DestinationBlocked;
    let first = || event(kind, "a", "");
    for (other, equal) in [
        (first(), true),
        (at(first(), 1), true),
        (event(SecurityKind::SecretRead, "a", ""), false),
        (event(kind, "b", ""), false),
        (event(kind, "a", "192.0.2.1"), false),
    ] {
        let mut folding = Folding::default();
        folding.take(first());
        folding.take(other.clone());
        let expected: &[u64] = if equal { &[2] } else { &[1, 1] };
        assert_eq!(counts(&mut folding), expected, "{other:?}");
    }
    for (one, other, equal) in [
        ("192.0.2.1", "192.0.2.2", true),
        ("192.0.2.1", "192.0.3.1", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("2001:db8::1", "2001:db8::2:3:4:5", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
    ] {
        let mut folding = Folding::default();
        folding.take(event(kind, "a", one));
        folding.take(event(kind, "a", other));
        let writes = write(&mut folding);
        assert_eq!(writes.len() == 1, equal, "{one} {other}");
    }
}

#[test]
fn what_two_rules_find_of_the_same_is_not_equal() {
    let found = |description: &str| {
        let mut event = event(SecurityKind::TrafficAnomaly, "a", "");
        event.description = description.to_owned();
        event
    };
    let mut folding = Folding::default();
    for text in [
        "volume: 7 is much",
        "volume: 8 is much",
        "silence: 0 is little",
    ] {
        folding.take(found(text));
    }
    assert_eq!(counts(&mut folding), [1, 2]);
}

#[test]
fn the_latest_sample_is_kept_and_what_has_none_takes_it_from_nobody() {
    let one = |seconds, sample: Option<&[u8]>| {
        let event = at(event(SecurityKind::IngestMalformed, "a", ""), seconds);
        event.with_sample(sample.map(Into::into))
    };
    let mut folding = Folding::default();
    for event in [one(1, Some(b"one")), one(2, Some(b"two")), one(3, None)] {
        folding.take(event);
    }
    let (unwritten, _) = folding.unwritten();
    folding.take(one(4, None));
    folding.not_written(unwritten.clone());
    assert_eq!(sample(&mut folding).as_deref(), Some(&b"two"[..]));
    folding.take(one(5, Some(b"three")));
    folding.not_written(unwritten);
    assert_eq!(sample(&mut folding).as_deref(), Some(&b"three"[..]));
    folding.take(one(6, None));
    assert_eq!(sample(&mut folding), None, "what is written has one");
}

/// Writes all of one row, and gives its sample.
fn sample(folding: &mut Folding) -> Option<Sealed> {
    let [write] = <[_; 1]>::try_from(write(folding)).expect("they are equal");
    write.event.sample
}

#[test]
fn a_row_has_its_first_address_and_both_times_and_goes_on_until_the_window_ends() {
    let kind = SecurityKind::AuthenticationFailed;
    let mut folding = Folding::default();
    folding.take(at(event(kind, "a", "2001:db8::1"), 5));
    folding.take(at(event(kind, "a", "2001:db8::2"), 3));
    let [first] = <[_; 1]>::try_from(write(&mut folding)).expect("they are equal");
    assert_eq!(first.onto, None);
    let times = (first.event.first_seen, first.event.last_seen);
    let second = |seconds| NOON.plus(Duration::from_secs(seconds));
    assert_eq!(times, (second(3), second(5)));
    assert_eq!(first.event.remote_address, "2001:db8::1".parse().ok());
    assert_eq!(write(&mut folding), []);

    let window = WINDOW.as_secs();
    for (seconds, onto) in [(window + 4, Some(row(1))), (window + 5, None)] {
        folding.take(at(event(kind, "a", "2001:db8::1"), seconds));
        let writes = write(&mut folding);
        assert_eq!((writes[0].onto, writes[0].event.count), (onto, 1));
    }
}

#[test]
fn what_could_not_be_written_is_written_with_what_happened_since() {
    let kind = SecurityKind::SecretRead;
    let mut folding = Folding::default();
    folding.take(event(kind, "a", ""));
    let (lost, _) = folding.unwritten();
    assert_eq!(lost.len(), 1);
    folding.take(at(event(kind, "a", ""), 1));
    folding.not_written(lost);
    let late = 2 * WINDOW.as_secs();
    folding.take(at(event(kind, "b", ""), late));
    assert_eq!(counts(&mut folding), [2, 1], "and is not forgotten before");
    folding.take(at(event(kind, "b", ""), late + 1));
    assert_eq!(folding.entries.len(), 1, "what is written is");
}

#[test]
fn texts_are_cut_to_what_a_row_takes() {
    let mut long = event(SecurityKind::SecretRead, &"\u{e4}".repeat(2_000), "");
    long.description = "\0".repeat(2_000);
    let mut folding = Folding::default();
    folding.take(long);
    let event = write(&mut folding).remove(0).event;
    assert!(event.subject.id.len() <= TEXT_BYTES_MAX, "{event:?}");
    assert_eq!(event.description, "\u{fffd}".repeat(TEXT_BYTES_MAX));
}
