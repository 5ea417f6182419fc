//! Reads that take long don't stand in the way of messages.

use super::*;
use crate::{SqliteConfig, Surroundings};
use std::sync::mpsc;
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};

#[tokio::test]
async fn a_claim_does_not_wait_for_lists_nor_a_list_for_a_backup() {
    let home = tempfile::tempdir().unwrap();
    let surroundings = Surroundings {
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(TestEntropy::new(1)),
    };
    let directory = DataDirectory::lock(home.path()).unwrap();
    let config = SqliteConfig::default();
    let lists = config.readers;
    let (store, _writer, _checkpoints) =
        SqliteStore::open(directory, config, surroundings).unwrap();

    // As many reads that take long as there are places for, and a copy beside them.
    let (mut ends, mut running) = (Vec::new(), Vec::new());
    for place in 0..=lists {
        let ((begun, has_begun), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
        let readers = store.readers.clone();
        let work = move |_: &_| {
            begun.send(()).unwrap();
            let _ = ended.recv();
            Ok(())
        };
        running.push(tokio::spawn(async move {
            match place {
                0 => readers.apart(work).await,
                _ => readers.with(work).await,
            }
        }));
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap())
            .await
            .unwrap();
        ends.push(end);
    }
    let way = async {
        let lane = Lane {
            application: ApplicationKey::MIN,
            endpoint: EndpointKey::MIN,
        };
        assert!(
            store
                .claim(lane, Timestamp::MAX, 1)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(store.lanes(EndpointKey::MIN, 1).await.unwrap().is_empty());
        let nobody = ApplicationRef::Key(ApplicationKey::MIN);
        assert!(store.registry(&nobody).await.unwrap().is_none());
        assert!(store.prior(&[[0; 16]]).await.unwrap().is_none());
    };
    let way = tokio::time::timeout(Duration::from_secs(20), way).await;
    drop(ends);
    for read in running {
        read.await.unwrap().unwrap();
    }
    way.expect("they have places of their own");
}
