//! Event types: shown to everybody, made and changed by the operator.

use crate::visitor::Visitor;
use crate::world::World;
use model::role::Role;

const SCHEMAS: &str = r#"{"1": {"type": "object", "examples": [{"a": "</code><script>"}]}}"#;

#[tokio::test]
async fn an_event_type_is_made_shown_changed_archived_and_removed() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let (all, new) = ("/dashboard/event-types", "/dashboard/new-event-type");
    admin
        .get(all)
        .await
        .is(200)
        .shows("There is no event type yet.");
    admin.get(new).await.is(200);
    let fields = [
        ("name", "order.paid"),
        ("description", "<b>Paid</b>"),
        ("groupName", "orders"),
        ("schemas", SCHEMAS),
    ];
    let made = admin.post(new, &fields).await;
    let one = "/dashboard/event-types/order.paid";
    assert_eq!(made.leads_to(), format!("{one}?done=created"));
    let page = admin.get(one).await;
    page.is(200)
        .shows("&lt;b&gt;Paid")
        .shows("Example 0")
        .shows("orders");
    page.hides("<b>").hides("</code><script>");
    let edit = format!("{one}/edit");
    admin
        .get(&edit)
        .await
        .is(200)
        .shows("&lt;/code&gt;&lt;script&gt;");
    let fields = [
        ("description", "Changed"),
        ("deprecated", "on"),
        ("featureFlags", "beta"),
    ];
    assert_eq!(
        admin.post(&edit, &fields).await.leads_to(),
        format!("{one}?done=saved")
    );
    let page = admin.get(one).await;
    page.shows("Changed")
        .shows("deprecated")
        .shows("beta")
        .shows("no schema");
    admin.post(format!("{one}/archive"), &[]).await.is(303);
    admin.get(all).await.hides("order.paid");
    admin
        .get(format!("{all}?archived=1"))
        .await
        .shows("order.paid")
        .shows("archived");
    admin.post(format!("{one}/restore"), &[]).await.is(303);
    admin.get(all).await.shows("order.paid");
    let removed = admin.post(format!("{one}/delete"), &[]).await;
    assert_eq!(removed.leads_to(), format!("{all}?done=deleted"));
    admin.get(one).await.is(404);
}

#[tokio::test]
async fn a_schema_that_is_none_is_refused_in_the_form() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    for (schemas, wrong) in [
        ("{", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        (r#"{"1": {"type": "</textarea>"}}"#, "schemas.1"),
    ] {
        let fields = [("name", "order.paid"), ("schemas", schemas)];
        let page = admin.post("/dashboard/new-event-type", &fields).await;
        page.is(422)
            .shows(wrong)
            .shows(r#"value="order.paid""#)
            .hides("\"</textarea>");
    }
}

#[tokio::test]
async fn the_catalogue_of_the_portal_is_to_be_looked_at() {
    let world = World::new();
    world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    for (name, flags) in [("open.type", ""), ("beta.type", "beta")] {
        let fields = [
            ("name", name),
            ("featureFlags", flags),
            ("schemas", SCHEMAS),
        ];
        admin
            .post("/dashboard/new-event-type", &fields)
            .await
            .is(303);
    }
    let tenant = world.in_portal("acme", None).await;
    let list = tenant.get("/portal/event-types").await;
    list.is(200)
        .shows("open.type")
        .hides("beta.type")
        .hides("New event type");
    let one = tenant.get("/portal/event-types/open.type").await;
    one.is(200)
        .shows("Example 0")
        .hides("Edit")
        .hides("Archive")
        .hides("/dashboard");
    tenant.get("/portal/event-types/beta.type").await.is(404);
    let viewer = world.signed_in(Role::Viewer).await;
    let one = viewer.get("/dashboard/event-types/beta.type").await;
    one.is(200).shows("beta").hides("Edit");
}

#[tokio::test]
async fn what_is_taken_from_payloads_is_written_shown_and_taken_away() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let one = made(&admin).await;
    let path = format!("{one}/redaction");
    viewer
        .get(one)
        .await
        .shows("Nothing.")
        .hides("Change what is taken");
    viewer.get(&path).await.is(403);
    admin.get(&path).await.is(200).shows("Rules (needed)");
    for (rules, wrong) in [
        ("</textarea>", "must be a list of rules as JSON"),
        (
            r#"[{"path": "/a", "action": "hash", "keepLast": 1}]"#,
            "rules[0].keepLast",
        ),
        ("", "must hold at least one"),
    ] {
        let refused = admin.post(&path, &[("rules", rules)]).await;
        refused
            .is(422)
            .shows(wrong)
            .hides("></textarea></textarea>");
    }
    let rules = r#"[{"path": "/card", "action": "mask", "keepLast": 4}]"#;
    let saved = admin.post(&path, &[("rules", rules)]).await;
    assert_eq!(saved.leads_to(), format!("{one}?done=saved"));
    let shown = viewer.get(one).await;
    shown.shows("<code>/card</code>: it is masked but for its last 4");
    admin.get(&path).await.shows("&quot;keepLast&quot;: 4");
    admin.post(format!("{path}/remove"), &[]).await.is(303);
    viewer.get(one).await.shows("Nothing.");
    admin
        .get("/dashboard/event-types/none/redaction")
        .await
        .is(404);
}

#[tokio::test]
async fn when_deliveries_are_tried_again_is_set_shown_and_taken_away() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let one = made(&admin).await;
    let path = format!("{one}/retry-schedule");
    let by_the_installation = "By the schedule of the installation.";
    viewer
        .get(one)
        .await
        .shows(by_the_installation)
        .hides("Change when");
    viewer.get(&path).await.is(403);
    let waits = |waits| [("tries", "waits"), ("retrySchedule", waits)];
    for (typed, wrong) in [("soon", "is not a duration"), ("8d", "604800 seconds")] {
        let refused = admin.post(&path, &waits(typed)).await;
        refused
            .is(422)
            .shows(wrong)
            .shows(&format!("value=\"{typed}\""));
    }
    let saved = admin.post(&path, &waits("5s, 10m, 2h")).await;
    assert_eq!(saved.leads_to(), format!("{one}?done=saved"));
    let shown = viewer.get(one).await;
    shown.shows("after 5s, then 10m, then 2h.");
    admin.get(&path).await.shows("value=\"5s, 10m, 2h\"");
    admin.post(&path, &[("tries", "once")]).await.is(303);
    viewer.get(one).await.shows("one attempt is all");
    admin.post(format!("{path}/remove"), &[]).await.is(303);
    viewer.get(one).await.shows(by_the_installation);
    let nowhere = "/dashboard/event-types/none/retry-schedule";
    admin.post(nowhere, &waits("5s")).await.is(404);
}

/// Makes an event type, and gives the address of its page.
async fn made(admin: &Visitor<'_>) -> &'static str {
    let new = "/dashboard/new-event-type";
    admin.post(new, &[("name", "order.paid")]).await.is(303);
    "/dashboard/event-types/order.paid"
}
