//! The demo, as the README has a newcomer run it: the whole main job, with trouble on the way.

use std::time::Duration;

use e2e::command::postrider;
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
