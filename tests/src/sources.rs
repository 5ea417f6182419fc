//! A source of a server, made through its API, and what a sender's other side is told of it.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::{Api, Reply};
use crate::senders::Signed;
use crate::wait::eventually;

/// Where sources are made.
const SOURCES: &str = "/ingest/api/v1/source";
/// How many requests are sent at once where there are many.
const AT_ONCE: usize = 16;

/// A source. Its messages go to an application of its own.
#[derive(Clone)]
pub struct Source {
    api: Api,
    /// Its id, which is the uid of its application.
    pub id: String,
    /// Where it is reached: a path with a token.
    pub inbound: String,
}

impl Source {
    /// Makes one of this type.
    ///
    /// # Panics
    /// When it is not made.
    pub async fn new(api: &Api, source_type: &str, config: Value) -> Self {
        let body = json!({"name": source_type, "type": source_type, "config": config});
        let made = api.post(SOURCES, &body).await.expect(201).json();
        let id = made["id"].as_str().expect("a source has an id");
        Self {
            api: api.clone(),
            id: id.to_owned(),
            inbound: inbound(&made),
        }
    }

    /// Configures it anew.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn configure(&self, source_type: &str, config: Value) {
        let body = json!({"name": source_type, "type": source_type, "config": config});
        let path = format!("{SOURCES}/{}", self.id);
        self.api.put(&path, &body).await.expect(200);
    }

    /// The same, through another server.
    pub fn at(&self, api: &Api) -> Self {
        Self {
            api: api.clone(),
            ..self.clone()
        }
    }

    /// Makes an endpoint that gets what comes in; gives its id.
    ///
    /// # Panics
    /// When it is not made.
    pub async fn endpoint(&self, url: &str) -> String {
        let path = format!("{SOURCES}/{}/endpoint", self.id);
        let made = self.api.post(&path, &json!({"url": url})).await.expect(201);
        let id = made.json()["id"].as_str().map(str::to_owned);
        id.expect("an endpoint has an id")
    }

    /// Sends it a request; gives the answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn send(&self, request: &Signed) -> Reply {
        self.api.call(request.to(&self.inbound)).await
    }

    /// The same, where an answer may fail to come: an `Err` says why there is none.
    pub async fn try_send(&self, request: &Signed) -> Result<Reply, String> {
        self.api.try_call(request.to(&self.inbound)).await
    }

    /// Sends it many, several at once; gives the answers in the order of the requests.
    ///
    /// # Panics
    /// When one is not answered.
    pub async fn send_all(&self, requests: &[Signed]) -> Vec<Reply> {
        let mut sending = JoinSet::new();
        for first in 0..AT_ONCE {
            let (source, requests) = (self.clone(), requests.to_vec());
            sending.spawn(async move {
                let mut replies = Vec::new();
                for number in (first..requests.len()).step_by(AT_ONCE) {
                    replies.push((number, source.send(&requests[number]).await));
                }
                replies
            });
        }
        let mut replies: Vec<_> = sending.join_all().await.into_iter().flatten().collect();
        replies.sort_by_key(|(number, _)| *number);
        replies.into_iter().map(|(_, reply)| reply).collect()
    }

    /// What became of a request that was let in.
    ///
    /// # Panics
    /// When there is no such message.
    pub async fn message(&self, id: &str) -> Value {
        let path = format!("/app/{}/msg/{id}", self.id);
        self.api.get(&path).await.expect(200).json()
    }

    /// Gives it another token. The old one ends.
    ///
    /// # Panics
    /// When it doesn't get one.
    pub async fn rotate(&self) -> Self {
        let path = format!("{SOURCES}/{}/token/rotate", self.id);
        let rotated = self.api.post(&path, &json!({})).await.expect(200);
        Self {
            inbound: inbound(&rotated.json()),
            ..self.clone()
        }
    }

    /// The security event of this kind that is about it; waits for it.
    ///
    /// # Panics
    /// When there is none, or its subject is another.
    pub async fn event(&self, kind: &str) -> Value {
        let path = format!("/security/event?kind={kind}");
        let subject = json!({"type": "source", "id": self.id});
        eventually(format!("an event {kind} of {subject}"), || async {
            let list = self.api.get(&path).await.expect(200).json();
            let mut events = list["data"].as_array().expect("a list").iter();
            let found = events.find(|event| event["subject"] == subject).cloned();
            found.ok_or_else(|| list.to_string())
        })
        .await
    }
}

/// The path of the URL that a source is reached at.
fn inbound(source: &Value) -> String {
    let url = source["ingestUrl"].as_str().unwrap_or_default();
    let (_, token) = url
        .split_once("/in/")
        .unwrap_or_else(|| panic!("no inbound URL: {source}"));
    format!("/in/{token}")
}
