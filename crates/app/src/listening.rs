//! Listening: whoever has no address that could be called gets an application's new messages as the
//! answers to requests that wait for them, signed as an endpoint of its own would get them.
//!
//! There is no such endpoint. The secret comes with each request and is forgotten with it, where a
//! listener has come to is in the iterator that it holds, and no attempt is recorded: nothing of a
//! listener is ever stored, so that it leaves nothing behind however it ends. What it does with a
//! message is its own business; nothing is sent to it again.
//!
//! A request that waits reads forwards as [`crate::following`] does, so that it may ask any node:
//! whenever this one accepts something for the application, and once a second for what others
//! accept.

mod listeners;

pub use listeners::{LISTENERS_MAX, LISTENERS_OF_ONE_MAX, Listeners};

use crate::content::Opener;
use crate::filter::Filter;
use crate::find::Tenant;
use crate::following::{Followed, iterator, position};
use crate::rules::Judge;
use crate::{App, AppError, Caller};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use listeners::Listener;
use model::hops::HOPS_HEADER;
use model::id::{MessageId, MessageKey, MessageKind, ParseIdError};
use model::message::{Message, PayloadForm};
use model::name::Name;
use model::{Secret, Timestamp};
use std::time::Duration;
use store::query::Window;
use store::rows::MessageRow;
use tokio::time::Instant;
use webhook::SigningKey;

/// How long a request may wait for messages.
pub const WAIT_MAX: Duration = Duration::from_secs(20);
/// What other nodes accept is looked for so often, and whether the token is still good.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages that come one upon the other are gathered, so that a listener does not read for each.
const GATHER: Duration = Duration::from_millis(20);
/// The most messages in one answer.
const MESSAGES_MAX: usize = 50;
/// The most types, or channels, that are listened for.
pub const WORDS_MAX: usize = 100;
/// What a payload is that says nothing of it.
const JSON: &str = "application/json";

/// What somebody listens for.
pub struct ListenInput {
    /// The secret to sign with, `whsec_…` or `whsk_…`.
    pub secret: Secret,
    /// Where the last answer ended; `None`: from now on.
    pub iterator: Option<String>,
    /// How long to wait, in seconds; `None`: not at all.
    pub wait: Option<u64>,
    /// Only of these types.
    pub event_types: Option<Vec<String>>,
    /// Only with one of these channels.
    pub channels: Option<Vec<String>>,
}

