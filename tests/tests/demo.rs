//! The demo, as the README has a newcomer run it: the whole main job, with trouble on the way.

use std::time::Duration;

use e2e::command::{postrider, run};
use e2e::place;
use tokio::time::Instant;

/// What the demo promises to stay below.
const DEMO_LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_demo_loses_nothing_and_lets_no_attack_through() {
    let began = Instant::now();
    let outcome = postrider(&["demo"]).await;
    let (text, took) = (outcome.text(), began.elapsed());
    println!("{text}\n{took:?}");
    assert!(
        text.lines().any(|line| line.trim() == "lost: 0"),
        "{outcome:#?}"
    );
    assert!(took < DEMO_LIMIT, "the demo took {took:?}");
}

#[tokio::test]
async fn the_demo_needs_no_program_but_the_shell() {
    let programs = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink("/bin/sh", programs.path().join("sh")).expect("a link");
    let mut command = place::command(place::binary());
    command
        .args(["demo", "--orders", "3"])
        .env("PATH", programs.path());
    run(command).await.expect(0);
}

#[tokio::test]
async fn the_demo_says_what_it_can_be_asked() {
    postrider(&["demo", "--orders", "0"])
        .await
        .expect(2)
        .complains_of("--orders");
    let help = postrider(&["demo", "--help"]).await;
    for option in ["--orders", "--keep"] {
        assert!(help.text().contains(option), "{help:?}");
    }
}
