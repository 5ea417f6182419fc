//! The first page: what it shows of this node, of all nodes, and of what is wrong.

use crate::world::{World, endpoint_input};
use app::applications::ApplicationInput;
use app::endpoints::EndpointInput;
use dashboard::{Counted, Reading, Recent};
use model::attempt::AttemptResult;
use model::meter::Stopwatch;
use model::role::Role;
use model::security::SecurityKind;
use model::{Clock as _, Timestamp};
use std::time::Duration;
use store::record::HealthChange;

const PAGE: &str = "/dashboard";

/// 100 attempts succeeded and 25 failed, all in the last minute; half of them in the last 10 s.
fn reading(now: Timestamp) -> Reading {
    let stopwatch = Stopwatch::default();
    for _ in 0..100 {
        stopwatch.took(Duration::from_millis(20));
    }
    let counted = |seconds: u64, part: u64| Counted {
        at: now.minus(Duration::from_secs(seconds)),
        accepted: 40 * part,
        succeeded: 50 * part,
        failed: part * 25 / 2,
        ..Counted::default()
    };
    Reading {
        counted: Counted {
            succeeded_took: stopwatch.read(),
            ..counted(0, 2)
        },
        since: now.minus(Duration::from_secs(120)),
        recent: Recent {
            before: Some(counted(10, 1)),
            minutes: vec![counted(120, 0), counted(60, 0), counted(5, 2)],
        },
        open: Some(1_234),
        first_due: Some(now.minus(Duration::from_secs(7))),
        in_flight: 17,
    }
}

#[tokio::test]
async fn the_first_page_shows_what_this_node_counts() {
    let world = World::new();
    world.figures.set(reading(world.clock.now()));
    let page = world.signed_in(Role::Viewer).await.get(PAGE).await;
    page.is(200)
        .shows("<span class=\"figure\">4.0</span><span class=\"called\">messages accepted a second")
        .shows("<span class=\"figure\">6.3</span><span class=\"called\">attempts a second")
        .shows("<span class=\"figure\">80.0\u{202f}%</span>")
        .shows("<span class=\"figure\">1\u{202f}234</span>")
        .shows("<span class=\"figure\">17</span>")
        .shows("an attempt that succeeded</div></td>")
        .shows("≤ 25 ms")
        .shows("<svg class=\"chart\"")
        .shows("succeeded: 100 in all, at most 100 at a time.")
        .hides("style=");
}

#[tokio::test]
async fn a_node_that_has_just_begun_has_nothing_to_show_and_says_so() {
    let world = World::new();
    let page = world.signed_in(Role::Viewer).await.get(PAGE).await;
    page.is(200)
        .shows("Nothing has been counted yet.")
        .shows("No endpoint is failing.")
        .shows("No endpoint was disabled because it failed.")
        .hides("NaN")
        .hides("role=\"alert\"");
}

#[tokio::test]
async fn attempts_of_all_applications_are_shown_by_the_hour() {
    let world = World::new();
    for uid in ["one", "other"] {
        let application = world.application(uid).await;
        world.endpoint(&application, "e").await;
        world.message(&application, "{}").await;
        world.message(&application, "{}").await;
    }
    world
        .end(AttemptResult::Success, || HealthChange::None)
        .await;
    world.clock.advance(Duration::from_secs(60));
    let viewer = world.signed_in(Role::Viewer).await;
    let sum = "succeeded: 4 in all, at most 4 at a time.";
    viewer.get(PAGE).await.is(200).shows(sum);
    // What happens later is added to what was read before.
    world.clock.advance(Duration::from_secs(3_600));
    world.message("one", "{}").await;
    world
        .end(AttemptResult::Failure, || HealthChange::None)
        .await;
    world.clock.advance(Duration::from_secs(60));
    viewer
        .get(PAGE)
        .await
        .is(200)
        .shows(sum)
        .shows("failed: 1 in all, at most 1 at a time.")
        .shows("80.0\u{202f}% of the attempts of the last 24 hours succeeded.");
}

#[tokio::test]
async fn endpoints_that_fail_are_named_and_what_tenants_wrote_is_only_text() {
    let world = World::new();
    let input = ApplicationInput {
        name: "<script>alert(1)</script>".to_owned(),
        uid: Some("shop".to_owned()),
        ..ApplicationInput::default()
    };
    let admin = world.admin();
    let made = world.app.create_application(&admin, input, false).await;
    let application = made.expect("it is made").value.id.to_string();
    let hostile = EndpointInput {
        url: "https://example.com/?a=\"><b>".to_owned(),
        ..endpoint_input("bad")
    };
    let bad = world.endpoint_with(&application, hostile).await;
    world.message(&application, "{}").await;
    let since = world.clock.now();
    world
        .end(AttemptResult::Failure, || HealthChange::FailingSince(since))
        .await;
    let viewer = world.signed_in(Role::Viewer).await;
    let link = format!("/dashboard/applications/{application}/endpoints/{bad}");
    viewer
        .get(PAGE)
        .await
        .is(200)
        .shows(&link)
        .shows("&lt;script&gt;alert(1)")
        .hides("<script>alert")
        .hides("\"><b>")
        .hides("href=\"https://example.com")
        .shows("No endpoint was disabled because it failed.");
    world.message(&application, "{}").await;
    world
        .end(AttemptResult::Failure, || HealthChange::Disable)
        .await;
    world.clock.advance(Duration::from_secs(60));
    viewer
        .get(PAGE)
        .await
        .is(200)
        .shows(&link)
        .shows("No endpoint is failing.")
        .shows("0 are enabled, 1 are disabled.");
}

#[tokio::test]
async fn security_events_of_the_last_day_are_counted_by_how_bad_they_are() {
    let world = World::new();
    world.keep_event(SecurityKind::IngestReplayed).await;
    world.clock.advance(Duration::from_secs(2 * 86_400));
    world.keep_event(SecurityKind::IngestReplayed).await;
    world.keep_event(SecurityKind::IngestReplayed).await;
    world.keep_event(SecurityKind::IngestMalformed).await;
    let page = world.signed_in(Role::Viewer).await.get(PAGE).await;
    for (severity, count) in [("critical", 0), ("warning", 2), ("info", 1)] {
        let tile = format!(
            "<span class=\"figure\">{count}</span><span class=\"called\">{severity}</span>"
        );
        page.is(200).shows(&tile);
    }
    page.shows("href=\"/dashboard/security\"");
}

#[tokio::test]
async fn what_is_wrong_stands_at_the_top_in_plain_words() {
    let world = World::new();
    world.lanes.fall_behind(world.clock.now());
    let page = world.signed_in(Role::Viewer).await.get(PAGE).await;
    page.is(200)
        .shows("role=\"alert\"")
        .shows("Deliveries are held up: </strong>due deliveries are not looked for");
}
