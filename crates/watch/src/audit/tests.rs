//! Tests of the chain: whatever is done to a sealed log is found, and what was done to it is said.

mod moving;

use super::*;
use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction};
use model::id::{AuditId, AuditKey, Key};
use model::security::{Subject, SubjectKind};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::StoreError;
use store::audit::{
    AuditEnds, AuditEntry, AuditLog, AuditStart, AuditStates, Checkpoint, KeptEntry, Link,
    SignedCheckpoint,
};

/// A log as somebody who can write to the database has it.
#[derive(Clone)]
struct Kept {
    key: [u8; 32],
    start: Option<AuditStart>,
    entries: Vec<KeptEntry>,
    checkpoints: Vec<Checkpoint>,
    left: u64,
    /// One of its states is being read.
    held: Arc<AtomicBool>,
}

#[async_trait]
impl AuditStates for Kept {
    async fn now(&mut self) -> Result<Box<dyn AuditLog + '_>, StoreError> {
        self.held.store(true, Ordering::Relaxed);
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl AuditLog for Kept {
    async fn end(self: Box<Self>) -> Result<(), StoreError> {
        self.held.store(false, Ordering::Relaxed);
        Ok(())
    }
    async fn setting(&mut self, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
    async fn ends(&mut self) -> Result<AuditEnds, StoreError> {
        Ok(AuditEnds {
            start: self.start,
            checkpoint: self.checkpoints.last().copied(),
        })
    }
    async fn sealed(&mut self, after: u64, limit: usize) -> Result<Vec<KeptEntry>, StoreError> {
        let behind = |entry: &&KeptEntry| entry.link.is_some_and(|link| link.position > after);
        let mut found: Vec<_> = self.entries.iter().filter(behind).cloned().collect();
        found.sort_by_key(|entry| entry.link.map(|link| link.position));
        found.truncate(limit);
        Ok(found)
    }
    async fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.entries.len() as u64)
    }
    async fn left(&mut self) -> Result<u64, StoreError> {
        Ok(self.left)
    }
    async fn outside(
        &mut self,
        head: u64,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        let chain = 1..=head;
        let outside = |link: Link| !chain.contains(&link.position);
        let outside = |entry: &&KeptEntry| entry.link.is_none_or(outside);
        let behind = |entry: &&KeptEntry| entry.id.key() > after;
        let found = self.entries.iter().filter(outside).filter(behind);
        let mut found: Vec<_> = found.cloned().collect();
        found.sort_by_key(|entry| entry.id.key());
        found.truncate(limit);
        Ok(found)
    }
    async fn checkpoints(
        &mut self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        let behind = self.checkpoints.iter().filter(|one| one.position > after);
        Ok(behind.take(limit).copied().collect())
    }
}

impl Kept {
    /// A log with checkpoints over so many entries each, and one entry that is not sealed yet.
    fn sealed(sizes: &[usize]) -> Self {
        let mut log = Self {
            key: public_key(),
            start: None,
            entries: Vec::new(),
            checkpoints: Vec::new(),
            left: 0,
            held: Arc::default(),
        };
        for size in sizes {
            let first = log.entries.len();
            log.entries.extend((first..first + size).map(entry));
            log.seal();
        }
        log.entries.push(entry(log.entries.len()));
        log
    }

    /// Seals all entries that are not, under one checkpoint.
    fn seal(&mut self) {
        self.chain();
        let last = self.entries.last().and_then(|entry| entry.link);
        let Link { position, hash } = last.expect("it has entries");
        let before = self.checkpoints.last().map_or(0, |one| one.position);
        let checkpoint = Checkpoint {
            position,
            hash,
            count: position - before,
            start: self.start.map_or(1, |start| start.position),
            at: Timestamp::from_seconds(position as i64),
            signature: [0; 64],
        };
        self.checkpoints.push(Checkpoint {
            signature: sign(&checkpoint_bytes(&checkpoint)),
            ..checkpoint
        });
    }

    /// Takes away what the first checkpoint is over, as retention does.
    fn cut(&mut self) {
        let first = self.checkpoints.remove(0);
        self.entries.drain(..first.count as usize);
        let start = AuditStart {
            position: first.position + 1,
            before: first.hash,
            at: first.at,
            signature: [0; 64],
        };
        self.start = Some(AuditStart {
            signature: sign(&start_bytes(&start)),
            ..start
        });
    }

