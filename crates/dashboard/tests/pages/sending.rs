//! Examples and replays.

use crate::world::World;
use app::event_types::EventTypeInput;
use model::Clock as _;
use model::role::Role;
use serde_json::json;

#[tokio::test]
async fn an_example_is_sent_to_one_endpoint_by_the_operator_and_by_its_own_people() {
    let world = World::new();
    world.application("acme").await;
    world.endpoint("acme", "other").await;
    let id = world.endpoint("acme", "own").await;
    let schemas = json!({ "1": { "examples": [{ "total": 12 }] } });
    let input = EventTypeInput {
        schemas: schemas.as_object().cloned(),
        ..EventTypeInput::default()
    };
    let (app, admin) = (&world.app, world.admin());
    let made = app.create_event_type(&admin, "order.paid", input);
    made.await.expect("it is made");
    let tenant = world.in_portal("acme", None).await;
    let admin = world.signed_in(Role::Admin).await;
    let base = "/dashboard/applications/acme";
    for (visitor, base) in [(&admin, base), (&tenant, "/portal")] {
        let test = format!("{base}/endpoints/{id}/test");
        visitor
            .get(&test)
            .await
            .is(200)
            .shows("order.paid")
            .shows("svix.ping");
        for event_type in ["order.paid", "svix.ping"] {
            world.lanes.take();
            let sent = visitor.post(&test, &[("eventType", event_type)]).await;
            let to = sent.leads_to();
            assert!(to.starts_with(&format!("{base}/messages/msg_")), "{to}");
            assert_eq!(world.lanes.take().len(), 1, "to that endpoint alone");
        }
        let fields = [("eventType", "order.paid"), ("index", "1")];
        visitor
            .post(&test, &fields)
            .await
            .is(400)
            .shows("has no example 1");
        let fields = [("eventType", "order.paid"), ("index", "x")];
        visitor
            .post(&test, &fields)
            .await
            .is(422)
            .shows("<code>index</code>");
    }
    let operator = world.signed_in(Role::Operator).await;
    let test = format!("{base}/endpoints/{id}/test");
    let fields = [("eventType", "svix.ping")];
    operator.post(&test, &fields).await.is(403);
}

#[tokio::test]
async fn a_replay_goes_on_in_the_background_and_tells_how_far_it_has_come() {
    let world = World::new();
    world.application("acme").await;
    let first = world.message("acme", "{}").await;
    assert!(first.starts_with("msg_"));
    let id = world.endpoint("acme", "late").await;
    let operator = world.signed_in(Role::Operator).await;
    let tenant = world.in_portal("acme", None).await;
    let base = "/dashboard/applications/acme";
    for (visitor, base, sent) in [(&operator, base, 1), (&tenant, "/portal", 0)] {
        let one = format!("{base}/endpoints/{id}");
        let forms = visitor.get(format!("{one}/replay")).await;
        forms
            .is(200)
            .shows("What failed")
            .shows("What it never got");
        for action in ["recover", "bulk-replay", "replay-missing"] {
            let since = world
                .app
                .clock
                .now()
                .minus(std::time::Duration::from_secs(3_600));
            let since = since.seconds() - since.seconds() % 60;
            let since = jiff::Timestamp::from_second(since)
                .expect("a time")
                .to_string();
            let fields = [("since", since.as_str())];
            let begun = visitor.post(format!("{one}/{action}"), &fields).await;
            let to = begun.leads_to().to_owned();
            assert!(to.starts_with(&format!("{one}/tasks/qtask_")), "{to}");
            let page = visitor.get(&to).await;
            page.is(200).shows("under way").shows("<progress");
            while world.app.store.work().await.expect("it works").more {}
            let page = visitor.get(&to).await;
            page.is(200).shows("finished").shows(r#"value="100""#);
            let count = if action == "replay-missing" { sent } else { 0 };
            page.shows(&format!("Messages put on their way</dt><dd>{count}</dd>"));
        }
    }
}

#[tokio::test]
async fn a_replay_that_can_not_be_is_refused_in_its_form() {
    let world = World::new();
    world.application("acme").await;
    let id = world.endpoint("acme", "own").await;
    let tenant = world.in_portal("acme", None).await;
    let one = format!("/portal/endpoints/{id}");
    for (fields, text) in [
        (&[("since", "")][..], "must be given"),
        (&[("since", "yesterday")], "must be a time such as"),
        (&[("since", "2001-01-01T00:00")], "at most 14 days"),
    ] {
        for action in ["recover", "bulk-replay", "replay-missing"] {
            let page = tenant.post(format!("{one}/{action}"), fields).await;
            page.is(422).shows(text);
        }
    }
    let fields = [("since", "2001-01-01T00:00"), ("status", "pending")];
    let page = tenant.post(format!("{one}/bulk-replay"), &fields).await;
    page.is(422).shows("<code>status</code>");
}

#[tokio::test]
async fn background_work_is_shown_to_those_whose_endpoint_it_is_for() {
    let world = World::new();
    for name in ["acme", "other"] {
        world.application(name).await;
    }
    let own = world.endpoint("acme", "own").await;
    let second = world.endpoint("acme", "second").await;
    let foreign = world.endpoint("other", "foreign").await;
    let tenant = world.in_portal("acme", None).await;
    let other = world.in_portal("other", None).await;
    let since = jiff::Timestamp::from_second(world.clock.now().seconds() - 60);
    let since = since.expect("a time").to_string();
    let path = format!("/portal/endpoints/{own}/recover");
    let begun = tenant.post(path, &[("since", since.as_str())]).await;
    let to = begun
        .leads_to()
        .split('?')
        .next()
        .expect("an address")
        .to_owned();
    tenant.get(&to).await.is(200);
    let task = to.rsplit('/').next().expect("an id");
    tenant
        .get(format!("/portal/endpoints/{second}/tasks/{task}"))
        .await
        .is(404);
    other
        .get(format!("/portal/endpoints/{foreign}/tasks/{task}"))
        .await
        .is(404);
    other.get(&to).await.is(404);
}

#[tokio::test]
async fn what_is_on_its_way_is_cancelled() {
    let world = World::new();
    world.application("acme").await;
    let id = world.endpoint("acme", "own").await;
    world.message("acme", "{}").await;
    let tenant = world.in_portal("acme", None).await;
    let one = format!("/portal/endpoints/{id}");
    let cancelled = tenant.post(format!("{one}/cancel"), &[]).await;
    assert_eq!(cancelled.leads_to(), format!("{one}?done=cancelled"));
    while world.app.store.work().await.expect("it works").more {}
    tenant
        .get(&one)
        .await
        .is(200)
        .shows(r#"<span class="figure">1</span><span class="called">cancelled"#);
}
