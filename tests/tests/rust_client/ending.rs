//! The story's last part: secrets are rotated, failures resent and recovered, content removed,
//! and all of it deleted.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::eventually;
use serde_json::json;
use svix::Webhook;
use svix::api::{
    MessageAttemptListAttemptedMessagesOptions, MessageAttemptListByMsgOptions, MessageGetOptions,
};
use svix::models::{
    ApplicationIn, BackgroundTaskStatus, BackgroundTaskType, BulkExpungeContentsIn,
    BulkExpungeStatus, EndpointIn, EndpointSecretRotateIn, EventExampleIn,
    MessageAttemptTriggerType, MessageIn, MessagePrecheckIn, MessageStatus, MessageStatusText,
    RecoverIn,
};

use crate::sending::the_attempt;
use crate::{Story, app, ask, done, paid, refused, set};

fn main() -> String {
    "main".to_owned()
}

fn flaky() -> String {
    "flaky".to_owned()
}

pub(crate) async fn a_rotated_secret_signs_until_its_grace_ends(story: &Story) {
    let old = story.secret("main").await;
    done!(
        story,
        endpoint.rotate_secret(app(), main(), EndpointSecretRotateIn::new(), None)
    );
    let fresh = story.secret("main").await;
    assert_ne!(fresh, old);
    story.send(paid(json!({"rotated": 1}))).await;
    let got = story.next("/main", &fresh).await;
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
    let before = Webhook::new(&old).expect("a secret");
    before
        .verify(&got.body, &got.headers)
        .expect("the old secret signs as well");

    let rotation = |key: &str| EndpointSecretRotateIn {
        key: Some(key.to_owned()),
        grace_period_seconds: Some(0),
    };
    let chosen = format!("whsec_{}", STANDARD.encode([7; 24]));
    done!(
        story,
        endpoint.rotate_secret(app(), main(), rotation(&chosen), None)
    );
    assert_eq!(story.secret("main").await, chosen);
    story.send(paid(json!({"rotated": 2}))).await;
    let last = story.next("/main", &chosen).await;
    let ended = Webhook::new(&fresh).expect("a secret");
    ended
        .verify(&last.body, &last.headers)
        .expect_err("its grace has ended");
    let short = rotation("whsec_short");
    refused(
        422,
        ask!(story, endpoint.rotate_secret(app(), main(), short, None)),
    );
}

pub(crate) async fn what_failed_is_resent_and_recovered(story: &Story) {
    let (sent, key) = three_fail(story).await;
    story.failing.store(false, Ordering::SeqCst);
    done!(
        story,
        message_attempt.resend(app(), sent[0].clone(), flaky(), None)
    );
    assert_eq!(story.next("/flaky", &key).await.id(), sent[0]);
    stats_are(story, (1, 6)).await;
    let options = MessageAttemptListByMsgOptions {
        endpoint_id: Some(flaky()),
        ..MessageAttemptListByMsgOptions::default()
    };
    let tries = message_attempts(story, &sent[0], options).await;
    let (scheduled, manual) = (
        MessageAttemptTriggerType::Scheduled,
        MessageAttemptTriggerType::Manual,
    );
    assert_eq!(tries, [(manual, 200), (scheduled, 503), (scheduled, 503)]);

    let first = done!(story, message.get(app(), sent[0].clone(), None));
    let since = RecoverIn::new(first.timestamp - Duration::from_secs(60));
    let task = done!(story, endpoint.recover(app(), flaky(), since, None));
    assert!(task.id.starts_with("qtask_"), "{task:?}");
    assert_eq!(task.status, BackgroundTaskStatus::Running);
    assert_eq!(task.task, BackgroundTaskType::EndpointRecover);
    let mut again = Vec::new();
    for _ in 0..2 {
        again.push(story.next("/flaky", &key).await.id().to_owned());
    }
    again.sort();
    assert_eq!(again, sent[1..]);
    stats_are(story, (3, 6)).await;
    let nobody = format!("msg_{}", "0".repeat(27));
    let nothing = ask!(story, message_attempt.resend(app(), nobody, flaky(), None));
    assert_eq!(refused(404, nothing), "not_found");
}

/// Three messages, each of which failed twice, in their order; and the endpoint's secret.
async fn three_fail(story: &Story) -> (Vec<String>, String) {
    story.failing.store(true, Ordering::SeqCst);
    let endpoint = EndpointIn {
        uid: Some(flaky()),
        event_types: Some(set(&["invoice.lost"])),
        ..EndpointIn::new(story.receiver.url("/flaky"))
    };
    done!(story, endpoint.create(app(), endpoint, None));
    let key = story.secret("flaky").await;
    let mut sent = Vec::new();
    for n in 0..3 {
        let message = MessageIn::new("invoice.lost".to_owned(), json!({"n": n}));
        sent.push(story.send(message).await);
    }
    for _ in 0..2 * sent.len() {
        story.next("/flaky", &key).await;
    }
    stats_are(story, (0, 6)).await;
    let options = MessageAttemptListAttemptedMessagesOptions {
        status: Some(MessageStatus::Fail),
        ..MessageAttemptListAttemptedMessagesOptions::default()
    };
    let failed = done!(
        story,
        message_attempt.list_attempted_messages(app(), flaky(), Some(options))
    )
    .data;
    let ended = |text, next: bool| text == MessageStatusText::Fail && !next;
    assert!(
        failed
            .iter()
            .all(|it| ended(it.status_text, it.next_attempt.is_some()))
    );
    let mut failed: Vec<_> = failed.into_iter().map(|it| it.id).collect();
    failed.sort();
    assert_eq!(failed, sent);
    (sent, key)
}

