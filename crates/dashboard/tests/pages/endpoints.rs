//! Endpoints, in the operator's dashboard and in the portal.

use crate::visitor::Visitor;
use crate::world::{World, endpoint_input};
use app::access::limits::Capability;
use app::endpoints::EndpointInput;
use app::event_types::EventTypeInput;
use model::role::Role;

/// Where an application's pages are, for each of its two kinds of visitors.
async fn both<'w>(world: &'w World) -> [(Visitor<'w>, &'static str); 2] {
    [
        (
            world.signed_in(Role::Admin).await,
            "/dashboard/applications/acme",
        ),
        (world.in_portal("acme", None).await, "/portal"),
    ]
}

async fn event_type(world: &World, name: &str, flag: Option<&str>) {
    let input = EventTypeInput {
        feature_flag: flag.map(str::to_owned),
        ..EventTypeInput::default()
    };
    let (app, admin) = (&world.app, world.admin());
    let made = app.create_event_type(&admin, name, input);
    made.await.expect("it is made");
}

#[tokio::test]
async fn an_endpoint_is_made_changed_switched_and_deleted_in_both_places() {
    let world = World::new();
    world.application("acme").await;
    event_type(&world, "order.paid", None).await;
    for (visitor, base) in both(&world).await {
        let new = format!("{base}/endpoints/new");
        visitor
            .get(&new)
            .await
            .is(200)
            .shows(r#"value="order.paid""#);
        let fields = [
            ("url", "https://example.com/hook"),
            ("description", "<i>Ours</i>"),
            ("eventTypes", "order.paid"),
            ("channels", "one, two"),
            ("rateLimit", "7"),
        ];
        let made = visitor.post(&new, &fields).await;
        let to = made.leads_to().to_owned();
        let one = to.strip_suffix("?done=created").expect("it was made");
        let page = visitor.get(one).await;
        page.is(200)
            .shows("&lt;i&gt;Ours")
            .hides("<i>")
            .shows("enabled");
        page.shows("<code>order.paid</code>")
            .shows("<code>two</code>");
        let list = visitor.get(format!("{base}/endpoints")).await;
        list.is(200).shows("https://example.com/hook").hides("<i>");
        let edit = format!("{one}/edit");
        visitor.get(&edit).await.is(200).shows("one, two");
        let changed = [
            ("url", "https://example.com/other"),
            ("description", "Mine"),
        ];
        assert!(
            visitor
                .post(&edit, &changed)
                .await
                .leads_to()
                .ends_with("done=saved")
        );
        visitor.get(one).await.shows("/other").shows("all of them");
        visitor.post(format!("{one}/disable"), &[]).await.is(303);
        visitor.get(one).await.shows("disabled").shows("Enable");
        visitor.post(format!("{one}/enable"), &[]).await.is(303);
        visitor.get(one).await.shows("enabled");
        let deleted = visitor.post(format!("{one}/delete"), &[]).await;
        assert_eq!(deleted.leads_to(), format!("{base}/endpoints?done=deleted"));
        visitor.get(one).await.is(404);
    }
}

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed() {
    let world = World::new();
    world.application("acme").await;
    event_type(&world, "order.paid", None).await;
    for (visitor, base) in both(&world).await {
        let new = format!("{base}/endpoints/new");
        let fields = [
            ("url", "ftp://<example>"),
            ("description", "</textarea><script>"),
            ("eventTypes", "order.paid"),
            ("moreEventTypes", "no.such"),
            ("rateLimit", "0"),
        ];
        let page = visitor.post(&new, &fields).await;
        page.is(422).shows("<code>url</code>").shows("no.such");
        page.shows(r#"value="ftp://&lt;example&gt;""#);
        page.shows("&lt;/textarea&gt;&lt;script&gt;")
            .hides("</textarea><script>");
        page.shows(r#"value="order.paid" checked"#)
            .shows("<code>rateLimit</code>");
    }
}

#[tokio::test]
async fn metadata_is_noted_changed_and_taken_away_line_by_line() {
    let world = World::new();
    world.application("acme").await;
    for (visitor, base) in both(&world).await {
        let new = format!("{base}/endpoints/new");
        let fields = [
            ("url", "https://example.com/hook"),
            ("metadata", "team=red <b>\r\n\r\n plan = gold = best \r\n"),
        ];
        let made = visitor.post(&new, &fields).await;
        let to = made.leads_to().to_owned();
        let one = to.strip_suffix("?done=created").expect("it was made");
        let page = visitor.get(one).await;
        page.is(200)
            .shows("<dt>plan</dt><dd>gold = best</dd>")
            .shows("<dt>team</dt><dd>red &lt;b&gt;</dd>");
        let edit = format!("{one}/edit");
        let page = visitor.get(&edit).await;
        page.is(200)
            .shows("plan=gold = best\nteam=red &lt;b&gt;</textarea>");
        let wrong = [fields[0], ("metadata", "team=red\r\nplan: gold")];
        let page = visitor.post(&edit, &wrong).await;
        page.is(422)
            .shows("<code>metadata</code>: line 2: must be `name=value`")
            .shows("team=red\r\nplan: gold</textarea>");
        let changed = [fields[0], ("metadata", "team=blue")];
        visitor.post(&edit, &changed).await.is(303);
        let page = visitor.get(one).await;
        page.is(200)
            .shows("<dt>team</dt><dd>blue</dd>")
            .hides("<dt>plan</dt>");
    }
}

#[tokio::test]
async fn metadata_that_no_line_can_say_stays_as_it_is() {
    let world = World::new();
    world.application("acme").await;
    let kept = [("a=b", "c"), ("two\nlines", "d"), ("note", "one\ntwo")];
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let input = EndpointInput {
        metadata: kept.into(),
        ..endpoint_input("own")
    };
    let id = world.endpoint_with("acme", input).await;
    let tenant = world.in_portal("acme", None).await;
    let one = format!("/portal/endpoints/{id}");
    let page = tenant.get(format!("{one}/edit")).await;
    page.is(200)
        .shows("no line can say it: a=b, note, two\\nlines.")
        .hides("a=b=c");
    let fields = [("url", "https://example.com/own"), ("metadata", "x=y")];
    tenant.post(format!("{one}/edit"), &fields).await.is(303);
    let page = tenant.get(&one).await;
    page.is(200)
        .shows("<dt>a=b</dt><dd>c</dd>")
        .shows("<dd>one\ntwo</dd>")
        .shows("<dt>x</dt><dd>y</dd>");
}

#[tokio::test]
async fn a_password_in_a_url_is_not_shown_and_stays_as_it_was() {
    let world = World::new();
    world.application("acme").await;
    let input = EndpointInput {
        url: "https://ann:sesame@example.com/hook".to_owned(),
        ..endpoint_input("own")
    };
    let id = world.endpoint_with("acme", input).await;
    let admin = world.signed_in(Role::Admin).await;
    let one = format!("/dashboard/applications/acme/endpoints/{id}");
    let page = admin.get(format!("{one}/edit")).await;
    page.is(200).hides("sesame");
    let text = page.text();
    let at = text.find(r#"name="url" value=""#).expect("its URL") + r#"name="url" value=""#.len();
    let url: String = text[at..].chars().take_while(|c| *c != '"').collect();
    let fields = [("url", url.as_str()), ("description", "new")];
    admin.post(format!("{one}/edit"), &fields).await.is(303);
    admin.get(&one).await.is(200).shows("new").hides("sesame");
}

#[tokio::test]
async fn the_portal_shows_its_own_application_alone_and_nothing_of_the_operators() {
    let world = World::new();
    world.application("acme").await;
    world.application("other").await;
    let own = world.endpoint("acme", "own").await;
    let foreign = world.endpoint("other", "foreign").await;
    event_type(&world, "open.type", None).await;
    event_type(&world, "secret.type", Some("beta")).await;
    let tenant = world.in_portal("acme", None).await;
    let first = tenant.get("/portal").await;
    first
        .is(200)
        .shows("example.com/own")
        .hides("foreign")
        .hides("/dashboard");
    for path in [
        format!("/portal/endpoints/{foreign}"),
        format!("/portal/endpoints/{foreign}/edit"),
        format!("/portal/endpoints/{foreign}/test"),
        "/portal/event-types/secret.type".to_owned(),
    ] {
        tenant.get(path).await.is(404);
    }
    for action in [
        "delete",
        "secret",
        "secret/rotate",
        "disable",
        "recover",
        "test",
    ] {
        let path = format!("/portal/endpoints/{foreign}/{action}");
        tenant
            .post(path, &[("since", "2026-01-01T00:00")])
            .await
            .is(404);
    }
    let page = tenant.get(format!("/portal/endpoints/{own}")).await;
    page.is(200).hides("Security events").hides("/dashboard");
    let new = tenant.get("/portal/endpoints/new").await;
    new.is(200).shows("open.type").hides("secret.type");
    let admin = world.signed_in(Role::Admin).await;
    let page = admin
        .get(format!("/dashboard/applications/acme/endpoints/{own}"))
        .await;
    page.is(200).shows("Security events");
}

#[tokio::test]
async fn a_secret_is_shown_to_whoever_may_see_it_when_they_ask_and_nowhere_else() {
    let world = World::new();
    world.application("acme").await;
    let id = world.endpoint("acme", "own").await;
    let one = format!("/dashboard/applications/acme/endpoints/{id}");
    let secret = format!("{one}/secret");
    let admin = world.signed_in(Role::Admin).await;
    admin
        .get(&one)
        .await
        .is(200)
        .shows("Show secret")
        .hides("whsec_");
    let shown = admin.post(&secret, &[]).await;
    shown.is(200).shows("whsec_");
    assert_eq!(shown.header("cache-control"), "no-store");
    admin.get(&secret).await.is(404);
    let rotated = admin.post(format!("{secret}/rotate"), &[]).await;
    assert_eq!(rotated.leads_to(), format!("{one}?done=rotated"));
    let again = admin.post(&secret, &[]).await;
    assert_ne!(again.is(200).text(), shown.text());
    for role in [Role::Viewer, Role::Operator] {
        let visitor = world.signed_in(role).await;
        visitor
            .get(&one)
            .await
            .is(200)
            .hides("Show secret")
            .hides("Replace secret");
        visitor.post(&secret, &[]).await.is(403);
    }
    let looks = [Capability::ViewBase];
    let sees = [Capability::ViewBase, Capability::ViewEndpointSecret];
    for (capabilities, status) in [(&looks[..], 403), (&sees, 200)] {
        let visitor = world.in_portal("acme", Some(capabilities)).await;
        let path = format!("/portal/endpoints/{id}/secret");
        visitor.post(&path, &[]).await.is(status);
        visitor.post(format!("{path}/rotate"), &[]).await.is(403);
    }
}

#[tokio::test]
async fn only_what_somebody_may_do_is_offered() {
    let world = World::new();
    world.application("acme").await;
    let id = world.endpoint("acme", "own").await;
    let one = format!("/dashboard/applications/acme/endpoints/{id}");
    let own = format!("/portal/endpoints/{id}");
    let looks = world.in_portal("acme", Some(&[Capability::ViewBase])).await;
    let sends = [Capability::ViewBase, Capability::CreateAttempts];
    let sends = world.in_portal("acme", Some(&sends)).await;
    for (page, changes, replays, tries) in [
        (
            world.signed_in(Role::Viewer).await.get(&one).await,
            false,
            false,
            false,
        ),
        (
            world.signed_in(Role::Operator).await.get(&one).await,
            false,
            true,
            false,
        ),
        (
            world.signed_in(Role::Admin).await.get(&one).await,
            true,
            true,
            true,
        ),
        (looks.get(&own).await, false, false, false),
        (sends.get(&own).await, false, true, true),
    ] {
        let text = page.is(200).text();
        for (rest, offered) in [("/edit", changes), ("/replay", replays), ("/test", tries)] {
            assert_eq!(text.contains(&format!("{id}{rest}\"")), offered, "{rest}");
        }
    }
}
