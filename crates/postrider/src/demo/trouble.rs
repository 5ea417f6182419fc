//! What goes wrong on the way: the order system is slow, then down; both Postriders are killed, one
//! after the other.
//! (That the order system answers 500 now and then is its own doing.)

use super::posting::Part;
use super::server::Server;
use super::shop::Shop;
use indicatif::ProgressBar;
use std::time::Duration;

/// How long the order system is down.
const DOWN: Duration = Duration::from_secs(2);

/// Makes the trouble as the story comes along.
pub(super) async fn make(
    shop: &Shop,
    [theirs, ours]: [&Server; 2],
    bar: &ProgressBar,
    mut story: Part,
) -> anyhow::Result<()> {
    story.reached(10).await;
    say(bar, "the order system is slow");
    shop.be_slow(true);
    story.reached(20).await;
    shop.be_slow(false);
    say(bar, "the order system is down for two seconds");
    shop.be_down_for(DOWN).await?;
    story.reached(50).await;
    say(
        bar,
        "the platforms' Postrider is killed (SIGKILL) and started again",
    );
    theirs.kill_and_restart().await?;
    story.reached(70).await;
    say(
        bar,
        "the order system's Postrider is killed (SIGKILL) and started again",
    );
    ours.kill_and_restart().await?;
    say(bar, "both are back");
    Ok(())
}

/// Says it beside the bar, or as a line where there is none.
fn say(bar: &ProgressBar, what: &'static str) {
    bar.set_message(what);
    if bar.is_hidden() {
        println!("… {what}");
    }
}