/// Waits for these successful and failed attempts, with nothing on its way.
async fn stats_are(story: &Story, expected: (i64, i64)) {
    eventually(format!("{expected:?} at /flaky"), async || {
        let stats = done!(story, endpoint.get_stats(app(), flaky(), None));
        let reached = (stats.success, stats.fail) == expected;
        let quiet = (stats.pending, stats.sending) == (0, 0);
        if reached && quiet {
            Ok(())
        } else {
            Err(format!("{stats:?}"))
        }
    })
    .await;
}

async fn message_attempts(
    story: &Story,
    message: &str,
    options: MessageAttemptListByMsgOptions,
) -> Vec<(MessageAttemptTriggerType, i16)> {
    let message = message.to_owned();
    let page = done!(
        story,
        message_attempt.list_by_msg(app(), message, Some(options))
    );
    let tries = page.data.into_iter();
    tries
        .map(|it| (it.trigger_type, it.response_status_code))
        .collect()
}

pub(crate) async fn an_example_is_sent(story: &Story) {
    let example = |name: &str| EventExampleIn::new(name.to_owned());
    done!(
        story,
        endpoint.send_example(app(), main(), example("svix.ping"), None)
    );
    let got = story.next("/main", &story.secret("main").await).await;
    assert_eq!(got.json(), json!({"success": true}));
    for (status, name) in [(400, "invoice.lost"), (404, "no.such")] {
        refused(
            status,
            ask!(
                story,
                endpoint.send_example(app(), main(), example(name), None)
            ),
        );
    }
    let precheck = MessagePrecheckIn::new("invoice.paid".to_owned());
    assert!(done!(story, message.precheck(app(), precheck, None)).active);
}

pub(crate) async fn content_is_removed_for_good(story: &Story) {
    let key = story.secret("main").await;
    for n in 1..=3 {
        let message = MessageIn {
            event_id: Some(format!("gone-{n}")),
            ..paid(json!({"n": n}))
        };
        story.send(message).await;
        story.next("/main", &key).await;
    }
    let expired = json!({"expired": true});
    done!(story, message.expunge_content(app(), "gone-1".to_owned()));
    assert_eq!(content(story, "gone-1").await, expired);
    let many = BulkExpungeContentsIn {
        ids: Some(set(&["gone-2", "no-such"])),
    };
    let results = done!(story, message.bulk_expunge_content(app(), many, None)).results;
    let results: Vec<_> = results
        .iter()
        .map(|(name, is)| (name.as_str(), *is))
        .collect();
    let expected = [
        ("gone-2", BulkExpungeStatus::Expunged),
        ("no-such", BulkExpungeStatus::NotFound),
    ];
    assert_eq!(results, expected);
    assert_eq!(content(story, "gone-2").await, expired);
    assert_eq!(content(story, "gone-3").await, json!({"n": 3}));

    let attempt = the_attempt(story, "gone-3").await;
    let (message, id) = (attempt.msg_id, attempt.id);
    assert_eq!(attempt.response, "taken");
    done!(
        story,
        message_attempt.expunge_content(app(), message.clone(), id.clone())
    );
    let attempt = done!(story, message_attempt.get(app(), message, id, None));
    assert_eq!(attempt.response, "EXPUNGED");
}

async fn content(story: &Story, message: &str) -> serde_json::Value {
    let whole = MessageGetOptions {
        with_content: Some(true),
    };
    done!(story, message.get(app(), message.to_owned(), Some(whole))).payload
}

pub(crate) async fn what_is_deleted_is_gone(story: &Story) {
    done!(story, endpoint.delete(app(), flaky()));
    refused(404, ask!(story, endpoint.get(app(), flaky())));
    refused(
        404,
        ask!(
            story,
            message_attempt.list_by_endpoint(app(), flaky(), None)
        ),
    );
    let again = EndpointIn {
        uid: Some(flaky()),
        ..EndpointIn::new(story.receiver.url("/flaky"))
    };
    done!(story, endpoint.create(app(), again, None));
    done!(story, application.delete(app()));
    refused(404, ask!(story, application.get(app())));
    refused(404, ask!(story, endpoint.list(app(), None)));
    let shop = ApplicationIn {
        uid: Some(app()),
        ..ApplicationIn::new("Shop".to_owned())
    };
    done!(story, application.create(shop, None));
}
