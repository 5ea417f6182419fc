//! Event types: shown to everybody, made and changed by the operator.

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
