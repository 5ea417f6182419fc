//! The settings page: what it shows to whom, and what its forms do.

use crate::world::World;
use model::role::Role;

const PAGE: &str = "/dashboard/settings";
const CHANNEL: &str = "/dashboard/settings/alerts/channel";
const SLACK: [(&str, &str); 5] = [
    ("type", "slack"),
    ("url", "https://hooks.example/services/sesame"),
    ("to", ""),
    ("minSeverity", "critical"),
    ("kinds", "ingest.replayed, ingest.malformed"),
];

#[tokio::test]
async fn everybody_sees_how_it_is_set_and_only_an_admin_is_offered_to_change_it() {
    let world = World::new();
    for role in [Role::Viewer, Role::Operator] {
        let visitor = world.signed_in(role).await;
        visitor
            .get(PAGE)
            .await
            .is(200)
            .shows("listen = &quot;127.0.0.1:8071&quot;")
            .shows("Nothing is demanded of all endpoints.")
            .shows("Master key that seals")
            .hides("action=\"/dashboard/settings");
        for form in [
            "policy",
            "payloads",
            "alerts/channel",
            "alerts/pace",
            "alerts/test",
        ] {
            visitor.post(format!("{PAGE}/{form}"), &[]).await.is(403);
        }
    }
    let admin = world.signed_in(Role::Admin).await;
    admin
        .get(PAGE)
        .await
        .is(200)
        .shows("action=\"/dashboard/settings/policy\"")
        .shows("action=\"/dashboard/settings/payloads\"")
        .shows("action=\"/dashboard/settings/alerts/channel\"");
}

#[tokio::test]
async fn what_is_demanded_of_endpoints_is_saved_and_shown() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let fields = [
        ("require", "pins"),
        ("require", "encryption"),
        ("eventTypes", "order.paid: auth"),
    ];
    let done = admin.post("/dashboard/settings/policy", &fields).await;
    assert_eq!(done.leads_to(), "/dashboard/settings?done=saved");
    let viewer = world.signed_in(Role::Viewer).await;
    viewer
        .get(PAGE)
        .await
        .is(200)
        .shows("Of all endpoints: encryption, pins.")
        .shows("<code>order.paid</code>");
}

#[tokio::test]
async fn a_form_that_is_refused_is_shown_again_with_what_was_typed() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let typed = "</textarea><script>alert(1)</script>";
    let fields = [("require", "pins"), ("eventTypes", typed)];
    admin
        .post("/dashboard/settings/policy", &fields)
        .await
        .is(422)
        .shows("has no colon behind the event type")
        .shows("value=\"pins\" checked")
        .shows("&lt;/textarea&gt;&lt;script&gt;")
        .hides("<script>alert");
    admin
        .get(PAGE)
        .await
        .is(200)
        .hides("value=\"pins\" checked");
}

#[tokio::test]
async fn what_is_asked_of_payloads_is_saved_and_shown() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let path = "/dashboard/settings/payloads";
    let fields = [
        ("enforceEventTypeSchemas", "true"),
        ("scanPayloads", "report"),
    ];
    let done = admin.post(path, &fields).await;
    assert_eq!(done.leads_to(), "/dashboard/settings?done=saved");
    admin
        .get(PAGE)
        .await
        .is(200)
        .shows("<option value=\"true\" selected>")
        .shows("<option value=\"report\" selected>");
    let fields = [
        ("enforceEventTypeSchemas", "perhaps"),
        ("scanPayloads", "off"),
    ];
    admin
        .post(path, &fields)
        .await
        .is(422)
        .shows("must be `true` or `false`");
}

#[tokio::test]
async fn a_channel_is_added_and_its_url_is_never_shown() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let done = admin.post(CHANNEL, &SLACK).await;
    assert_eq!(done.leads_to(), "/dashboard/settings?done=saved");
    let page = admin.get(PAGE).await;
    page.is(200)
        .shows("https://hooks.example/***")
        .shows("critical or worse")
        .shows("<code>ingest.replayed</code>")
        .hides("sesame");
    let tried = admin.post("/dashboard/settings/alerts/test", &[]).await;
    tried
        .is(200)
        .shows("it was not taken")
        .shows("this process sends no alerts")
        .hides("sesame");
    let mut wrong = SLACK;
    wrong[4].1 = "made.up";
    let refused = admin.post(CHANNEL, &wrong).await;
    refused
        .is(422)
        .shows("is no kind of security event")
        .hides("sesame");
}

