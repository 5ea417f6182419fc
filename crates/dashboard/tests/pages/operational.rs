//! Operational webhooks: the endpoints that are told what happens, on the pages that all have.

use crate::world::World;
use model::role::Role;

const LIST: &str = "/dashboard/settings/operational-webhooks";
const NEW: &str = "/dashboard/applications/operational-webhooks/endpoints/new";
const URL: &str = "https://ops.example.com/in";

#[tokio::test]
async fn the_first_endpoint_is_made_before_there_is_an_application_for_it() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    admin.get("/dashboard/settings").await.shows(LIST);
    admin
        .get(LIST)
        .await
        .is(200)
        .shows("There is no endpoint yet.")
        .shows(NEW);
    admin
        .get(NEW)
        .await
        .is(200)
        .shows("value=\"message.attempt.exhausted\"")
        .shows(LIST)
        .hides("Channels");
    // What is refused leaves no application behind.
    for (url, types, wrong) in [
        ("nowhere", "security.event", "url"),
        (URL, "order.paid", "don't exist: order.paid"),
    ] {
        let fields = [("url", url), ("moreEventTypes", types)];
        admin.post(NEW, &fields).await.is(422).shows(wrong);
    }
    let applications = admin.get("/dashboard/applications").await;
    applications.is(200).shows("There is no application yet.");
    let fields = [("url", URL), ("eventTypes", "security.event")];
    let made = admin.post(NEW, &fields).await;
    let one = made.leads_to().trim_end_matches("?done=created").to_owned();
    assert!(one.starts_with("/dashboard/applications/operational-webhooks/endpoints/ep_"));
    admin
        .get(&one)
        .await
        .is(200)
        .shows(LIST)
        .shows("security.event");
    let viewer = world.signed_in(Role::Viewer).await;
    viewer.get(LIST).await.is(200).shows(&one).hides(NEW);
    viewer.get(NEW).await.is(403);
}

#[tokio::test]
async fn an_endpoint_is_tried_changed_and_deleted_as_every_other() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let made = admin.post(NEW, &[("url", URL)]).await;
    let one = made.leads_to().trim_end_matches("?done=created").to_owned();
    let test = format!("{one}/test");
    admin
        .get(&test)
        .await
        .is(200)
        .shows("audit.checkpoint")
        .hides("Which example");
    let refused = admin.post(&test, &[("eventType", "order.paid")]).await;
    refused.is(422).shows("must be one of endpoint.created");
    let sent = admin.post(&test, &[("eventType", "security.event")]).await;
    let message = sent.leads_to().to_owned();
    assert!(message.contains("/messages/msg_"), "{message}");
    assert_eq!(world.lanes.take().len(), 1);
    admin
        .get(&message)
        .await
        .is(200)
        .shows("This is an example: nothing has happened.");
    let edit = format!("{one}/edit");
    admin.get(&edit).await.is(200).shows(URL).hides("Channels");
    let fields = [("url", URL), ("eventTypes", "endpoint.disabled")];
    admin.post(&edit, &fields).await.is(303);
    admin.get(LIST).await.shows("endpoint.disabled");
    let shown = admin.post(format!("{one}/secret"), &[]).await;
    shown.is(200).shows("whsec_");
    admin
        .post(format!("{one}/secret/rotate"), &[])
        .await
        .is(303);
    let header = [("name", "x-ops"), ("headers", "1")];
    let headers = format!("{one}/protection/headers");
    admin.post(&headers, &header).await.is(303);
    admin.get(&headers).await.is(200).shows("x-ops");
    let deleted = admin.post(format!("{one}/delete"), &[]).await;
    assert_eq!(deleted.leads_to(), format!("{LIST}?done=deleted"));
    admin.get(LIST).await.shows("There is no endpoint yet.");
}
