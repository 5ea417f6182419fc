//! The sealer at work on a real store: it goes on from what is there, whoever sealed that, and
//! takes away what has reached its age, so that what is left is whole by itself.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use model::audit::{Actor, ActorKind, AuditAction, AuditDraft, AuditSubject};
use model::security::{Subject, SubjectKind};
use model::{Clock as _, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use store::Store as _;
use store::audit::{AuditStates as _, SignedCheckpoint};
use store::change::{Change, ChangeRequest};
use store::conformance::{TestClock, TestEntropy};
use store_sqlite::{AuditReader, DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tempfile::TempDir;
use watch::audit::{Report, Sealer, SigningKey, verify_log};

const DAY: Duration = Duration::from_secs(86_400);

struct Key(Ed25519KeyPair);

impl SigningKey for Key {
    fn public_key(&self) -> [u8; 32] {
        let bytes = self.0.public_key().as_ref().try_into();
        bytes.expect("it has 32 bytes")
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let bytes = self.0.sign(bytes).as_ref().try_into();
        bytes.expect("it has 64 bytes")
    }
}

fn key() -> Key {
    Key(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed"))
}

struct World {
    store: Arc<SqliteStore>,
    clock: Arc<TestClock>,
    home: TempDir,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(home.path()).expect("a directory of its own");
        let clock = Arc::new(TestClock::default());
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::new(1)),
        };
        let config = SqliteConfig::default();
        let store = SqliteStore::open_inline(directory, config, surroundings).expect("it opens");
        Self {
            store: Arc::new(store),
            clock,
            home,
        }
    }

    fn sealer(&self) -> Sealer {
        Sealer::new(self.store.clone(), Box::new(key()), self.clock.clone())
    }

    async fn write(&self, count: usize) {
        for _ in 0..count {
            let draft = AuditDraft {
                at: self.clock.now(),
                actor: Actor {
                    kind: ActorKind::System,
                    subject: "rule".to_owned(),
                    credential: None,
                    remote_address: None,
                },
                action: AuditAction::ApplicationUpdated,
                subject: AuditSubject::Known(Subject::new(SubjectKind::Node, "a")),
                application: None,
                detail: String::new(),
            };
            let request = ChangeRequest {
                change: Change::Note,
                idempotency: None,
                audit: Some(draft),
            };
            self.store.change(request).await.expect("it can write");
        }
    }

    async fn seal(&self) -> SignedCheckpoint {
        let sealed = self.sealer().seal().await.expect("it can write");
        sealed.expect("there is something to seal")
    }

    async fn cut(&self, before: Timestamp) -> bool {
        self.sealer().cut(before).await.expect("it can write")
    }

    async fn verify(&self, outside: &[SignedCheckpoint]) -> Report {
        let mut log = AuditReader::open(self.home.path()).expect("beside the store");
        let mut log = log.now().await.expect("it reads");
        let report = verify_log(&mut *log, key().public_key(), outside).await;
        let report = report.expect("reads go on");
        assert_eq!(report.findings, []);
        report
    }
}

#[tokio::test]
async fn whoever_seals_goes_on_from_what_is_sealed() {
    let world = World::new();
    assert_eq!(world.sealer().seal().await.expect("it reads"), None);
    world.write(2).await;
    let first = world.seal().await.checkpoint;
    assert_eq!((first.position, first.count, first.start), (2, 2, 1));
    assert_eq!(world.sealer().seal().await.expect("it reads"), None);
    world.write(1).await;
    let second = world.seal().await;
    assert_eq!(
        (second.checkpoint.position, second.checkpoint.count),
        (3, 1)
    );
    world.write(1).await;
    let report = world.verify(&[second]).await;
    assert_eq!(
        (report.head, report.waiting, report.confirmed),
        (3, 1, Some(3))
    );
}

#[tokio::test]
async fn what_has_reached_its_age_is_cut_and_the_rest_is_whole() {
    let world = World::new();
    let mut sealed = Vec::new();
    for _ in 0..3 {
        world.write(2).await;
        sealed.push(world.seal().await);
        world.clock.advance(DAY);
    }
    let third = sealed[2].checkpoint.at;
    assert!(
        !world.cut(sealed[0].checkpoint.at).await,
        "nothing is older"
    );
    assert!(world.cut(third).await);
    assert!(!world.cut(third).await, "it is gone");
    let report = world.verify(&sealed).await;
    assert_eq!((report.first, report.head), (5, 6));
    assert_eq!((report.confirmed, report.too_old), (Some(6), 1));

    assert!(world.cut(world.clock.now()).await, "all of it");
    let report = world.verify(&sealed[2..]).await;
    assert_eq!(
        (report.first, report.head, report.confirmed),
        (7, 6, Some(6))
    );
    world.write(1).await;
    let next = world.seal().await;
    assert_eq!((next.checkpoint.position, next.checkpoint.start), (7, 7));
    assert_eq!(world.verify(&[next]).await.confirmed, Some(7));
}
