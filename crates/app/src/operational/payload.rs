//! What a message says of what happened: `{"type":…,"data":{…}}`, with nothing left out that is not
//! known, which is null.

use crate::tasks::{Task, state_name, task};
use crate::{App, AppError};
use aws_lc_rs::digest::{SHA256, digest};
use model::Timestamp;
use model::name::Name;
use model::operational::{
    AttemptNamed, CheckpointTold, EndpointNamed, Happened, OperationalEvent, SecurityTold,
};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

impl App {
    /// The payload; `None` for what can't be told any more.
    pub(super) async fn operational_payload(
        &self,
        event: &OperationalEvent,
    ) -> Result<Option<String>, AppError> {
        let finished = match &event.what {
            Happened::TaskFinished(id) => self.store.work_row(*id).await?.and_then(task),
            _ => None,
        };
        Ok(payload(event, finished))
    }
}

/// The same, where background work that has finished was read; `None` where that is gone.
pub(super) fn payload(event: &OperationalEvent, finished: Option<Task>) -> Option<String> {
    let data = match &event.what {
        Happened::EndpointCreated(named)
        | Happened::EndpointUpdated(named)
        | Happened::EndpointDeleted(named)
        | Happened::EndpointEnabled(named) => json(&EndpointData::of(named)),
        Happened::EndpointDisabled(named, since) => json(&DisabledData {
            endpoint: EndpointData::of(named),
            fail_since: since.map(time),
        }),
        Happened::AttemptFailing(named)
        | Happened::AttemptExhausted(named)
        | Happened::AttemptRecovered(named) => json(&AttemptData::of(named)),
        Happened::TaskFinished(_) => finished.and_then(|task| json(&TaskData::of(task))),
        Happened::Security(security) => json(&SecurityData::of(security)),
        Happened::AuditCheckpoint(CheckpointTold { line }) => {
            let is_json = serde_json::from_str::<IgnoredAny>(line).is_ok();
            is_json.then(|| line.trim().to_owned())
        }
    }?;
    let name = event.what.name();
    Some(format!(r#"{{"type":"{name}","data":{data}}}"#))
}

/// By what a repeat of it is told apart from something new; `None` where nothing tells.
pub(super) fn occurrence(event: &OperationalEvent) -> Option<Name> {
    let name = event.what.name();
    let of_what = match &event.what {
        Happened::EndpointCreated(named) | Happened::EndpointDeleted(named) => {
            named.endpoint.to_string()
        }
        // The same can be done again.
        Happened::EndpointUpdated(_)
        | Happened::EndpointEnabled(_)
        | Happened::EndpointDisabled(..) => return None,
        Happened::AttemptFailing(named)
        | Happened::AttemptExhausted(named)
        | Happened::AttemptRecovered(named) => named.attempt.to_string(),
        Happened::TaskFinished(id) => id.to_string(),
        // One that went on since is told again.
        Happened::Security(told) => format!("{}-{}", told.id.as_ref()?, told.count),
        Happened::AuditCheckpoint(told) => {
            let digest = digest(&SHA256, told.line.as_bytes());
            crate::api_keys::hexadecimal("", digest.as_ref())
        }
    };
    format!("{name}-{of_what}").parse().ok()
}

fn json(data: &impl Serialize) -> Option<String> {
    serde_json::to_string(data).ok()
}

/// RFC 3339, UTC, with as many digits of a second as it needs.
fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(at.micros());
    time.unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointData<'a> {
    app_id: String,
    app_uid: Option<&'a str>,
    endpoint_id: String,
    endpoint_uid: Option<&'a str>,
}

impl<'a> EndpointData<'a> {
    fn of(named: &'a EndpointNamed) -> Self {
        Self {
            app_id: named.application.to_string(),
            app_uid: named.application_uid.as_ref().map(Name::as_str),
            endpoint_id: named.endpoint.to_string(),
            endpoint_uid: named.endpoint_uid.as_ref().map(Name::as_str),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DisabledData<'a> {
    #[serde(flatten)]
    endpoint: EndpointData<'a>,
    fail_since: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptData<'a> {
    app_id: String,
    app_uid: Option<&'a str>,
    msg_id: String,
    msg_event_id: Option<&'a str>,
    endpoint_id: String,
    last_attempt: LastAttempt,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LastAttempt {
    id: String,
    response_status_code: u16,
    timestamp: String,
}

impl<'a> AttemptData<'a> {
    fn of(named: &'a AttemptNamed) -> Self {
        Self {
            app_id: named.application.to_string(),
            app_uid: named.application_uid.as_ref().map(Name::as_str),
            msg_id: named.message.to_string(),
            msg_event_id: named.event_id.as_ref().map(Name::as_str),
            endpoint_id: named.endpoint.to_string(),
            last_attempt: LastAttempt {
                id: named.attempt.to_string(),
                response_status_code: named.status,
                timestamp: time(named.attempt.key().time()),
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskData {
    task_id: String,
    task: &'static str,
    status: &'static str,
    data: Map<String, Value>,
}

impl TaskData {
    fn of(task: Task) -> Self {
        Self {
            task_id: task.id.to_string(),
            task: task.kind.as_str(),
            status: state_name(task.state),
            data: task.data,
        }
    }
}

/// As the API's list has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecurityData<'a> {
    id: Option<&'a str>,
    kind: &'static str,
    severity: &'static str,
    subject: SubjectData<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_address: Option<String>,
    count: u64,
    first_seen: String,
    last_seen: String,
    description: &'a str,
}

#[derive(Serialize)]
struct SubjectData<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
}

impl<'a> SecurityData<'a> {
    fn of(told: &'a SecurityTold) -> Self {
        Self {
            id: told.id.as_deref(),
            kind: told.kind,
            severity: told.severity.as_str(),
            subject: SubjectData {
                kind: told.subject.kind.as_str(),
                id: &told.subject.id,
            },
            remote_address: told.remote_address.map(|address| address.to_string()),
            count: told.count,
            first_seen: time(told.first_seen),
            last_seen: time(told.last_seen),
            description: &told.description,
        }
    }
}
