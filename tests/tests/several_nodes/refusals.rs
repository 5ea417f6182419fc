//! What a node with a shared database refuses: other keys than its neighbours', none at all,
//! databases that are none. And that no password is ever shown.

use std::fs;

use crate::cluster::{Cluster, text};
use e2e::command::{Outcome, postrider, run};
use e2e::place;

const SERVE: [&str; 4] = ["serve", "--dev", "--listen", "127.0.0.1:0"];

#[tokio::test]
async fn a_node_makes_no_keys() {
    let cluster = Cluster::new().await;
    let nowhere = cluster.home().join("nowhere");
    let refused = cluster.run_with(&SERVE, &nowhere).await;
    refused.expect(3).complains_of("keys generate");
    assert!(!nowhere.exists());
    let refused = cluster.run_with(&["token"], &nowhere).await;
    refused.expect(3).complains_of("there is no key");
}

#[tokio::test]
async fn a_node_with_other_keys_than_the_first_is_refused() {
    let cluster = Cluster::new().await;
    let mut first = cluster.node().await;
    let api = first.api().await;
    api.application("shop").await;
    let others = cluster.home().join("others");
    for (own, told) in [
        ("master.key", "master key"),
        ("token.key", "token-signing key"),
    ] {
        let _ = fs::remove_dir_all(&others);
        postrider(&["keys", "generate", "--data-dir", text(&others)])
            .await
            .expect(0);
        let shared = ["master.key", "token.key"]
            .into_iter()
            .find(|name| *name != own);
        let shared = shared.expect("there are two");
        fs::copy(cluster.keys().join(shared), others.join(shared)).expect("a key");
        let refused = cluster.run_with(&SERVE, &others).await;
        refused.expect(3).complains_of(told);
    }
    cluster
        .node()
        .await
        .api()
        .await
        .get("/app/shop")
        .await
        .expect(200);
}

#[tokio::test]
async fn passwords_of_databases_are_shown_nowhere() {
    let home = tempfile::tempdir().expect("a directory");
    let keys = home.path().join("keys");
    let generate = ["keys", "generate", "--data-dir", text(&keys)];
    postrider(&generate).await.expect(0);
    let nobody_there = "postgres://u:sesame@127.0.0.1:1/db";
    let with = |url: &'static str, arguments: &[&str]| {
        let mut command = place::command(place::binary());
        command
            .args(arguments)
            .args(["--data-dir", text(&keys)])
            .env("POSTRIDER_DATABASE_URL", url);
        run(command)
    };
    let secretive = |outcome: &Outcome| {
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!all.contains("sesame"), "{outcome:?}");
    };
    let shown = with(nobody_there, &["config"]).await;
    assert!(shown.text().contains("postgres://u:***@127.0.0.1:1/db"));
    secretive(&shown);
    secretive(with(nobody_there, &["serve", "--help"]).await.expect(0));
    secretive(
        with(nobody_there, &[&SERVE[..], &["--log", "trace"]].concat())
            .await
            .expect(3),
    );
    secretive(
        with(nobody_there, &["backup", text(&home.path().join("b"))])
            .await
            .expect(3),
    );
    for url in ["mysql://u:sesame@h/db", "postgres://u:sesame/db", "sesame"] {
        let refused = with(url, &SERVE).await;
        secretive(refused.expect(2).complains_of("`database_url`"));
    }
    let flag = ["config", "--database-url", nobody_there];
    let warned = postrider(&flag).await;
    warned.expect(0).complains_of("POSTRIDER_DATABASE_URL");
}
