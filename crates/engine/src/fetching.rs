//! Payloads for whoever fetches them, made as an attempt's are and at that moment's rules: what
//! differs is only that they are asked for.
//!
//! It makes no attempt, holds no delivery and needs no engine that runs. Who may have which payload
//! was judged before; whether the endpoint may have any is looked at again here, since to get a key
//! takes time.

use crate::attempt_time::AttemptTime;
use crate::compose::{To, enclosed, opened, whole};
use crate::prepare::{KeyWanted, Known, recipient};
use crate::ready::ReadyEndpoints;
use crate::seal::{Letter, sign};
use crate::verdict::Happened;
use crate::{EngineConfig, EngineParts};
use async_trait::async_trait;
use http::{HeaderMap, HeaderValue};
use model::Chain;
use model::delivery::EndReason;
use std::time::Duration;
use store::rows::{ApplicationRef, MessageRow};
use store::{Fetched, Fetching, Lane, StoreError};
use transport::KeySets;
use webhook::HeaderFamily;

/// Makes them.
pub struct Fetcher {
    parts: EngineParts,
    ready: ReadyEndpoints,
    key_sets: KeySets,
    family: HeaderFamily,
    /// How long a key is waited for.
    patience: Duration,
}

impl Fetcher {
    /// Beside an engine with the same parts and settings, or without one.
    pub fn new(parts: EngineParts, config: &EngineConfig) -> Self {
        Self {
            ready: ReadyEndpoints::new(parts.vault.clone(), parts.address_policy.clone(), config),
            key_sets: KeySets::new(parts.transport.clone()),
            family: config.header_family,
            patience: config.limits.total_timeout,
            parts,
        }
    }

    async fn make(
        &self,
        lane: Lane,
        message: &MessageRow,
    ) -> Result<Result<Fetched, Happened>, StoreError> {
        let application = ApplicationRef::Key(lane.application);
        let time = AttemptTime::begin(self.patience);
        let mut key = None;
        loop {
            let registry = &self.parts.registry;
            let redaction = registry.redaction(&message.message.event_type).await?;
            let policy = registry.policy().await?;
            let row = registry.find(&application).await?;
            let known = Known {
                row: row.as_deref(),
                redaction: redaction.as_deref(),
                policy: &policy,
                key: key.as_ref(),
            };
            match self.by_row(lane, message, known) {
                Ok(made) => return Ok(made),
                Err(wanted) => key = Some(wanted.fetch(&self.key_sets, time).await),
            }
        }
    }

    fn by_row(
        &self,
        lane: Lane,
        message: &MessageRow,
        known: Known<'_>,
    ) -> Result<Result<Fetched, Happened>, KeyWanted> {
        let found = known.row.and_then(|row| {
            let endpoint = row.endpoint(lane.endpoint)?;
            (!endpoint.endpoint.disabled).then_some((row, endpoint))
        });
        let Some((row, endpoint)) = found else {
            return Ok(Err(Happened::Ended(EndReason::EndpointDeleted)));
        };
        let (ready, ring) = match self.ready.get(&row.application, endpoint) {
            Ok(found) => found,
            Err(not_ready) => return Ok(Err(not_ready.into())),
        };
        let event_type = &message.message.event_type;
        let recipient = recipient(&ready, endpoint, event_type, known)?;
        Ok(recipient.and_then(|recipient| {
            let to = To {
                endpoint: &ready,
                ring: &ring,
                recipient,
                redaction: known.redaction,
            };
            self.letter(message, to)
        }))
    }

    fn letter(&self, message: &MessageRow, to: To<'_>) -> Result<Fetched, Happened> {
        let now = self.parts.clock.now();
        let payload = opened(message, to.ring).map_err(Happened::Unsound)?;
        let contents = whole(&message.message, payload, to)?;
        let means = (now, &*self.parts.entropy);
        let letter = enclosed(contents, &message.message, to.recipient, means)?;
        // None of the endpoint's own: they are what it knows the sender by.
        let mut headers = HeaderMap::new();
        sign(to.endpoint, &letter, (now, self.family), &mut headers);
        Ok(fetched(letter, &headers))
    }
}

#[async_trait]
impl Fetching for Fetcher {
    async fn fetched(
        &self,
        lane: Lane,
        message: MessageRow,
    ) -> Result<Option<Fetched>, StoreError> {
        let id = message.message.id;
        match self.make(lane, &message).await? {
            Ok(fetched) => {
                tracing::info!(message = %id, endpoint = ?lane.endpoint, "a payload was fetched");
                Ok(Some(fetched))
            }
            Err(happened) => {
                let why = why(&happened);
                tracing::info!(
                    message = %id, endpoint = ?lane.endpoint, %why, "a payload could not be fetched"
                );
                Ok(None)
            }
        }
    }
}

fn fetched(letter: Letter, headers: &HeaderMap) -> Fetched {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = headers.iter();
    Fetched {
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: letter.payload,
    }
}

/// What an operator may read.
fn why(happened: &Happened) -> String {
    match happened {
        Happened::Unsound(unsound) => Chain(unsound).to_string(),
        Happened::Held(held) => held.to_string(),
        Happened::Withheld(reason) => (*reason).to_owned(),
        Happened::NoKey(no_key) => no_key.for_operator(),
        Happened::NoAnswer(error) => Chain(error).to_string(),
        Happened::NoToken(error) => Chain(error).to_string(),
        Happened::Ended(_) => "its endpoint has just gone".to_owned(),
        Happened::Answered(_) | Happened::NotEchoed(_) => "nothing is asked to make it".to_owned(),
    }
}
