//! Sources: made, looked at, changed, and what they refused.

use crate::watching::{HOSTILE, keep, link};
use crate::world::World;
use app::audit::AuditInput;
use app::sources::checks::Request;
use model::audit::AuditAction;
use model::role::Role;
use model::security::{SecurityKind, Subject, SubjectKind};

const SOURCES: &str = "/dashboard/sources";
/// What a source that verifies nothing is made with.
const UNVERIFIED: &str = r#"{"unverified": true, "keepRefused": true}"#;

/// Makes a source, and gives its address and its inbound URL's token.
async fn make(world: &World, name: &str) -> (String, String) {
    let admin = world.signed_in(Role::Admin).await;
    let fields = [
        ("name", name),
        ("uid", "pay"),
        ("type", "generic-webhook"),
        ("config", UNVERIFIED),
    ];
    let made = admin.post(SOURCES, &fields).await;
    made.is(200).shows("https://in.example/in/");
    let (_, rest) = made.text().split_once("/in/").expect("it is shown");
    let token = rest.chars().take_while(|c| *c != '<').collect();
    (
        link(made.text(), "/dashboard/sources/src_").to_owned(),
        token,
    )
}

/// How often the audit log has it that a source's token was shown.
async fn told(world: &World) -> usize {
    let input = AuditInput {
        action: Some(AuditAction::SourceTokenRead),
        ..AuditInput::default()
    };
    let entries = world.app.audit(&world.admin(), &input).await;
    entries.expect("it is read").data.len()
}

#[tokio::test]
async fn a_sources_url_is_shown_to_whoever_asks_and_the_audit_log_has_it() {
    let world = World::new();
    let (source, token) = make(&world, "Payments").await;
    let admin = world.signed_in(Role::Admin).await;
    for path in [SOURCES, &source, &format!("{source}/edit")] {
        admin
            .get(path)
            .await
            .is(200)
            .shows("Payments")
            .hides(&token);
    }
    assert_eq!(told(&world).await, 0);
    let shown = admin.post(format!("{source}/url"), &[]).await;
    shown.is(200).shows(&token);
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!(told(&world).await, 1);
    let rotated = admin.post(format!("{source}/rotate"), &[]).await;
    rotated
        .is(200)
        .shows("https://in.example/in/")
        .hides(&token);
    let known = world.app.source_by_token(&token).expect("it is asked");
    assert!(known.is_none(), "the old one leads nowhere");
}

#[tokio::test]
async fn a_source_is_changed_and_deleted() {
    let world = World::new();
    let (source, _) = make(&world, "Payments").await;
    let admin = world.signed_in(Role::Admin).await;
    let edit = format!("{source}/edit");
    let refused = admin.post(&edit, &[("name", "P"), ("uid", "pay")]).await;
    refused.is(422).shows("value=\"P\"").shows("256 characters");
    let saved = admin
        .post(&edit, &[("name", "Bills"), ("uid", "bills")])
        .await;
    assert_eq!(saved.leads_to(), format!("{source}?done=saved"));
    admin
        .get(&source)
        .await
        .is(200)
        .shows("Bills")
        .shows("unverified");
    let config = format!("{source}/config");
    for (json, told) in [("{", "EOF"), ("{}", "role=\"alert\"")] {
        let fields = [("type", "generic-webhook"), ("config", json)];
        let refused = admin.post(&config, &fields).await;
        refused.is(422).shows(told).shows("value=\"Bills\"");
    }
    let fields = [
        ("type", "stripe"),
        ("secret", "whsec_sesame"),
        ("config", ""),
    ];
    let saved = admin.post(&config, &fields).await;
    assert_eq!(saved.leads_to(), format!("{source}?done=saved"));
    let page = admin.get(&source).await;
    page.is(200)
        .shows("stripe")
        .hides("sesame")
        .hides("unverified");
    let deleted = admin.post(format!("{source}/delete"), &[]).await;
    assert_eq!(deleted.leads_to(), "/dashboard/sources?done=deleted");
    admin.get(&source).await.is(404);
    admin.get(SOURCES).await.is(200).shows("nothing comes in");
}

#[tokio::test]
async fn what_strangers_sent_is_shown_as_text() {
    let world = World::new();
    let (source, token) = make(&world, HOSTILE.0).await;
    let found = world.app.source_by_token(&token);
    let found = found.expect("it opens").expect("it is there");
    let request = Request {
        method: "POST",
        url: "https://in.example/in/token",
        headers: &[("x-evil", HOSTILE.0.as_bytes())],
        body: HOSTILE.0.as_bytes(),
    };
    let sample = world.app.seal_refused(&found, &request);
    let subject = Subject::new(SubjectKind::Source, found.source.id);
    let kind = SecurityKind::IngestTooLarge;
    keep(&world, (kind, subject), (HOSTILE.0, sample)).await;
    let viewer = world.signed_in(Role::Viewer).await;
    viewer
        .get(SOURCES)
        .await
        .is(200)
        .hides(HOSTILE.0)
        .shows(HOSTILE.1);
    for path in [source.clone(), format!("{source}/refused")] {
        let page = viewer.get(path).await;
        page.is(200).hides(HOSTILE.0);
        page.shows("ingest.too_large").shows("192.0.2.7");
        page.shows(&format!("x-evil: {}", HOSTILE.1));
        page.shows(&format!("<code>{}</code>", HOSTILE.1));
    }
}

#[tokio::test]
async fn whoever_may_only_look_sees_no_url_and_is_offered_nothing() {
    let world = World::new();
    let (source, token) = make(&world, "Payments").await;
    for role in [Role::Viewer, Role::Operator] {
        let visitor = world.signed_in(role).await;
        visitor.get(SOURCES).await.is(200).hides("/sources/new");
        let page = visitor.get(&source).await;
        page.is(200)
            .hides(&token)
            .hides("inbound URL")
            .hides("/delete");
        visitor
            .post(format!("{source}/url"), &[])
            .await
            .is(403)
            .hides(&token);
        visitor.get(format!("{source}/edit")).await.is(403);
    }
}

#[tokio::test]
async fn how_much_came_of_late_and_was_refused_stands_in_the_list_and_at_the_source() {
    let world = World::new();
    let (source, _) = make(&world, "Payments").await;
    let viewer = world.signed_in(Role::Viewer).await;
    for path in [SOURCES, &source] {
        let page = viewer.get(path).await;
        page.is(200)
            .shows("1\u{202f}234 accepted, ")
            .shows("5 refused");
    }
}
