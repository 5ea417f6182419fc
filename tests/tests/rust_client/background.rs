//! The story's part that goes on in the background: what an endpoint never got is sent, what it got
//! is sent again, and all that an application was sent is removed.

use std::time::Duration;

use e2e::eventually;
use serde_json::{Value, json};
use svix::api::{BackgroundTaskListOptions, MessageGetOptions};
use svix::models::{
    AppUsageStatsIn, ApplicationIn, BackgroundTaskStatus, BackgroundTaskType, BulkReplayIn,
    EndpointIn, EventTypeIn, MessageIn, MessageStatus, ReplayIn, StatusCodeClass,
};

use crate::{Story, app, ask, done, paid, refused, set};

/// An endpoint that is made after three messages that it wants.
pub(crate) async fn what_an_endpoint_never_got_is_sent(story: &Story) {
    let late = made_late(story).await;
    let Late { other, sent, .. } = &late;
    let (since, missing) = (late.missing.since, late.missing.clone());
    let task = done!(
        story,
        endpoint.replay_missing(other.clone(), uid(), missing, None)
    );
    assert_eq!(task.status, BackgroundTaskStatus::Running);
    assert_eq!(task.task, BackgroundTaskType::EndpointReplay);
    assert_eq!(&three(story, &late).await, sent);
    has_come_to(story, &task.id, json!({ "messagesSent": 3 })).await;
    eventually("three successes at /late", async || {
        let stats = done!(story, endpoint.get_stats(other.clone(), uid(), None));
        match stats.success {
            3 => Ok(()),
            _ => Err(format!("{stats:?}")),
        }
    })
    .await;

    let again = BulkReplayIn {
        event_types: Some(set(&["invoice.late"])),
        status: Some(MessageStatus::Success),
        status_code_class: Some(StatusCodeClass::Code2xx),
        ..BulkReplayIn::new(since)
    };
    let task = done!(
        story,
        endpoint.bulk_replay(other.clone(), uid(), again, None)
    );
    assert_eq!(task.task, BackgroundTaskType::EndpointBulkReplay);
    assert_eq!(&three(story, &late).await, sent);
    has_come_to(story, &task.id, json!({ "messagesSent": 3 })).await;
    let options = BackgroundTaskListOptions {
        status: Some(BackgroundTaskStatus::Finished),
        task: Some(BackgroundTaskType::EndpointBulkReplay),
        ..BackgroundTaskListOptions::default()
    };
    let listed = done!(story, background_task.list(Some(options))).data;
    assert_eq!(listed[0].id, task.id);
    let pending = BulkReplayIn {
        status: Some(MessageStatus::Pending),
        ..BulkReplayIn::new(since)
    };
    let refusal = ask!(
        story,
        endpoint.bulk_replay(other.clone(), uid(), pending, None)
    );
    refused(422, refusal);
    done!(story, application.delete(other.clone()));
}

fn uid() -> String {
    "late".to_owned()
}

/// An application of its own, in which an endpoint was made after three messages.
struct Late {
    other: String,
    key: String,
    sent: Vec<String>,
    /// What has been accepted since before the first of them.
    missing: ReplayIn,
}

async fn made_late(story: &Story) -> Late {
    let application = ApplicationIn::new("Late".to_owned());
    let other = done!(story, application.create(application, None)).id;
    let name = "invoice.late".to_owned();
    let event_type = EventTypeIn::new(name.clone(), "Before anybody asked".to_owned());
    done!(story, event_type.create(event_type, None));
    let mut sent = Vec::new();
    for n in 0..3 {
        let message = MessageIn::new(name.clone(), json!({ "n": n }));
        sent.push(done!(story, message.create(other.clone(), message, None)));
    }
    let endpoint = EndpointIn {
        uid: Some(uid()),
        event_types: Some(set(&["invoice.late"])),
        ..EndpointIn::new(story.receiver.url("/late"))
    };
    done!(story, endpoint.create(other.clone(), endpoint, None));
    let secret = done!(story, endpoint.get_secret(other.clone(), uid()));
    Late {
        other,
        key: secret.key,
        missing: ReplayIn::new(sent[0].timestamp - Duration::from_secs(60)),
        sent: sent.into_iter().map(|one| one.id).collect(),
    }
}

/// What the application has sent and asks for, as background work finds it out.
pub(crate) async fn usage_is_counted(story: &Story) {
    let own = done!(story, application.get(app()));
    let (since, until) = (own.created_at, own.created_at + Duration::from_secs(3_600));
    let some = AppUsageStatsIn {
        app_ids: Some(set(&["rust-shop", "no-such"])),
        ..AppUsageStatsIn::new(since, until)
    };
    let begun = done!(story, statistics.aggregate_app_stats(some, None));
    assert_eq!(begun.task, BackgroundTaskType::ApplicationStats);
    assert_eq!(begun.unresolved_app_ids, set(&["no-such"]));
    let data = result(story, &begun.id).await;
    let stats = data["appStats"].as_array().expect("a list");
    assert_eq!(stats.len(), 1, "{data}");
    assert_eq!(stats[0]["appId"], own.id);
    assert!(stats[0]["messageDestinations"].as_u64() > Some(0), "{data}");
    let nobody = AppUsageStatsIn {
        app_ids: Some(set(&["no-such"])),
        ..AppUsageStatsIn::new(since, until)
    };
    refused(
        422,
        ask!(story, statistics.aggregate_app_stats(nobody, None)),
    );

    let begun = done!(story, statistics.aggregate_event_types());
    assert_eq!(begun.task, BackgroundTaskType::EventTypeAggregate);
    let data = result(story, &begun.id).await;
    let each = data["event_types"].as_array().expect("a list");
    let its = each.iter().find(|entry| entry["appId"] == own.id);
    let its = its.expect("it has endpoints");
    assert!(its["explicitlySubscribedEventTypes"].is_array(), "{its}");
}

pub(crate) async fn all_content_is_removed(story: &Story) {
    let application = ApplicationIn::new("Shredded".to_owned());
    let other = done!(story, application.create(application, None)).id;
    let message = paid(json!({ "n": 4 }));
    let sent = done!(story, message.create(other.clone(), message, None));
    let task = done!(story, message.expunge_all_contents(other.clone(), None));
    assert_eq!(task.task, BackgroundTaskType::ApplicationPurgeContent);
    has_come_to(story, &task.id, json!({ "messagesPurged": 1 })).await;
    let options = MessageGetOptions {
        with_content: Some(true),
    };
    let shredded = done!(
        story,
        message.get(other.clone(), sent.id.clone(), Some(options))
    );
    assert_eq!(shredded.payload, json!({ "expired": true }));
    done!(story, application.delete(other));
}

/// The ids of three messages that arrive at the endpoint, in their order.
async fn three(story: &Story, late: &Late) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(story.next("/late", &late.key).await.id().to_owned());
    }
    ids.sort();
    ids
}

/// What background work has come to, when it has ended.
async fn result(story: &Story, task: &str) -> Value {
    eventually(format!("the end of {task}"), async || {
        let task = done!(story, background_task.get(task.to_owned()));
        match task.status {
            BackgroundTaskStatus::Finished => Ok(task.data),
            _ => Err(format!("{task:?}")),
        }
    })
    .await
}

/// Waits until background work has come to its end with this.
async fn has_come_to(story: &Story, task: &str, data: Value) {
    eventually(format!("{task} to end with {data}"), async || {
        let task = done!(story, background_task.get(task.to_owned()));
        match task.status == BackgroundTaskStatus::Finished && task.data == data {
            true => Ok(()),
            false => Err(format!("{task:?}")),
        }
    })
    .await;
}
