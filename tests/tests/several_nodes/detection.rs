//! What detection has learnt is one value for all nodes: read at a node's start, and kept whole by
//! whoever keeps it last.

use e2e::{Api, Call, Server, eventually};
use http::Method;

use crate::cluster::{Cluster, text};

const HERE: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.8";

#[tokio::test]
async fn a_node_begins_with_what_the_last_to_keep_it_had_learnt_and_nothing_else() {
    let cluster = Cluster::new().await;
    let mut first = detecting(&cluster).await;
    let mut beside = detecting(&cluster).await;
    guess(&mut first, HERE).await;
    assert_eq!(findings(&first.api().await, HERE).await, 1, "it is new");
    assert!(first.terminate().await.success());

    // What one has told and kept, the next one does not tell again.
    let mut next = detecting(&cluster).await;
    guess(&mut next, HERE).await;
    guess(&mut next, ELSEWHERE).await;
    let api = next.api().await;
    assert_eq!(findings(&api, ELSEWHERE).await, 1);
    assert_eq!(findings(&api, HERE).await, 1, "it was told before");

    // One that has run all along heard nothing of it, and keeps what it knows itself.
    assert!(next.terminate().await.success());
    assert!(beside.terminate().await.success());
    let mut last = detecting(&cluster).await;
    guess(&mut last, HERE).await;
    let api = last.api().await;
    eventually(
        "what was forgotten to be told again",
        async || match findings(&api, HERE).await {
            2 => Ok(()),
            other => Err(format!("it was told {other} times")),
        },
    )
    .await;
}

/// A node that takes five bad tokens of one address for an attack, and believes this machine on
/// whose behalf it sends.
async fn detecting(cluster: &Cluster) -> Server {
    let file = cluster.home().join("postrider.toml");
    let rule = "[detection.brute-force-by-address]\nfailures = 5\n";
    std::fs::write(&file, rule).expect("a file can be written");
    let options = cluster.options().option("--config", text(&file));
    let options = options.option("--trusted-proxy", "127.0.0.0/8");
    cluster.node_with(options).await
}

/// Shows a node bad tokens on behalf of an address.
async fn guess(node: &mut Server, address: &str) {
    let guessing = node.api().await.with_token("made-up");
    for _ in 0..8 {
        let call = Call::new(Method::GET, "/app").header("x-forwarded-for", address);
        guessing.call(call).await.expect(401);
    }
}

/// How often something was found of an address, once it was at all.
async fn findings(api: &Api, address: &str) -> u64 {
    eventually(format!("a finding of {address}"), async || {
        let list = api.get("/security/event?kind=traffic.anomaly").await;
        let list = list.expect(200).json();
        let rows = list["data"].as_array().expect("a list").iter();
        let of_it = rows.filter(|row| row["remoteAddress"] == address);
        let count: u64 = of_it
            .map(|row| row["count"].as_u64().expect("a number"))
            .sum();
        let is_found = count > 0;
        is_found.then_some(count).ok_or_else(|| list.to_string())
    })
    .await
}