/// A message as an endpoint would get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The message.
    pub message: Message,
    /// The headers that tell that it is genuine, and what the body is.
    pub headers: Vec<(&'static str, String)>,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// A body as a text of JSON can carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyText<'a> {
    /// It is one.
    Plain(&'a str),
    /// It is none, or one that escapes would make many times as long.
    Base64(String),
}

impl Letter {
    /// The body, to be carried as a text.
    pub fn body_text(&self) -> BodyText<'_> {
        let is_plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
        match std::str::from_utf8(&self.body) {
            Ok(text) if text.chars().all(is_plain) => BodyText::Plain(text),
            _ => BodyText::Base64(STANDARD.encode(&self.body)),
        }
    }
}

/// What is asked, judged.
struct Asked {
    key: SigningKey,
    from: Option<MessageKey>,
    wait: Duration,
    filter: Filter,
}

impl App {
    /// An application's next messages, signed; waits for them where there are none yet. Without an
    /// iterator it answers at once with the one to begin with. Where it passed over many that are
    /// not asked for, it may find none although there are: the iterator goes on behind those.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::TooManyListeners`];
    /// [`AppError::Unauthenticated`] when the token ends meanwhile.
    pub async fn listen(
        &self,
        (caller, token): (&Caller, &Secret),
        application: &str,
        input: ListenInput,
    ) -> Result<Followed<Letter>, AppError> {
        let tenant = self.application(caller, application).await?;
        let asked = input.judge()?;
        let Some(from) = asked.from else {
            let border = self.store.forward_border().await?.integer();
            let behind = MessageKey::from_integer(border.saturating_sub(1).max(0));
            return Ok(nothing(behind));
        };
        let mut listener = self.listeners.enter(tenant.application().id.key())?;
        let ends = Instant::now() + asked.wait;
        let mut from = from;
        loop {
            listener.has_looked();
            let tenant = self.tenant_again(&tenant).await?;
            let found = self.next_of(&tenant, window(from), &asked.filter).await?;
            // Looked at last: nothing is shown to a token that has ended by now.
            self.check_again(token)?;
            if !found.data.is_empty() {
                self.exported(caller, Some(tenant.key()), found.data.len());
                return self.letters(&tenant, found, &asked.key);
            }
            from = position(&found.iterator)?;
            // One request looks at no more of what is there already than a list does.
            if found.more || !until_more(&mut listener, ends).await {
                return Ok(nothing(from));
            }
        }
    }

    /// Whether the token of a request that takes its time is good still.
    fn check_again(&self, token: &Secret) -> Result<(), AppError> {
        let text = std::str::from_utf8(token.expose()).unwrap_or_default();
        let checked = self.tokens.check(text, self.clock.now());
        checked.map(drop).map_err(|not_good| not_good.error)
    }

    fn letters(
        &self,
        tenant: &Tenant,
        found: Followed<MessageRow>,
        key: &SigningKey,
    ) -> Result<Followed<Letter>, AppError> {
        let opener = Opener::new(self, &tenant.row().application)?;
        let now = self.clock.now();
        let mut letters = Vec::with_capacity(found.data.len());
        for row in found.data {
            // What was expunged since is not sent to endpoints either.
            if let Some(body) = opener.payload(&row)? {
                letters.push(self.letter(row.message, body, (key, now)));
            }
        }
        Ok(Followed {
            data: letters,
            iterator: found.iterator,
            more: found.more,
        })
    }

    fn letter(
        &self,
        message: Message,
        body: Bytes,
        (key, now): (&SigningKey, Timestamp),
    ) -> Letter {
        let (id, seconds) = (message.id.to_string(), now.seconds());
        let signature = webhook::sign(&[key], &id, seconds, &body);
        let mut headers = Vec::with_capacity(8);
        for names in self.settings.header_family.names() {
            headers.push((names.id, id.clone()));
            headers.push((names.timestamp, seconds.to_string()));
            headers.push((names.signature, signature.clone()));
        }
        let content_type = match &message.form {
            PayloadForm::Raw {
                content_type: Some(text),
            } => text.clone(),
            PayloadForm::Raw { content_type: None } | PayloadForm::Json => JSON.to_owned(),
        };
        headers.push((HOPS_HEADER, message.hops.next().to_string()));
        headers.push(("content-type", content_type));
        headers.push(("user-agent", self.settings.user_agent.clone()));
        Letter {
            message,
            headers,
            body,
        }
    }
}

impl ListenInput {
    fn judge(self) -> Result<Asked, AppError> {
        let mut judge = Judge::new(&[]);
        let text = std::str::from_utf8(self.secret.expose()).unwrap_or_default();
        let key = SigningKey::parse(text).map_or_else(
            |error| {
                judge.note("secret", error.to_string());
                None
            },
            Some,
        );
        let from = self.iterator.as_deref().map(str::parse).transpose();
        let from = from.unwrap_or_else(|error: ParseIdError| {
            judge.note("iterator", error.to_string());
            None
        });
        let most = WAIT_MAX.as_secs();
        let wait = self.wait.unwrap_or_default();
        if wait > most {
            judge.note("waitSeconds", format!("must be at most {most}"));
        }
        let filter = Filter {
            event_types: words(&mut judge, "eventTypes", self.event_types),
            channels: words(&mut judge, "channels", self.channels),
            tag: None,
        };
        judge.finish()?;
        Ok(Asked {
            key: key.expect("a broken rule was told"),
            from: from.map(|id: MessageId| id.key()),
            wait: Duration::from_secs(wait),
            filter,
        })
    }
}

/// What a message must be one of, or have one of.
fn words(judge: &mut Judge<'_>, field: &str, list: Option<Vec<String>>) -> Option<Vec<Name>> {
    let names = judge.names(field, &list?, WORDS_MAX)?;
    Some(names.into_iter().collect())
}

fn window(above: MessageKey) -> Window<MessageKind> {
    Window {
        above,
        below: MessageKey::MAX,
        ascending: true,
        limit: MESSAGES_MAX,
    }
}

fn nothing(behind: MessageKey) -> Followed<Letter> {
    Followed {
        data: Vec::new(),
        iterator: iterator(behind),
        more: false,
    }
}

/// Waits until it is worth looking again; not, when the time is over or the node ends.
async fn until_more(listener: &mut Listener, ends: Instant) -> bool {
    let next = (Instant::now() + LOOK_EVERY).min(ends);
    let told = tokio::time::timeout_at(next, listener.told()).await;
    match told {
        Ok(false) => false,
        Ok(true) => {
            tokio::time::sleep(GATHER).await;
            true
        }
        Err(_) => Instant::now() < ends,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_a_text_or_base64_and_never_many_times_as_long() {
        let id = model::id::MessageId::new(MessageKey::MIN, [0; 12]);
        let letter = |body: &'static [u8]| Letter {
            message: Message {
                id,
                application: model::id::ApplicationKey::MIN,
                event_type: "order.paid".parse().expect("a word"),
                event_id: None,
                channels: Default::default(),
                tags: Default::default(),
                deliver_at: None,
                hops: Default::default(),
                trace: None,
                expires_at: Timestamp::default(),
                form: PayloadForm::Json,
            },
            headers: Vec::new(),
            body: Bytes::from_static(body),
        };
        for text in ["", "{\n\t\"a\": \"é\"\r\n}"] {
            assert_eq!(letter(text.as_bytes()).body_text(), BodyText::Plain(text));
        }
        for (body, base64) in [(&b"\xff"[..], "/w=="), (b"\x01", "AQ=="), (b"\x7f", "fw==")] {
            let base64 = BodyText::Base64(base64.to_owned());
            assert_eq!(letter(body).body_text(), base64);
        }
    }

    #[test]
    fn what_can_not_be_listened_for_is_refused_with_all_that_is_wrong() {
        let input = ListenInput {
            secret: Secret::from("hush".to_owned()),
            iterator: Some("-".to_owned()),
            wait: Some(WAIT_MAX.as_secs() + 1),
            event_types: Some(Vec::new()),
            channels: Some(vec!["a b".to_owned()]),
        };
        let Err(AppError::Invalid(broken)) = input.judge() else {
            panic!("it is judged to be right");
        };
        let places: Vec<_> = broken.iter().map(|one| one.location.join(".")).collect();
        for place in [
            "secret",
            "iterator",
            "waitSeconds",
            "eventTypes",
            "channels",
        ] {
            let told = places
                .iter()
                .any(|one| one.starts_with(&format!("body.{place}")));
            assert!(told, "{place} is not among {places:?}");
        }
        assert!(broken.iter().all(|one| !one.message.contains("hush")));
    }
}
