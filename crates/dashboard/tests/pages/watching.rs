//! Security events and the audit log, as the organisation's people look at them.

use crate::world::World;
use model::Clock as _;
use model::role::Role;
use model::security::{SecurityKind, Subject, SubjectKind};
use std::sync::Arc;
use std::time::Duration;
use store::change::{Change, ChangeRequest};
use store::security::{FoldedEvent, SecurityWrite};

/// What somebody hopes that a page obeys, and how it must stand there.
pub(crate) const HOSTILE: (&str, &str) = (
    "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
);

/// Keeps a security event, as if it had just happened.
pub(crate) async fn keep(
    world: &World,
    (kind, subject): (SecurityKind, Subject),
    (description, sample): (&str, Option<Arc<[u8]>>),
) {
    let event = FoldedEvent {
        kind,
        severity: kind.severity(),
        subject,
        application: None,
        remote_address: "192.0.2.7".parse().ok(),
        count: 3,
        first_seen: world.clock.now(),
        last_seen: world.clock.now(),
        description: description.to_owned(),
        sample: sample.as_deref().map(store::Sealed::copy_from_slice),
    };
    let request = ChangeRequest {
        change: Change::KeepSecurityEvents(vec![SecurityWrite { onto: None, event }]),
        idempotency: None,
        audit: None,
    };
    world.app.store.change(request).await.expect("it is kept");
    world.clock.advance(Duration::from_secs(1));
}

/// The first address below this one that a page links to.
#[track_caller]
pub(crate) fn link<'p>(page: &'p str, below: &str) -> &'p str {
    let begin = format!("href=\"{below}");
    let (_, rest) = page.split_once(&begin).expect("there is a link");
    let end = rest.find('"').expect("it ends");
    let at = page.len() - rest.len() - below.len();
    &page[at..at + below.len() + end]
}

fn source(id: &str) -> Subject {
    Subject::new(SubjectKind::Source, id)
}

#[tokio::test]
async fn security_events_are_listed_and_found_by_filters() {
    let world = World::new();
    let (forged, lost) = (
        SecurityKind::IngestSignatureInvalid,
        SecurityKind::PinMismatch,
    );
    keep(&world, (forged, source("*")), ("It was not signed", None)).await;
    let endpoint = Subject::new(SubjectKind::Endpoint, "ep_1");
    keep(&world, (lost, endpoint), ("Nothing is pinned", None)).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let all = viewer.get("/dashboard/security").await;
    all.is(200)
        .shows("It was not signed")
        .shows("Nothing is pinned");
    all.shows("192.0.2.7").shows("data-live=");
    for (query, shown, hidden) in [
        (
            "kind=delivery.pin_mismatch",
            "Nothing is pinned",
            "not signed",
        ),
        ("severity=warning", "It was not signed", "is pinned"),
        ("subject=endpoint%3Aep_1", "Nothing is pinned", "not signed"),
        (
            "before=2001-01-01T00%3A00",
            "Nothing of this kind",
            "not signed",
        ),
    ] {
        let page = viewer.get(format!("/dashboard/security?{query}")).await;
        page.is(200).shows(shown).hides(hidden);
    }
    for (query, told) in [
        ("kind=none", "no such word"),
        ("after=soon", "is no time"),
        ("subject=x", "no such word"),
        ("app=none", "role=\"alert\""),
        ("iterator=none", "role=\"alert\""),
    ] {
        let page = viewer.get(format!("/dashboard/security?{query}")).await;
        page.is(200).shows(told).shows("name=\"kind\"");
    }
}

#[tokio::test]
async fn a_security_event_says_what_it_means_and_what_to_do() {
    let world = World::new();
    let kind = SecurityKind::PinMismatch;
    let endpoint = Subject::new(SubjectKind::Endpoint, HOSTILE.0);
    keep(&world, (kind, endpoint), (HOSTILE.0, None)).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let list = viewer.get("/dashboard/security").await;
    list.is(200).hides(HOSTILE.0).shows(HOSTILE.1);
    let page = viewer
        .get(link(list.text(), "/dashboard/security/sec_"))
        .await;
    page.is(200).hides(HOSTILE.0).shows(HOSTILE.1);
    page.shows("and none is pinned")
        .shows("Its owner says whether the key was changed");
}

#[tokio::test]
async fn what_a_rule_found_is_explained_by_the_rule() {
    let world = World::new();
    let kind = SecurityKind::TrafficAnomaly;
    let found = "silence: nothing has come since noon";
    keep(&world, (kind, source("src_1")), (found, None)).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let list = viewer.get("/dashboard/security").await;
    let page = viewer
        .get(link(list.text(), "/dashboard/security/sec_"))
        .await;
    page.is(200)
        .shows("Look at the provider.")
        .shows("So much must be usual.");
    let all = viewer.get("/dashboard/security/explained").await;
    all.is(200)
        .shows("id=\"silence\"")
        .shows("Look at the provider.");
    for kind in SecurityKind::ALL {
        all.shows(kind.as_str());
    }
    viewer.get("/dashboard/security/sec_none").await.is(404);
}

#[tokio::test]
async fn the_audit_log_says_who_did_what() {
    let world = World::new();
    world.application("acme").await;
    let viewer = world.signed_in(Role::Viewer).await;
    let list = viewer.get("/dashboard/audit").await;
    list.is(200)
        .shows("application.created")
        .shows("session.opened");
    let some = viewer
        .get("/dashboard/audit?action=application.created")
        .await;
    some.is(200)
        .shows("/dashboard/applications/app_")
        .hides(">session.opened</a>");
    let entry = viewer.get(link(some.text(), "/dashboard/audit/aud")).await;
    entry
        .is(200)
        .shows("application.created")
        .shows("not sealed yet");
    for query in ["action=none", "app=none", "after=soon", "actor=%20%3C"] {
        let page = viewer.get(format!("/dashboard/audit?{query}")).await;
        page.is(200).shows("role=\"alert\"");
    }
    viewer.get("/dashboard/audit/none").await.is(404);
}

#[tokio::test]
async fn where_nothing_was_sealed_the_audit_log_says_so() {
    let world = World::new();
    let viewer = world.signed_in(Role::Viewer).await;
    let fresh = viewer.get("/dashboard/audit").await;
    fresh
        .is(200)
        .shows("Nothing is signed yet")
        .shows("about to be sealed");
    viewer.get("/dashboard/audit/checkpoint").await.is(404);
    world.clock.advance(Duration::from_secs(120));
    let later = viewer.get("/dashboard/audit").await;
    later.is(200).shows("stands still");
}

#[tokio::test]
async fn it_is_shown_from_where_requests_and_attempts_to_sign_in_are_refused() {
    let world = World::new();
    let viewer = world.signed_in(Role::Viewer).await;
    let page = viewer.get("/dashboard/security/blocked").await;
    page.is(200).shows("<code>198.51.100.7</code>");
    page.shows("There is none.");
    let from = "2001:db8::7".parse().ok();
    for _ in 0..10 {
        let refused = world.app.sign_in("no token", from).await;
        assert!(refused.is_err());
    }
    let page = viewer.get("/dashboard/security/blocked").await;
    page.is(200).shows("<code>2001:db8::</code>");
    page.hides("There is none.");
    world.clock.advance(Duration::from_secs(60));
    let page = viewer.get("/dashboard/security/blocked").await;
    page.is(200).hides("2001:db8::").shows("198.51.100.7");
    let list = viewer.get("/dashboard/security").await;
    list.shows("/dashboard/security/blocked");
}
