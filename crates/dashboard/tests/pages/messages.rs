//! Messages and their attempts: looked at, searched, sent, sent again, and removed.

use crate::outcomes::SHOWN;
use crate::visitor::Page;
use crate::world::World;
use app::access::limits::Capability;
use app::messages::MessageInput;
use model::Pin;
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::role::Role;
use store::record::HealthChange;

const HOSTILE: &str = "<script>alert(1)</script>";
const ESCAPED: &str = "&lt;script&gt;alert(1)&lt;/script&gt;";

fn sent(event_type: &str, event_id: &str) -> MessageInput {
    MessageInput {
        event_type: event_type.to_owned(),
        event_id: Some(event_id.to_owned()),
        tags: Some(vec![format!("tag-of-{event_id}")]),
        channels: Some(vec![format!("channel-of-{event_id}")]),
        payload: r#"{"total":12}"#.into(),
        ..MessageInput::default()
    }
}

/// The first link of a page that has this in it.
fn link(page: &Page, part: &str) -> String {
    let links = page.text().split("href=\"").skip(1);
    let mut links = links.filter_map(|rest| rest.split('"').next());
    let found = links.find(|link| link.contains(part));
    found
        .unwrap_or_else(|| panic!("no link to {part}: {}", page.text()))
        .to_owned()
}

#[tokio::test]
async fn messages_of_all_applications_are_found_by_what_they_are() {
    let world = World::new();
    let acme = world.application("acme").await;
    world.application("other").await;
    let paid = world.message_with("acme", sent("order.paid", "one")).await;
    let sold = world.message_with("other", sent("order.sold", "two")).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let all = viewer.get("/dashboard/messages").await;
    all.is(200)
        .shows(&paid)
        .shows(&sold)
        .shows("Application other");
    for (query, shown, hidden) in [
        ("type=order.paid", &paid, &sold),
        ("channel=channel-of-two", &sold, &paid),
        ("tag=tag-of-one", &paid, &sold),
        ("app=other", &sold, &paid),
        ("app=acme&type=order.paid&tag=", &paid, &sold),
    ] {
        let page = viewer.get(format!("/dashboard/messages?{query}")).await;
        page.is(200).shows(shown).hides(hidden);
    }
    let none = viewer
        .get("/dashboard/messages?after=2100-01-01T00:00")
        .await;
    none.is(200).hides(&paid).shows("No message is like this.");
    for query in [format!("id={paid}"), "id=one&app=acme".to_owned()] {
        let led = viewer.get(format!("/dashboard/messages?{query}")).await;
        let to = format!("/dashboard/applications/{acme}/messages/{paid}");
        assert_eq!(led.leads_to(), to);
    }
    let missing = viewer.get("/dashboard/messages?id=one").await;
    missing
        .is(422)
        .shows("the application has to be given as well");
    let wrong = viewer.get("/dashboard/messages?before=yesterday").await;
    wrong.is(422).shows("must be a time such as");
}

#[tokio::test]
async fn deliveries_are_found_by_how_they_stand() {
    let world = World::new();
    world.application("acme").await;
    world.endpoint("acme", "hook").await;
    let delivered = world.message("acme", "{}").await;
    world.answered((200, b"fine")).await;
    let failed = world.message("acme", "{}").await;
    world.answered((503, b"not now")).await;
    let pending = world.message("acme", "{}").await;
    let viewer = world.signed_in(Role::Viewer).await;
    for (query, shown, hidden) in [
        ("state=delivered", &delivered, [&failed, &pending]),
        ("state=exhausted", &failed, [&delivered, &pending]),
        ("state=pending&app=acme", &pending, [&delivered, &failed]),
        ("class=500", &failed, [&delivered, &pending]),
    ] {
        let page = viewer.get(format!("/dashboard/messages/deliveries?{query}"));
        let page = page.await;
        page.is(200).shows(shown).hides(hidden[0]).hides(hidden[1]);
    }
    let wrong = viewer
        .get("/dashboard/messages/deliveries?state=lost")
        .await;
    wrong.is(422).shows("must be `pending`");
}

#[tokio::test]
async fn a_delivery_that_was_cancelled_is_called_so_and_one_that_failed_is_called_that() {
    let world = World::new();
    world.application("acme").await;
    world.endpoint("acme", "hook").await;
    let cancelled = world.message("acme", "{}").await;
    let result = AttemptResult::Cancelled(EndReason::PayloadGone);
    world.end(result, || HealthChange::None).await;
    let failed = world.message("acme", "{}").await;
    world.answered((503, b"not now")).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let tenant = world.in_portal("acme", None).await;
    for (message, shown, hidden) in [
        (&cancelled, ">cancelled</span>", ">failed</span>"),
        (&failed, ">failed</span>", ">cancelled</span>"),
    ] {
        let operators = format!("/dashboard/applications/acme/messages/{message}");
        viewer
            .get(operators)
            .await
            .is(200)
            .shows(shown)
            .hides(hidden);
        let own = format!("/portal/messages/{message}");
        tenant.get(own).await.is(200).shows(shown).hides(hidden);
    }
}

