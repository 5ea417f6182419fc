//! What an endpoint's page says of how it came to stand as it does, to its owner and to the
//! operator.

use crate::visitor::Visitor;
use crate::watching::keep;
use crate::world::World;
use model::attempt::AttemptResult;
use model::id::{ApplicationId, EndpointId};
use model::role::Role;
use model::security::{SecurityKind, Subject};
use std::time::Duration;
use store::record::HealthChange;

/// What the operator's page and the portal's say of an endpoint.
struct Told {
    world: World,
    application: String,
    endpoint: String,
}

impl Told {
    async fn new() -> Self {
        let world = World::new();
        let application = world.application("acme").await;
        let endpoint = world.endpoint("acme", "own").await;
        Self {
            world,
            application,
            endpoint,
        }
    }

    async fn operator(&self) -> (Visitor<'_>, String) {
        let visitor = self.world.signed_in(Role::Admin).await;
        let path = format!("/dashboard/applications/acme/endpoints/{}", self.endpoint);
        (visitor, path)
    }

    async fn owner(&self) -> (Visitor<'_>, String) {
        let visitor = self.world.in_portal("acme", None).await;
        (visitor, format!("/portal/endpoints/{}", self.endpoint))
    }

    fn later(&self) {
        self.world.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn both_are_told_who_disabled_it_and_the_owner_no_more_of_the_operator() {
    let told = Told::new().await;
    let (operator, there) = told.operator().await;
    let (owner, own) = told.owner().await;
    told.later();
    operator.post(format!("{there}/disable"), &[]).await.is(303);
    let page = owner.get(&own).await;
    page.is(200).shows("by the operator. ").hides("/audit/");
    page.hides("key_").hides("org_").hides("Enabled");
    let page = operator.get(&there).await;
    page.is(200)
        .shows("by the operator. ")
        .shows("/dashboard/audit/aud_");
    told.later();
    owner.post(format!("{own}/enable"), &[]).await.is(303);
    told.later();
    owner.post(format!("{own}/disable"), &[]).await.is(303);
    let page = owner.get(&own).await;
    page.is(200).shows("by you, or others of yours. ");
    page.shows("It was enabled");
    let page = operator.get(&there).await;
    page.is(200).shows("by the application. ");
    told.later();
    owner.post(format!("{own}/enable"), &[]).await.is(303);
    let page = owner.get(&own).await;
    page.is(200)
        .hides("until it is enabled")
        .shows("It was disabled");
}

#[tokio::test]
async fn an_endpoint_that_kept_failing_says_so_and_since_when() {
    let told = Told::new().await;
    let (operator, there) = told.operator().await;
    let (owner, own) = told.owner().await;
    let since = told.world.app.clock.now();
    told.world.message("acme", "{}").await;
    let failing = || HealthChange::FailingSince(since);
    told.world.end(AttemptResult::Failure, failing).await;
    told.world.message("acme", "{}").await;
    told.later();
    let disable = || HealthChange::Disable;
    told.world.end(AttemptResult::Failure, disable).await;
    let application: ApplicationId = told.application.parse().expect("an id");
    told.world.app.registry.forget(application.key());
    let id: EndpointId = told.endpoint.parse().expect("an id");
    let kind = SecurityKind::EndpointDisabled;
    let gone = "it was disabled: it said that it is gone, or kept failing for too long";
    let subject = Subject::endpoint(id);
    keep(&told.world, (kind, subject.clone()), (gone, None)).await;
    let pin = SecurityKind::PinMismatch;
    let other = "its pin was another";
    keep(&told.world, (pin, subject), (other, None)).await;
    for (visitor, path) in [(&operator, &there), (&owner, &own)] {
        let page = visitor.get(path).await;
        page.is(200).shows("since its attempts kept failing");
        page.shows("Nothing has succeeded since");
    }
    operator.get(&there).await.shows(other);
    owner.get(&own).await.hides(other);
}

#[tokio::test]
async fn a_rule_is_named_to_the_operator_alone_and_counts_once() {
    let told = Told::new().await;
    let application: ApplicationId = told.application.parse().expect("an id");
    let app = &told.world.app;
    told.later();
    let paused = app.pause_endpoint("silence", application.key(), &told.endpoint);
    paused.await.expect("it is there");
    let id: EndpointId = told.endpoint.parse().expect("an id");
    let kind = SecurityKind::EndpointDisabled;
    let text = "it was disabled by itself, for what the rule silence found";
    let subject = Subject::endpoint(id);
    keep(&told.world, (kind, subject), (text, None)).await;
    let (operator, there) = told.operator().await;
    let page = operator.get(&there).await;
    page.is(200).shows("by a rule: silence. ");
    assert_eq!(page.text().matches("It was disabled<").count(), 1);
    let (owner, own) = told.owner().await;
    let page = owner.get(&own).await;
    page.is(200)
        .shows("by a rule of the operator's. ")
        .hides("silence");
    page.hides("kept failing");
}

#[tokio::test]
async fn a_changed_url_and_a_replaced_secret_stand_in_it_with_the_newest_first() {
    let told = Told::new().await;
    let (owner, own) = told.owner().await;
    for (action, fields) in [
        ("edit", &[("url", "https://example.org/<b>")][..]),
        (
            "edit",
            &[("url", "https://example.org/<b>"), ("description", "new")],
        ),
        ("secret/rotate", &[]),
    ] {
        told.later();
        owner.post(format!("{own}/{action}"), fields).await.is(303);
    }
    let page = owner.get(&own).await;
    let text = page.is(200).text();
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    let replaced = at("Its signing secret was replaced");
    let moved = at("Its URL was changed, and leads to <code>example.org</code>");
    assert!(replaced < moved && moved < at("It was made, and leads to <code>example.com</code>"));
    assert_eq!(text.matches("Its URL was changed").count(), 1);
}
