//! Pages that keep themselves up to date: when they are made anew, and until when. Time stands
//! still but for what is waited for; what the installation's clock says is another matter.

use crate::visitor::Events;
use crate::world::World;
use model::role::Role;
use model::security::SecurityKind;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);
/// As long as it takes to see what happens once nothing has happened for a while.
const AT_ONCE: Duration = Duration::from_millis(110);

/// Nothing is shown for so long.
async fn quiet(events: &mut Events, during: Duration) {
    if let Ok(shown) = timeout(during, events.next()).await {
        panic!("nothing has happened: {shown}");
    }
}

/// What is shown next, and how long that took.
async fn shown(events: &mut Events) -> (String, Duration) {
    let begun = Instant::now();
    let shown = events.next().await;
    (shown, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_page_is_not_made_anew_while_nothing_happens_but_for_what_time_brings() {
    let world = World::new();
    let viewer = world.signed_in(Role::Viewer).await;
    let mut events = viewer.follow("/dashboard/audit").await;
    let first = events.next().await;
    assert!(first.contains("about to be sealed"), "{first}");
    quiet(&mut events, 3 * SECOND).await;
    // Whenever it is made from now on, it is another page.
    world.clock.advance(120 * SECOND);
    let (second, took) = shown(&mut events).await;
    assert!(second.contains("stands still"), "{second}");
    assert!(took > 7 * SECOND && took <= 10 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_shown_at_once_and_then_once_a_second() {
    let world = World::new();
    world.application("acme").await;
    let viewer = world.signed_in(Role::Viewer).await;
    let people = world.in_portal("acme", None).await;
    for (visitor, path) in [
        (&viewer, "/dashboard/messages"),
        (&viewer, "/dashboard/applications/acme/messages"),
        (&people, "/portal/messages"),
    ] {
        let mut events = visitor.follow(path).await;
        events.next().await;
        quiet(&mut events, 3 * SECOND).await;
        let sent = world.message("acme", "{}").await;
        let (page, took) = shown(&mut events).await;
        assert!(page.contains(&sent) && took <= AT_ONCE, "{took:?}: {page}");
        let sent = world.message("acme", "{}").await;
        let (page, took) = shown(&mut events).await;
        assert!(page.contains(&sent), "{page}");
        assert!(took > AT_ONCE && took <= SECOND + AT_ONCE, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_page_hears_of_what_it_shows() {
    let world = World::new();
    world.application("acme").await;
    let viewer = world.signed_in(Role::Viewer).await;
    let follow = async |path: &str| {
        let mut events = viewer.follow(path).await;
        events.next().await;
        quiet(&mut events, 3 * SECOND).await;
        events
    };
    let mut endpoints = follow("/dashboard/applications/acme/endpoints").await;
    let mut audit = follow("/dashboard/audit").await;
    world.endpoint("acme", "hook").await;
    for (events, expected) in [(&mut endpoints, "/hook"), (&mut audit, "endpoint.created")] {
        let (page, took) = shown(events).await;
        assert!(
            page.contains(expected) && took <= AT_ONCE,
            "{took:?}: {page}"
        );
    }
    let mut applications = follow("/dashboard/applications").await;
    world.application("fresh").await;
    let (page, took) = shown(&mut applications).await;
    assert!(
        page.contains("fresh") && took <= AT_ONCE,
        "{took:?}: {page}"
    );
    let mut security = follow("/dashboard/security").await;
    world.keep_event(SecurityKind::ClockSkew).await;
    let (page, took) = shown(&mut security).await;
    assert!(
        page.contains("it happened") && took <= AT_ONCE,
        "{took:?}: {page}"
    );
    let mut keys = follow("/dashboard/keys").await;
    world.key_of(Role::Operator).await;
    let (page, took) = shown(&mut keys).await;
    assert!(
        page.contains("operator") && took <= AT_ONCE,
        "{took:?}: {page}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_node_counts_itself_is_shown_each_second() {
    let world = World::new();
    let viewer = world.signed_in(Role::Viewer).await;
    let mut events = viewer.follow("/dashboard").await;
    events.next().await;
    quiet(&mut events, 3 * SECOND).await;
    world.figures.set(dashboard::Reading {
        in_flight: 123,
        ..dashboard::Reading::default()
    });
    let (page, took) = shown(&mut events).await;
    assert!(page.contains(">123<"), "{page}");
    assert!(took <= SECOND + AT_ONCE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_page_ends_with_its_session_also_while_nothing_happens() {
    let world = World::new();
    let viewer = world.signed_in(Role::Viewer).await;
    let mut events = viewer.follow("/dashboard/security").await;
    events.next().await;
    quiet(&mut events, 3 * SECOND).await;
    world.clock.advance(24 * 3_600 * SECOND);
    let begun = Instant::now();
    assert_eq!(events.until_end().await, None);
    assert!(begun.elapsed() <= SECOND + AT_ONCE);
}