#[tokio::test]
async fn an_endpoints_messages_are_found_by_how_they_stand_with_it() {
    let world = World::new();
    world.application("acme").await;
    let hook = world.endpoint("acme", "hook").await;
    let delivered = world.message("acme", "{}").await;
    world.answered((200, b"fine")).await;
    let failed = world.message("acme", "{}").await;
    world.answered((503, b"not now")).await;
    let cancelled = world.message("acme", "{}").await;
    let result = AttemptResult::Cancelled(EndReason::PayloadGone);
    world.end(result, || HealthChange::None).await;
    let pending = world.message_with("acme", sent("order.sold", "one")).await;
    let late = world.endpoint("acme", "late").await;
    let messages = [&delivered, &failed, &cancelled, &pending];
    for (visitor, base) in [
        (
            world.signed_in(Role::Viewer).await,
            "/dashboard/applications/acme",
        ),
        (world.in_portal("acme", None).await, "/portal"),
    ] {
        let list = format!("{base}/endpoints/{hook}/messages");
        let one = visitor.get(format!("{base}/endpoints/{hook}")).await;
        assert!(link(&one, &format!("{hook}/messages")).ends_with("/messages"));
        let all = visitor.get(&list).await;
        for message in messages {
            all.is(200).shows(message);
        }
        for (query, wanted, word) in [
            ("state=delivered", &delivered, ">delivered</span>"),
            ("state=failed", &failed, ">failed</span>"),
            ("state=cancelled", &cancelled, ">cancelled</span>"),
            ("state=pending", &pending, ">pending</span>"),
            ("type=order.sold", &pending, ">pending</span>"),
            ("tag=tag-of-one", &pending, ">pending</span>"),
        ] {
            let page = visitor.get(format!("{list}?{query}")).await;
            page.is(200).shows(word);
            for message in messages {
                let is_listed = page.text().contains(&format!("/messages/{message}"));
                assert_eq!(is_listed, message == wanted, "{query} {message}");
            }
        }
        let page = visitor.get(format!("{list}?state=retrying")).await;
        page.is(200).shows("No message is like this.");
        let page = visitor.get(format!("{list}?state=lost")).await;
        page.is(422).shows("must be `delivered`");
        // What was sent before it was there is none of its.
        let page = visitor
            .get(format!("{base}/endpoints/{late}/messages"))
            .await;
        page.is(200).shows("No message is like this.");
    }
}

