//! What becomes of more than is told apart, and of more than is handed over at a time.

use super::*;
use model::id::SecurityEventKey;
use model::security::SubjectKind;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);
const KINDS: [SecurityKind; 4] = [
    SecurityKind::AuthenticationFailed,
    SecurityKind::IngestMalformed,
    SecurityKind::PinMismatch,
    SecurityKind::SecretRead,
];

fn event(kind: SecurityKind, subject: u8, network: Option<u32>) -> SecurityEvent {
    let subject = Subject::new(SubjectKind::Source, subject);
    let address = network.map(|network| Ipv4Addr::from_bits(network << 8 | 7).into());
    SecurityEvent::new(kind, subject, NOON, "it happened").from_address(address)
}

/// Writes all, and gives what it was.
fn write(folding: &mut Folding) -> Vec<FoldedEvent> {
    let mut written = Vec::new();
    loop {
        let (batch, is_more) = folding.unwritten();
        assert!(batch.len() <= BATCH_MAX);
        let writes = batch.iter().map(|(_, write)| write.event.clone());
        written.extend(writes);
        let rows =
            (1..).map(|row| SecurityEventId::new(SecurityEventKey::from_integer(row), [0; 12]));
        let rows: Vec<_> = rows.take(batch.len()).collect();
        folding.written(batch, &rows);
        if !is_more {
            return written;
        }
    }
}

fn total<'a>(events: impl Iterator<Item = &'a FoldedEvent>) -> u64 {
    events.map(|event| event.count).sum()
}

#[test]
fn a_subject_has_a_thousand_open_folds_and_a_counter_for_each_kind() {
    let (kind, other) = (SecurityKind::IngestMalformed, SecurityKind::IngestReplayed);
    let mut folding = Folding::default();
    for network in 0..5_000 {
        folding.take(event(kind, 1, Some(network)));
    }
    folding.take(event(other, 1, Some(1)));
    folding.take(event(kind, 2, Some(1)));
    folding.take(event(kind, 1, Some(0)));
    let written = write(&mut folding);
    assert_eq!(written.len(), 1_000 + 3);
    assert_eq!(total(written.iter()), 5_003);
    let counted = |kind, subject: &str| {
        let is_it = |event: &&FoldedEvent| {
            event.kind == kind && event.subject.id == subject && event.remote_address.is_none()
        };
        written.iter().find(is_it).map(|event| event.count)
    };
    assert_eq!(counted(kind, "1"), Some(4_000));
    assert_eq!(counted(other, "1"), Some(1), "it is not hidden");
    let apart = written.iter().filter(|event| event.subject.id == "2");
    let apart: Vec<_> = apart.collect();
    assert!(
        apart[0].remote_address.is_some(),
        "others are told apart still"
    );
}

#[test]
fn a_flood_of_one_kind_over_many_subjects_hides_no_other_kind() {
    let mut folding = Folding::default();
    let kind = SecurityKind::IngestMalformed;
    for subject in 0..u8::MAX {
        for network in 0..100 {
            folding.take(event(kind, subject, Some(network)));
        }
    }
    folding.take(event(SecurityKind::PinMismatch, 1, Some(1)));
    let written = write(&mut folding);
    assert_eq!(written.len(), Bounds::default().of_kind + 2);
    let others = written
        .iter()
        .filter(|event| event.subject == Subject::others());
    let others: Vec<_> = others.collect();
    assert_eq!((others.len(), others[0].remote_address), (1, None));
    assert_eq!(total(written.iter()), 25_501);
    let last = written.last().expect("there are some");
    assert!(last.kind == kind || last.subject.id == "1", "{last:?}");
}

#[test]
fn samples_that_are_not_written_yet_are_held_up_to_their_bound() {
    let mut folding = Folding::default();
    folding.bounds.sample_bytes = 100;
    let take = |folding: &mut Folding, network| {
        let event = event(SecurityKind::IngestMalformed, 1, Some(network));
        folding.take(event.with_sample(Some([0; 40].as_slice().into())));
    };
    for network in 0..5 {
        take(&mut folding, network);
    }
    let sampled = |events: Vec<FoldedEvent>| {
        let sampled = events.iter().filter(|event| event.sample.is_some());
        (events.len(), sampled.count())
    };
    assert_eq!(sampled(write(&mut folding)), (5, 2));
    take(&mut folding, 4);
    assert_eq!(
        sampled(write(&mut folding)),
        (1, 1),
        "what is written is not held"
    );
}

#[derive(Debug, Clone)]
enum Step {
    Take(usize, u8, Option<u32>),
    Wait(u64),
    Write,
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    let network = prop::option::of(0..12_u32);
    prop_oneof![
        8 => (0..KINDS.len(), 0..4_u8, network).prop_map(|(kind, of, at)| Step::Take(kind, of, at)),
        1 => (0..400_u64).prop_map(Step::Wait),
        1 => Just(Step::Write),
        1 => Just(Step::Fail),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_all_is_counted_under_its_kind_and_the_bounds_hold(
        steps in prop::collection::vec(step(), 0..300)
    ) {
        let bounds = Bounds { of_subject: 5, of_kind: 9, sample_bytes: 0 };
        let mut folding = Folding { bounds, ..Folding::default() };
        let (mut now, mut taken, mut counted) = (NOON, [0; KINDS.len()], [0; KINDS.len()]);
        let count = |events: Vec<FoldedEvent>, counted: &mut [u64; KINDS.len()]| {
            for event in events {
                let kind = KINDS.iter().position(|kind| *kind == event.kind);
                counted[kind.expect("only these were taken")] += event.count;
            }
        };
        for step in steps {
            match step {
                Step::Take(kind, of, network) => {
                    let mut event = event(KINDS[kind], of, network);
                    event.at = now;
                    folding.take(event);
                    taken[kind] += 1;
                }
                Step::Wait(seconds) => now = now.plus(Duration::from_secs(seconds)),
                Step::Write => count(write(&mut folding), &mut counted),
                Step::Fail => {
                    let (batch, _) = folding.unwritten();
                    folding.not_written(batch);
                }
            }
            let keys = || folding.entries.keys();
            for kind in KINDS {
                let open = keys().filter(|key| key.kind == kind).count();
                prop_assert!(open <= bounds.of_kind + 1, "{open} of {kind:?}");
            }
            let subjects: BTreeSet<_> = keys().map(|key| &key.subject).collect();
            for subject in subjects {
                let open = keys().filter(|key| key.subject == *subject).count();
                prop_assert!(open <= bounds.of_subject + KINDS.len(), "{open} of {subject:?}");
            }
            prop_assert_eq!(folding.of_kinds.values().sum::<usize>(), folding.entries.len());
            prop_assert_eq!(folding.of_subjects.values().sum::<usize>(), folding.entries.len());
        }
        count(write(&mut folding), &mut counted);
        prop_assert_eq!(taken, counted);
    }
}