    /// Gives positions and hashes to all entries from the first on, but the last where it waits.
    fn chain(&mut self) {
        let start = self.start.as_ref();
        let mut hash = start.map_or_else(|| genesis(&self.key), |start| start.before);
        let first = start.map_or(1, |start| start.position);
        for (position, entry) in (first..).zip(&mut self.entries) {
            hash = link(&hash, position, &entry.text);
            entry.link = Some(Link { position, hash });
        }
    }

    /// Chains anew all but what waits.
    fn chain_sealed(&mut self) {
        let waiting = self.entries.pop().expect("one waits");
        self.chain();
        self.entries.push(waiting);
    }

    fn verify(&self, outside: &[Checkpoint]) -> Report {
        let public_key = self.key;
        let outside: Vec<_> = outside
            .iter()
            .map(|checkpoint| SignedCheckpoint {
                checkpoint: *checkpoint,
                public_key,
            })
            .collect();
        let mut log = self.clone();
        let verified = futures(verify_log(&mut log, public_key, &outside));
        let verified = verified.expect("a log in memory is read");
        let mut exported = Vec::new();
        futures(export(&mut log, public_key, &mut exported)).expect("a vector takes all");
        let offline = verify_export(&exported[..], public_key, &outside);
        let offline = offline.expect("it was just exported");
        let columns = |finding: &&Finding| matches!(finding, Finding::Contradicted(..));
        let told = |finding: &&Finding| !columns(finding) && !matches!(finding, Finding::Hidden(_));
        let of = |report: &Report| {
            report
                .findings
                .iter()
                .filter(told)
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&offline), of(&verified), "an export tells the same");
        verified
    }
}

/// Nothing here waits for anything.
fn futures<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("it needs nothing").block_on(future)
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed")
}

fn public_key() -> [u8; 32] {
    let bytes = pair().public_key().as_ref().try_into();
    bytes.expect("it has 32 bytes")
}

fn sign(bytes: &[u8]) -> [u8; 64] {
    let bytes = pair().sign(bytes).as_ref().try_into();
    bytes.expect("it has 64 bytes")
}

fn entry(number: usize) -> KeptEntry {
    let entry = AuditEntry {
        id: AuditId::new(Key::from_integer(1_000 + number as i64), [1; 12]),
        at: Timestamp::from_seconds(number as i64),
        actor: Actor {
            kind: ActorKind::Command,
            subject: "org_1".to_owned(),
            credential: None,
            remote_address: None,
        },
        action: AuditAction::ApplicationUpdated,
        subject: Subject::new(SubjectKind::Application, number),
        application: None,
        detail: String::new(),
    };
    KeptEntry {
        id: entry.id,
        text: entry.text(),
        listed: entry.listed(),
        link: None,
    }
}

fn other_text(entry: &KeptEntry) -> String {
    entry
        .text
        .replace("\"detail\":\"\"", "\"detail\":\"another\"")
}

#[test]
fn what_is_hashed_and_signed_is_what_the_documentation_says() {
    let before = genesis(&[1; 32]);
    let hex = store::audit::hex;
    assert_eq!(
        hex(&before),
        "d3889baf89f6ccd65c26c9389dde3f3e7635bf9a8df0d73c880eaab804959a3c"
    );
    assert_eq!(
        hex(&link(&before, 1, "{}")),
        "40f29887b693b956934aaeb637e69672e947c7f2db694e9dd9890758274a957c"
    );
}

#[test]
fn an_untouched_log_is_whole_up_to_its_head_and_no_more_is_claimed() {
    let mut log = Kept::sealed(&[3, 1, 2]);
    let (old, latest) = (log.checkpoints[0], log.checkpoints[2]);
    let expected = Report {
        findings: Vec::new(),
        more: false,
        first: 1,
        head: 6,
        checkpoints: 3,
        waiting: 1,
        confirmed: None,
        too_old: 0,
    };
    assert_eq!(log.verify(&[]), expected);
    let confirmed = |position| Report {
        confirmed: Some(position),
        ..expected.clone()
    };
    assert_eq!(log.verify(&[old]), confirmed(3));
    assert_eq!(log.verify(&[latest, old, latest]), confirmed(6));
    log.left = 2;
    let waiting = Report {
        waiting: 3,
        ..expected.clone()
    };
    assert_eq!(log.verify(&[]), waiting, "what is beside it waits, too");
    log.left = 0;

    log.cut();
    let cut = Report {
        first: 4,
        checkpoints: 2,
        ..confirmed(3)
    };
    assert_eq!(log.verify(&[old]), cut, "the start goes on from it");
    log.cut();
    let too_old = Report {
        first: 5,
        checkpoints: 1,
        confirmed: None,
        too_old: 1,
        ..cut
    };
    assert_eq!(log.verify(&[old]), too_old);
}

