//! The story's second part: what is sent arrives signed and once, and is found afterwards from
//! the message's side and from the endpoint's.

use std::time::Duration;

use e2e::eventually;
use serde_json::json;
use svix::api::{
    MessageAttemptListByEndpointOptions, MessageAttemptListByMsgOptions, MessageCreateOptions,
    MessageGetOptions, MessageListOptions,
};
use svix::models::{
    MessageAttemptOut, MessageAttemptTriggerType, MessageIn, MessageStatus, MessageStatusText,
    StatusCodeClass,
};
use tokio::time::Instant;

use crate::{Story, app, ask, done, paid, refused, set};

/// How far a message's time, which the server shows in steps, may lie before the server's clock.
const STEP: Duration = Duration::from_millis(10);

pub(crate) async fn messages_arrive_where_they_match(story: &Story) {
    let (main, vip) = (story.secret("main").await, story.secret("vip").await);
    let payload = json!({"id": "inv_1", "amount": 12.5, "text": "größer – 10 €"});
    let first = MessageIn {
        event_id: Some("paid-1".to_owned()),
        tags: Some(set(&["june"])),
        ..paid(payload.clone())
    };
    let sent = done!(story, message.create(app(), first.clone(), None));
    assert!(
        sent.id.starts_with("msg_") && sent.id.len() == 31,
        "{sent:?}"
    );
    assert_eq!(sent.payload, json!({}), "without content unless asked");
    let got = story.next("/main", &main).await;
    assert_eq!((got.json(), got.id()), (payload, sent.id.as_str()));
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("x-shop"), "three");

    let conflict = MessageIn {
        payload: json!({}),
        ..first
    };
    let conflict = ask!(story, message.create(app(), conflict, None));
    assert_eq!(refused(409, conflict), "conflict");
    let nowhere = ask!(
        story,
        message.create("no-such-app".to_owned(), paid(json!({})), None)
    );
    assert_eq!(refused(404, nowhere), "not_found");

    let lost = MessageIn {
        channels: Some(set(&["vip", "x"])),
        ..MessageIn::new("invoice.lost".to_owned(), json!({"n": 2}))
    };
    story.send(lost).await;
    assert_eq!(story.next("/vip", &vip).await.json(), json!({"n": 2}));
    let raw = "{ \"spelled\":  1.50e2 }";
    let message = MessageIn::new_raw_payload("invoice.paid".to_owned(), raw.to_owned());
    story.send(message).await;
    assert_eq!(story.next("/main", &main).await.body, raw);
    assert!(
        story.receiver.rest().await.is_empty(),
        "nothing but what matches"
    );
}

pub(crate) async fn an_idempotency_key_makes_one_message(story: &Story) {
    let once = || {
        Some(MessageCreateOptions {
            idempotency_key: Some("rust-once".to_owned()),
            with_content: None,
        })
    };
    let key = story.secret("main").await;
    let message = paid(json!({"id": "inv_once"}));
    let first = done!(story, message.create(app(), message.clone(), once()));
    let second = done!(story, message.create(app(), message, once()));
    assert_eq!(second.id, first.id);
    assert_eq!(story.next("/main", &key).await.id(), first.id);
    let other = paid(json!({"id": "inv_other"}));
    refused(409, ask!(story, message.create(app(), other, once())));
    assert!(story.receiver.rest().await.is_empty(), "one of two calls");
}

pub(crate) async fn a_message_is_delivered_when_it_is_due(story: &Story) {
    let key = story.secret("main").await;
    let before = Instant::now();
    let now = done!(story, message.create(app(), paid(json!({"late": 0})), None));
    story.next("/main", &key).await;
    let wait = Duration::from_millis(1_500);
    let due = |after| MessageIn {
        deliver_at: Some(now.timestamp + after),
        ..paid(json!({"late": 1}))
    };
    let sent = done!(story, message.create(app(), due(wait), None));
    assert_eq!(sent.deliver_at, Some(now.timestamp + wait));
    let got = story.next("/main", &key).await;
    assert_eq!(got.id(), sent.id);
    assert!(got.at - before >= wait - STEP, "it came too early");
    let in_a_month = due(Duration::from_secs(31 * 86_400));
    refused(422, ask!(story, message.create(app(), in_a_month, None)));
}

pub(crate) async fn messages_are_listed_in_pages(story: &Story) {
    let all = found(story, |_| ()).await;
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by(|newer, older| newer > older), "{all:?}");
    let mut pages = Vec::new();
    let mut iterator = None;
    loop {
        let options = MessageListOptions {
            limit: Some(2),
            iterator,
            ..MessageListOptions::default()
        };
        let page = done!(story, message.list(app(), Some(options)));
        pages.extend(page.data.into_iter().map(|it| it.id));
        if page.done {
            break;
        }
        iterator = page.iterator;
    }
    assert_eq!(pages, all);
}

