//! A deleted application's data key is nowhere in the files of the store, whatever was written
//! before and after it: neither in the place where it was, nor in one that it was moved from.

use crate::support::{SECOND, World};
use model::Entropy;
use model::entropy::random;
use model::id::{ApplicationKey, Tail};
use std::collections::HashSet;
use std::path::Path;
use store::Sealed;
use store::change::{Change, ChangeRequest, Changed};
use store::conformance::{TestEntropy, application};
use store::rows::ApplicationRef;
use store::{Store as _, StoreError};
use store_sqlite::{SqliteConfig, SqliteStore};

const APPLICATIONS: usize = 400;

#[tokio::test]
async fn a_destroyed_data_key_is_in_no_file() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().join("data");
    let world = World::open_inline(&path, SqliteConfig::default());
    let chance = TestEntropy::new(7);
    let mut live = Vec::new();
    let mut destroyed = Vec::new();
    for number in 0..APPLICATIONS {
        let first = data_key(&chance);
        let key = create(&world.store, first.clone(), &chance).await;
        live.push((key, vec![first]));
        // Some are sealed anew, some get a second one, some are deleted, long after they were made.
        let draw: [u8; 2] = random(&chance);
        let at = usize::from(draw[0]) % live.len();
        match (number, draw[1] % 4) {
            (_, 0) => {
                let (key, keys) = live.swap_remove(at);
                change(&world.store, Change::DeleteApplication(key)).await;
                destroyed.extend(keys);
            }
            (_, 1) => {
                let count = live[at].1.len().max(1 + usize::from(draw[0]) % 2);
                let keys: Vec<_> = (0..count).map(|_| data_key(&chance)).collect();
                destroyed.append(&mut live[at].1);
                replace(&world.store, live[at].0, keys.clone()).await;
                live[at].1 = keys;
            }
            _ => {}
        }
    }
    // The log is emptied for many at once.
    world.clock.advance(SECOND);
    let (key, keys) = live.pop().expect("some are left");
    change(&world.store, Change::DeleteApplication(key)).await;
    destroyed.extend(keys);

    assert!(destroyed.len() > 150, "{}", destroyed.len());
    let live: Vec<_> = live.into_iter().flat_map(|(_, keys)| keys).collect();
    assert_eq!(held(&path, &live), live.len());
    assert_eq!(held(&path, &destroyed), 0, "of {}", destroyed.len());
}

/// As long as a real one, and known by every part of it.
fn data_key(chance: &TestEntropy) -> Sealed {
    let mut bytes = vec![0; 85];
    chance.fill(&mut bytes);
    bytes.into()
}

async fn create(store: &SqliteStore, data_key: Sealed, chance: &TestEntropy) -> ApplicationKey {
    let tail: Tail = random(chance);
    let create = Change::CreateApplication {
        application: application(tail),
        data_key,
    };
    match change(store, create).await {
        Changed::Application(row) => row.application.id.key(),
        other => panic!("{other:?}"),
    }
}

async fn replace(store: &SqliteStore, application: ApplicationKey, data_keys: Vec<Sealed>) {
    let found = store.registry(&ApplicationRef::Key(application)).await;
    let found: Result<_, StoreError> = found;
    let row = found.expect("reads go on").expect("it is live").application;
    let replace = Change::ReplaceDataKeys {
        application,
        data_keys,
        revision: row.revision,
    };
    change(store, replace).await;
}

async fn change(store: &SqliteStore, change: Change) -> Changed {
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    };
    store.change(request).await.expect("it can be done")
}

/// How many of these keys the files hold. Eight bytes of one are not there by chance.
fn held(path: &Path, keys: &[Sealed]) -> usize {
    let parts: HashSet<&[u8]> = keys.iter().map(|key| &key[40..48]).collect();
    let mut found = HashSet::new();
    for entry in path.read_dir().expect("a directory") {
        let file = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let windows = file.windows(8).filter(|window| parts.contains(window));
        found.extend(windows.map(<[u8]>::to_vec));
    }
    found.len()
}