#[test]
fn it_is_said_which_entry_was_changed_removed_inserted_or_moved() {
    let log = Kept::sealed(&[3, 3]);
    let id = |place: usize| log.entries[place].id.to_string();
    let found = |tamper: &dyn Fn(&mut Kept)| {
        let mut log = log.clone();
        tamper(&mut log);
        log.verify(&[]).findings
    };
    let changed = found(&|log| log.entries[1].text = other_text(&log.entries[1]));
    assert_eq!(changed, [Finding::Changed(2, id(1))]);
    let listed = found(&|log| log.entries[1].listed.action.push('x'));
    assert_eq!(listed, [Finding::Contradicted(id(1), "action")]);
    let removed = found(&|log| drop(log.entries.remove(1)));
    assert_eq!(removed, [Finding::Missing(2, 2)]);
    let at_end = found(&|log| drop(log.entries.drain(4..6)));
    assert_eq!(at_end, [Finding::Missing(5, 6)]);
    let behind = found(&|log| {
        log.entries[6].link = Some(Link {
            position: 7,
            hash: link(&log.checkpoints[1].hash, 7, &log.entries[6].text),
        });
    });
    assert_eq!(behind, [Finding::Unsigned(7, 7)]);
    let nowhere = found(&|log| {
        let hash = [0; 32];
        log.entries[6].link = Some(Link { position: 0, hash });
    });
    assert_eq!(nowhere, [Finding::Inserted(id(6))]);
    let moved = found(&|log| {
        let (one, other) = (log.entries[0].link, log.entries[1].link);
        (log.entries[0].link, log.entries[1].link) = (other, one);
    });
    let expected = [Finding::Changed(1, id(1)), Finding::Changed(2, id(0))];
    assert_eq!(moved, expected);
    let rewritten = found(&|log| {
        log.entries[1].text = other_text(&log.entries[1]);
        log.chain_sealed();
    });
    assert_eq!(
        rewritten,
        [Finding::Rewritten(1, 3), Finding::Rewritten(4, 6)]
    );
}

#[test]
fn it_is_said_what_was_done_to_checkpoints_and_start() {
    let mut log = Kept::sealed(&[2, 2, 2]);
    let latest = log.checkpoints[2];
    log.cut();
    let found = |tamper: &dyn Fn(&mut Kept)| {
        let mut log = log.clone();
        tamper(&mut log);
        log.verify(&[latest]).findings
    };
    assert_eq!(found(&|_| {}), []);
    let changed = found(&|log| log.checkpoints[0].at = Timestamp::MIN);
    assert_eq!(changed, [Finding::Forged(4)]);
    let removed = found(&|log| {
        log.checkpoints.remove(0);
    });
    assert_eq!(removed, [Finding::CheckpointsMissing(2, 6)]);
    let cut = found(&|log| {
        log.checkpoints.pop();
        log.entries.drain(2..4);
    });
    assert_eq!(cut, [Finding::Cut(4, 6)]);
    let started = found(&|log| log.start = None);
    assert_eq!(started[0], Finding::Missing(1, 2));
    let forged = found(&|log| {
        let before = log.checkpoints[0].hash;
        log.entries.drain(..2);
        log.checkpoints.remove(0);
        log.start = Some(AuditStart {
            position: 5,
            before,
            at: latest.at,
            signature: [0; 64],
        });
    });
    assert_eq!(forged, [Finding::StartForged(5)]);
    let other = Checkpoint {
        hash: [0; 32],
        ..latest
    };
    assert_eq!(log.verify(&[other]).findings, [Finding::OutsideForged(6)]);
    let unlike = Checkpoint {
        signature: sign(&checkpoint_bytes(&other)),
        ..other
    };
    let contradicted = log.verify(&[unlike]).findings;
    assert_eq!(contradicted, [Finding::OutsideContradicted(6)]);
}