#[tokio::test]
async fn a_channel_is_removed_only_where_it_still_is_what_was_seen() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    admin.post(CHANNEL, &SLACK).await.is(303);
    let path = "/dashboard/settings/alerts/remove";
    for (channel, was) in [
        ("0", "https://other.example/***"),
        ("1", "https://hooks.example/***"),
    ] {
        let fields = [("channel", channel), ("was", was)];
        let refused = admin.post(path, &fields).await;
        refused.is(422).shows("it is not there any more");
    }
    admin.get(PAGE).await.shows("https://hooks.example/***");
    let fields = [("channel", "0"), ("was", "https://hooks.example/***")];
    admin.post(path, &fields).await.is(303);
    admin
        .get(PAGE)
        .await
        .is(200)
        .shows("Nobody is told of them.");
}

#[tokio::test]
async fn how_often_is_saved_and_a_number_out_of_bounds_is_told() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let path = "/dashboard/settings/alerts/pace";
    let pace = |dedup| {
        [
            ("dedupSeconds", dedup),
            ("digestSeconds", "60"),
            ("atOnce", "7"),
        ]
    };
    admin
        .post(path, &pace("1"))
        .await
        .is(422)
        .shows("value=\"1\"");
    admin
        .post(path, &pace("often"))
        .await
        .is(422)
        .shows("must be a whole number");
    admin.post(path, &pace("30")).await.is(303);
    let viewer = world.signed_in(Role::Viewer).await;
    viewer
        .get(PAGE)
        .await
        .shows("The same is told again after 30.0 s; at most 7 alerts go out at once");
}

#[tokio::test]
async fn what_is_kept_for_pages_of_others_is_changed_and_shown() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let path = "/dashboard/settings/other";
    viewer.get(PAGE).await.hides(path);
    viewer.get(path).await.is(403);
    admin.get(PAGE).await.shows(path);
    admin
        .get(path)
        .await
        .is(200)
        .shows("name=\"colorPaletteDark.primary\"")
        .hides("enableTransformations")
        .hides("scanPayloads");
    for (name, typed, wrong) in [
        ("customColor", "red", "must be a colour"),
        ("logoUrl", "javascript:alert(1)", "https://"),
        ("customThemeOverride.fontSize.base", "big", "whole number"),
        ("displayName", "\"><script>\u{7}", "Control characters"),
    ] {
        let refused = admin.post(path, &[(name, typed)]).await;
        refused.is(422).shows(wrong).hides("\"><script>");
        refused.shows("<strong class=\"wrong\">");
    }
    let scan = [
        ("enforceEventTypeSchemas", "true"),
        ("scanPayloads", "report"),
    ];
    let payloads = admin.post("/dashboard/settings/payloads", &scan).await;
    payloads.is(303);
    let fields = [
        ("displayName", "Our </pre> hooks"),
        ("colorPaletteDark.primary", "#123456"),
        ("showUseSvixPlay", "false"),
    ];
    let saved = admin.post(path, &fields).await;
    assert_eq!(saved.leads_to(), "/dashboard/settings?done=saved");
    viewer
        .get(PAGE)
        .await
        .shows("&quot;displayName&quot;: &quot;Our &lt;/pre&gt; hooks&quot;")
        .shows("&quot;primary&quot;: &quot;#123456&quot;")
        .shows("What should not be there is a security event");
    admin.get(path).await.shows("value=\"#123456\"");
    // What stays empty is as it was at first.
    admin.post(path, &[]).await.is(303);
    viewer
        .get(PAGE)
        .await
        .hides("#123456")
        .shows("&quot;showUseSvixPlay&quot;: true");
}