/// A message that a receiver refused, and the page of its attempt.
async fn refused(world: &World) -> (String, String) {
    world.application("acme").await;
    world.endpoint("acme", "hook").await;
    let payload = format!(r#"{{"note":"{HOSTILE}"}}"#);
    let message = world.message("acme", &payload).await;
    world
        .answered((500, b"<script>alert(1)</script> oh no"))
        .await;
    let path = format!("/dashboard/applications/acme/messages/{message}");
    let viewer = world.signed_in(Role::Viewer).await;
    let page = viewer.get(&path).await;
    (message, link(&page, "/attempts/"))
}

#[tokio::test]
async fn a_message_is_shown_with_each_attempt_and_nothing_of_others_is_markup() {
    let world = World::new();
    let (message, attempt) = refused(&world).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let path = format!("/dashboard/applications/acme/messages/{message}");
    let page = viewer.get(&path).await;
    page.is(200)
        .shows(ESCAPED)
        .hides(HOSTILE)
        .shows("failed")
        .shows("500")
        .shows("12 ms");
    page.shows("{\n  &quot;note&quot;: ");
    let page = viewer.get(&attempt).await;
    page.is(200)
        .shows(ESCAPED)
        .hides(HOSTILE)
        .shows("oh no")
        .shows("The receiver failed.");
    page.shows("webhook-timestamp")
        .shows("webhook-signature")
        .shows("not shown");
    page.shows(&format!("{message}.")).shows(".BODY");
    page.shows("https://example.com/hook");
}

#[tokio::test]
async fn an_attempt_tells_how_its_request_went_to_the_operator_and_to_its_application() {
    let world = World::new();
    let (_, attempt) = refused(&world).await;
    let (viewer, own) = (
        world.signed_in(Role::Viewer).await,
        world.in_portal("acme", None).await,
    );
    let (_, below) = attempt.split_once("/messages/").expect("it is a message's");
    let in_portal = format!("/portal/messages/{below}");
    for (visitor, path) in [(viewer, &attempt), (own, &in_portal)] {
        let page = visitor.get(path).await;
        page.is(200)
            .shows("Response headers")
            .shows("x-reason")
            .shows("&lt;/code&gt;&lt;script&gt;alert(1)")
            .hides(HOSTILE);
        page.shows("not kept").shows("since there were too many: 3");
        page.shows("Over a kept connection, by HTTP/1.1.")
            .shows("250 µs")
            .hides("TLS handshake");
        page.shows("CN=&lt;i&gt;receiver&lt;/i&gt;")
            .shows(&Pin::new(SHOWN).to_string())
            .hides("Pinned");
    }
    let admin = world.signed_in(Role::Admin).await;
    let pin = Pin::new(SHOWN).to_string();
    let path = "/dashboard/applications/acme/endpoints/hook/protection/pins";
    let fields = [("mode", "enforce"), ("pins", pin.as_str())];
    admin.post(path, &fields).await.is(303);
    let page = admin.get(&attempt).await;
    page.shows("Pinned").shows(">pinned<");
}

#[tokio::test]
async fn bytes_of_others_are_files_that_no_browser_runs() {
    let world = World::new();
    world.application("acme").await;
    world.endpoint("acme", "hook").await;
    let message = world.message("acme", r#"{"a":"<b>"}"#).await;
    world.answered((200, b"\xff\xfe<html>")).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let path = format!("/dashboard/applications/acme/messages/{message}");
    let attempt = link(&viewer.get(&path).await, "/attempts/");
    viewer
        .get(&attempt)
        .await
        .is(200)
        .shows("8 bytes that are no text");
    for (path, bytes) in [
        (format!("{path}/payload"), &br#"{"a":"<b>"}"#[..]),
        (format!("{attempt}/response"), b"\xff\xfe<html>"),
    ] {
        let file = viewer.get(path).await;
        assert_eq!((file.status, &file.bytes[..]), (200, bytes));
        assert_eq!(file.header("content-type"), "application/octet-stream");
        assert!(
            file.header("content-disposition")
                .starts_with("attachment;")
        );
        assert!(file.header("content-security-policy").contains("sandbox"));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_message_is_sent_again_by_whoever_may_and_offered_to_nobody_else() {
    let world = World::new();
    let (message, _) = refused(&world).await;
    let path = format!("/dashboard/applications/acme/messages/{message}");
    world
        .signed_in(Role::Viewer)
        .await
        .get(&path)
        .await
        .hides("Send again");
    let operator = world.signed_in(Role::Operator).await;
    let page = operator.get(&path).await;
    page.shows("Send again").hides("Expunge").hides("secret");
    let resend = format!("{path}/resend");
    let sent = operator.post(&resend, &[("endpoint", "hook")]).await;
    let to = sent.leads_to().to_owned();
    assert_eq!(to, format!("{path}?done=resent"));
    operator
        .get(&to)
        .await
        .shows("It is sent again")
        .shows("pending");
    world.answered((204, b"")).await;
    operator
        .get(&path)
        .await
        .shows("delivered")
        .shows("sent again by hand");
    let missing = operator.post(&resend, &[("endpoint", "none")]).await;
    missing.is(404);
}

#[tokio::test]
async fn an_administrator_removes_what_was_sent_and_answered() {
    let world = World::new();
    let (message, attempt) = refused(&world).await;
    let path = format!("/dashboard/applications/acme/messages/{message}");
    let admin = world.signed_in(Role::Admin).await;
    admin.get(&path).await.shows("Expunge the payload");
    let done = admin.post(format!("{path}/expunge"), &[]).await;
    assert_eq!(done.leads_to(), format!("{path}?done=deleted"));
    let page = admin.get(&path).await;
    page.shows("The payload is gone")
        .hides(ESCAPED)
        .hides("Send again");
    admin.get(format!("{path}/payload")).await.is(404);
    admin.get(&attempt).await.shows("Expunge the answer");
    admin.post(format!("{attempt}/expunge"), &[]).await.is(303);
    admin
        .get(&attempt)
        .await
        .shows("It was expunged.")
        .hides("oh no")
        .hides("x-reason");
}

#[tokio::test]
async fn a_message_is_sent_by_a_form_that_says_what_is_wrong() {
    let world = World::new();
    let acme = world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    let list = "/dashboard/applications/acme/messages";
    let path = format!("{list}/new");
    admin.get(list).await.is(200).shows("Send a message");
    let operator = world.signed_in(Role::Operator).await;
    operator.get(list).await.is(200).hides("Send a message");
    admin.get(&path).await.is(200).shows("Event type");
    for (payload, wrong) in [("{", "must be JSON"), ("[]", "Payload must be an object.")] {
        let fields = [("eventType", HOSTILE), ("payload", payload)];
        let again = admin.post(&path, &fields).await;
        again.is(422).shows(wrong).shows(ESCAPED).hides(HOSTILE);
    }
    let fields = [
        ("eventType", "order.paid"),
        ("payload", " {\"total\": 1.50} "),
        ("eventId", "order-1"),
        ("channels", "one, two"),
    ];
    let sent = admin.post(&path, &fields).await;
    let to = sent.leads_to();
    assert!(
        to.starts_with(&format!("/dashboard/applications/{acme}/messages/msg_"))
            || to.starts_with(&format!("{list}/msg_")),
        "{to}"
    );
    admin
        .get(to)
        .await
        .is(200)
        .shows("1.50")
        .shows("order-1")
        .shows("one, two");
    admin.post(&path, &fields).await.is(409).shows("order-1");
}

#[tokio::test]
async fn an_applications_people_see_their_own_messages_alone() {
    let world = World::new();
    let (own, attempt) = refused(&world).await;
    world.application("other").await;
    let foreign = world.message("other", "{}").await;
    let people = world.in_portal("acme", None).await;
    people
        .get("/portal/messages")
        .await
        .is(200)
        .shows(&own)
        .hides(&foreign)
        .hides("Send a message");
    let path = format!("/portal/messages/{own}");
    let page = people.get(&path).await;
    page.is(200).shows(ESCAPED).shows("Send again");
    page.hides("Expunge")
        .hides("Deliveries that it came through")
        .hides("/dashboard");
    let attempt = attempt.replace("/dashboard/applications/acme", "/portal");
    people
        .get(&attempt)
        .await
        .is(200)
        .shows("oh no")
        .hides("Expunge")
        .hides("/dashboard");
    for rest in ["", "/payload", "/attempts/none"] {
        people
            .get(format!("/portal/messages/{foreign}{rest}"))
            .await
            .is(404);
    }
    let fields = [("endpoint", "hook")];
    people
        .post(format!("/portal/messages/{foreign}/resend"), &fields)
        .await
        .is(404);
    people.post(format!("{path}/resend"), &fields).await.is(303);
    assert_eq!(world.lanes.take().len(), 1);
    let looking = world.in_portal("acme", Some(&[Capability::ViewBase])).await;
    looking.get(&path).await.is(200).hides("Send again");
    looking
        .post(format!("{path}/resend"), &fields)
        .await
        .is(403);
    let again = [Capability::ViewBase, Capability::CreateAttempts];
    let again = world.in_portal("acme", Some(&again)).await;
    again.get(&path).await.is(200).shows("Send again");
}

#[tokio::test]
async fn the_attempts_to_an_endpoint_are_found_by_how_they_ended() {
    let world = World::new();
    let (failed, _) = refused(&world).await;
    let fine = world.message("acme", "{}").await;
    world.answered((200, b"fine")).await;
    let viewer = world.signed_in(Role::Viewer).await;
    let people = world.in_portal("acme", None).await;
    for (visitor, base) in [
        (&viewer, "/dashboard/applications/acme"),
        (&people, "/portal"),
    ] {
        let path = format!("{base}/endpoints/hook/attempts");
        visitor.get(&path).await.is(200).shows(&failed).shows(&fine);
        for (query, shown, hidden) in [
            ("status=success", &fine, &failed),
            ("status=fail", &failed, &fine),
            ("class=200", &fine, &failed),
        ] {
            let page = visitor.get(format!("{path}?{query}")).await;
            page.is(200).shows(shown).hides(hidden);
        }
        visitor.get(format!("{path}?status=lost")).await.is(422);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_looked_at_shows_the_next_attempt() {
    let world = World::new();
    let (message, _) = refused(&world).await;
    let operator = world.signed_in(Role::Operator).await;
    let path = format!("/dashboard/applications/acme/messages/{message}");
    let mut events = operator.follow(&path).await;
    let first = events.next().await;
    assert!(
        first.contains("failed") && !first.contains("delivered"),
        "{first}"
    );
    operator
        .post(format!("{path}/resend"), &[("endpoint", "hook")])
        .await
        .is(303);
    world.answered((200, b"fine")).await;
    let second = events.next().await;
    assert!(second.contains("delivered"), "{second}");
}
