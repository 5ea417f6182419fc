//! A master key gives way to another on several nodes: only when all of them have both.

use std::fs;

use crate::cluster::{Cluster, text};
use serde_json::json;

#[tokio::test]
async fn nothing_is_sealed_by_a_key_that_a_node_lacks_and_nodes_need_no_restart() {
    let cluster = Cluster::new().await;
    let other_keys = cluster.home().join("other");
    fs::create_dir(&other_keys).expect("a directory");
    let copy = |names: &[&str]| {
        for name in names {
            fs::copy(cluster.keys().join(name), other_keys.join(name)).expect("a key");
        }
    };
    copy(&["master.key", "token.key"]);
    let mut first = cluster.node().await;
    let options = cluster.options().data_dir(&other_keys);
    let mut second = cluster.node_with(options).await;
    let api = first.api().await;
    api.applications(50).await;
    api.application("shop").await;
    let made = json!({"url": "https://hooks.example.com"});
    let endpoint = api.endpoint("shop", &made).await;
    let secret = api.secret("shop", &endpoint).await;

    let early = cluster.run(&["keys", "rotate"]).await;
    early.expect(3).complains_of("too early");
    let of_second = api.of(&second.url());
    of_second.application("by-second").await;
    copy(&["master.key", "previous-master.key"]);
    let said = cluster.run(&["keys", "rotate"]).await;
    assert!(said.expect(0).text().contains("needed no more"), "{said:?}");
    for (api, uid) in [(&api, "first-later"), (&of_second, "second-later")] {
        assert_eq!(api.secret("shop", &endpoint).await, secret);
        api.application(uid).await;
    }

    for directory in [&cluster.keys(), &other_keys] {
        let previous = directory.join("previous-master.key");
        fs::rename(previous, cluster.home().join("safe")).expect("it is there");
    }
    for node in [&mut first, &mut second] {
        assert!(node.terminate().await.success(), "{}", text(node.home()));
        node.restart().await;
    }
    assert_eq!(of_second.secret("shop", &endpoint).await, secret);
}