pub(crate) async fn messages_are_found(story: &Story) {
    let whole = MessageGetOptions {
        with_content: Some(true),
    };
    let one = done!(story, message.get(app(), "paid-1".to_owned(), Some(whole)));
    assert_eq!(one.payload["id"], "inv_1");
    assert_eq!(one.tags, Some(set(&["june"])));
    let bare = done!(story, message.get(app(), one.id.clone(), None));
    assert_eq!(bare.payload, json!({}));

    let tagged = found(story, |it| it.tag = Some("june".to_owned())).await;
    assert_eq!(tagged, [one.id]);
    let channel = found(story, |it| it.channel = Some("vip".to_owned())).await;
    assert_eq!(channel.len(), 1);
    let types = set(&["invoice.lost", "invoice.sent"]);
    let of_types = found(story, |it| it.event_types = Some(types)).await;
    assert_eq!(of_types, channel);
    let began = Some(one.timestamp - Duration::from_secs(60));
    assert_eq!(found(story, |it| it.after = began).await.len(), 6);
    assert!(found(story, |it| it.before = began).await.is_empty());
    let nobody = format!("msg_{}", "0".repeat(27));
    let nothing = ask!(story, message.get(app(), nobody, None));
    assert_eq!(refused(404, nothing), "not_found");
}

/// The ids on the first page, with the options that `choose` sets.
async fn found(story: &Story, choose: impl FnOnce(&mut MessageListOptions)) -> Vec<String> {
    let mut options = MessageListOptions::default();
    choose(&mut options);
    let page = done!(story, message.list(app(), Some(options)));
    page.data.into_iter().map(|it| it.id).collect()
}

pub(crate) async fn attempts_are_seen_from_both_sides(story: &Story) {
    let main = done!(story, endpoint.get(app(), "main".to_owned()));
    let attempt = the_attempt(story, "paid-1").await;
    assert!(
        attempt.id.starts_with("atmpt_") && attempt.id.len() == 33,
        "{attempt:?}"
    );
    assert_eq!(attempt.status, MessageStatus::Success);
    assert_eq!(attempt.status_text, MessageStatusText::Success);
    assert_eq!(attempt.trigger_type, MessageAttemptTriggerType::Scheduled);
    assert_eq!(
        (attempt.response_status_code, attempt.response.as_str()),
        (200, "taken")
    );
    assert_eq!((&attempt.url, &attempt.endpoint_id), (&main.url, &main.id));
    let (message, id) = (attempt.msg_id.clone(), attempt.id.clone());
    assert_eq!(
        done!(story, message_attempt.get(app(), message, id, None)),
        attempt
    );

    let none = MessageAttemptListByEndpointOptions::default;
    eventually("five attempts at the endpoint", async || {
        let count = at_main(story, none()).await.len();
        if count == 5 {
            Ok(())
        } else {
            Err(format!("{count}"))
        }
    })
    .await;
    let with_msg = MessageAttemptListByEndpointOptions {
        with_msg: Some(true),
        limit: Some(1),
        ..none()
    };
    let one = at_main(story, with_msg).await.remove(0);
    assert_eq!(one.msg.expect("it was asked for").id, one.msg_id);
    for (status, expected) in [(MessageStatus::Success, 5), (MessageStatus::Fail, 0)] {
        let status = Some(status);
        let options = MessageAttemptListByEndpointOptions { status, ..none() };
        assert_eq!(at_main(story, options).await.len(), expected);
    }
    let status_code_class = Some(StatusCodeClass::Code5xx);
    let options = MessageAttemptListByEndpointOptions {
        status_code_class,
        ..none()
    };
    assert!(at_main(story, options).await.is_empty());

    let messages = message_attempts(story).await;
    assert_eq!(messages, [MessageStatusText::Success; 5]);
    let paid_1 = "paid-1".to_owned();
    let places = done!(
        story,
        message_attempt.list_attempted_destinations(app(), paid_1, None)
    );
    let places: Vec<_> = places.data.into_iter().map(|it| it.id).collect();
    assert_eq!(places, [main.id]);
}

async fn at_main(
    story: &Story,
    options: MessageAttemptListByEndpointOptions,
) -> Vec<MessageAttemptOut> {
    let main = "main".to_owned();
    done!(
        story,
        message_attempt.list_by_endpoint(app(), main, Some(options))
    )
    .data
}

async fn message_attempts(story: &Story) -> Vec<MessageStatusText> {
    let main = "main".to_owned();
    let page = done!(
        story,
        message_attempt.list_attempted_messages(app(), main, None)
    );
    assert!(
        page.data.iter().all(|it| it.next_attempt.is_none()),
        "{page:?}"
    );
    page.data.into_iter().map(|it| it.status_text).collect()
}

/// The one attempt of a message, with its response; waits until it is recorded.
pub(crate) async fn the_attempt(story: &Story, message: &str) -> MessageAttemptOut {
    let what = format!("the attempt of {message}");
    eventually(what, async || {
        let options = MessageAttemptListByMsgOptions {
            with_content: Some(true),
            ..MessageAttemptListByMsgOptions::default()
        };
        let message = message.to_owned();
        let page = done!(
            story,
            message_attempt.list_by_msg(app(), message, Some(options))
        );
        let one = <[MessageAttemptOut; 1]>::try_from(page.data);
        one.map(|[one]| one).map_err(|all| format!("{all:?}"))
    })
    .await
}