#[test]
fn an_export_that_was_cut_or_is_of_another_key_is_refused() {
    let mut log = Kept::sealed(&[2]);
    let mut exported = Vec::new();
    futures(export(&mut log, public_key(), &mut exported)).expect("a vector takes all");
    let text = String::from_utf8(exported).expect("it is JSON");
    let cut = text.rsplit_once("{\"").expect("it has lines").0;
    let refused = verify_export(cut.as_bytes(), public_key(), &[]);
    assert!(
        matches!(refused, Err(ExportError::NotComplete)),
        "{refused:?}"
    );
    let refused = verify_export(text.as_bytes(), [9; 32], &[]);
    assert!(
        matches!(refused, Err(ExportError::OtherKey(_))),
        "{refused:?}"
    );
    let damaged = text.replacen("waiting", "weighing", 1);
    let refused = verify_export(damaged.as_bytes(), public_key(), &[]);
    assert!(matches!(refused, Err(ExportError::Line(5))), "{refused:?}");
}

/// What somebody can do who can write to the database, and has not the key.
#[derive(Debug, Clone)]
enum Tampering {
    Change(Index),
    ChangeWithHash(Index),
    ChangeWithAllHashes(Index),
    List(Index),
    Remove(Index),
    RemoveAndClose(Index),
    Insert(Index),
    Swap(Index, Index),
    Checkpoint(Index),
    RemoveCheckpoint(Index),
    CutTail(Index),
    RemoveStart,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Tampering::Change),
        index().prop_map(Tampering::ChangeWithHash),
        index().prop_map(Tampering::ChangeWithAllHashes),
        index().prop_map(Tampering::List),
        index().prop_map(Tampering::Remove),
        index().prop_map(Tampering::RemoveAndClose),
        index().prop_map(Tampering::Insert),
        (index(), index()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        index().prop_map(Tampering::Checkpoint),
        index().prop_map(Tampering::RemoveCheckpoint),
        index().prop_map(Tampering::CutTail),
        Just(Tampering::RemoveStart),
    ]
}

impl Tampering {
    fn apply(&self, log: &mut Kept) {
        let sealed = log.entries.len() - 1;
        match self {
            Self::Change(index)
            | Self::ChangeWithHash(index)
            | Self::ChangeWithAllHashes(index) => {
                let place = index.index(sealed);
                log.entries[place].text = other_text(&log.entries[place]);
                match self {
                    Self::ChangeWithAllHashes(_) => log.chain_sealed(),
                    Self::ChangeWithHash(_) => {
                        let mut anew = log.clone();
                        anew.chain_sealed();
                        log.entries[place].link = anew.entries[place].link;
                    }
                    _ => {}
                }
            }
            Self::List(index) => log.entries[index.index(sealed)].listed.actor.push('x'),
            Self::Remove(index) => drop(log.entries.remove(index.index(sealed))),
            Self::RemoveAndClose(index) => {
                log.entries.remove(index.index(sealed));
                log.chain_sealed();
            }
            Self::Insert(index) => {
                log.entries.insert(index.index(sealed), entry(5_000));
                log.chain_sealed();
            }
            Self::Swap(one, other) => {
                let (one, other) = (one.index(sealed), other.index(sealed));
                // Two that are the same are no two.
                let other = if one == other {
                    (one + 1) % sealed
                } else {
                    other
                };
                let (first, second) = (log.entries[one].link, log.entries[other].link);
                (log.entries[one].link, log.entries[other].link) = (second, first);
            }
            Self::Checkpoint(index) => {
                let place = index.index(log.checkpoints.len());
                log.checkpoints[place].hash[0] ^= 1;
            }
            Self::RemoveCheckpoint(index) => {
                log.checkpoints.remove(index.index(log.checkpoints.len()));
            }
            Self::CutTail(index) => {
                log.checkpoints.truncate(index.index(log.checkpoints.len()));
                let start = log.start.map_or(0, |start| start.position - 1);
                let head = log.checkpoints.last().map_or(start, |one| one.position);
                let kept = |entry: &KeptEntry| entry.link.is_some_and(|l| l.position <= head);
                log.entries.retain(kept);
            }
            Self::RemoveStart => log.start = None,
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_sealed_log_is_found(
        sizes in proptest::collection::vec(1_usize..6, 3..6),
        cut in any::<bool>(),
        tampering in tampering(),
    ) {
        let mut log = Kept::sealed(&sizes);
        if cut || matches!(tampering, Tampering::RemoveStart) {
            log.cut();
        }
        let latest = log.checkpoints[log.checkpoints.len() - 1];
        let whole = log.verify(&[latest]);
        prop_assert!(whole.findings.is_empty(), "{:?}", whole);
        prop_assert_eq!(whole.confirmed, Some(latest.position));
        tampering.apply(&mut log);
        let report = log.verify(&[latest]);
        prop_assert!(!report.findings.is_empty(), "{:?}", report);
    }
}
