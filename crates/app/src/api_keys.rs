//! API keys: tokens of the organisation's that are made, limited and ended by the API. The token is
//! shown once; its hash is kept.

use crate::access::judge_wait;
use crate::audit::{Unaudited, changed};
use crate::change::{ChangeRefused, until_current};
use crate::idempotency::{Success, secret_not_repeated};
use crate::page::{ListInput, Order, Page, Part};
use crate::patch::Patch;
use crate::rules::Judge;
use crate::tokens::API_KEY_PREFIX;
use crate::{App, AppError, Caller};
use aws_lc_rs::digest::{SHA256, digest};
use model::api_key::{ApiKey, Scope};
use model::audit::AuditAction;
use model::entropy::random;
use model::id::{ApiKeyId, ApiKeyKind, Key};
use model::security::{Subject, SubjectKind};
use model::{Secret, Timestamp};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use store::access::{AccessChange, AccessChanged, ApiKeyRow, TokenHash};
use store::change::ChangeError;

/// The most API keys, ended ones too until they are swept.
pub const API_KEYS_MAX: usize = 1_000;
/// The most scopes of a key.
pub const SCOPES_MAX: usize = 100;
/// How many characters of a token people see: its last.
const SHOWN: usize = 4;

/// An API key as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyInput {
    /// What people call it.
    pub name: String,
    /// What it may do; `None`: everything.
    pub scopes: Option<Vec<String>>,
}

/// What is to be changed of an API key.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyPatch {
    /// What people call it.
    pub name: Patch<String>,
    /// What it may do; `None`: everything.
    pub scopes: Patch<Option<Vec<String>>>,
}

/// An API key that was just made.
pub struct NewApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its token, which nobody will see again.
    pub token: Secret,
}

impl App {
    /// All API keys, the oldest first unless asked otherwise.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] for another
    /// organisation's.
    pub async fn api_keys(
        &self,
        caller: &Caller,
        organisation: &str,
        input: &ListInput,
    ) -> Result<Page<ApiKey>, AppError> {
        self.require_own(caller, organisation)?;
        let part = Part::<ApiKeyKind>::of_all(input, Order::Ascending)?;
        self.renew_access().await?;
        let walk = part.walk(self.tokens.known.keys(), |row| row.key.id.key());
        let page = part.page(walk, |row| row.key.id);
        Ok(page.map(|row| row.key.clone()))
    }

    /// An API key.
    ///
    /// # Errors
    /// As [`App::api_keys`]; [`AppError::NotFound`].
    pub async fn api_key(
        &self,
        caller: &Caller,
        (organisation, key): (&str, &str),
    ) -> Result<ApiKey, AppError> {
        self.require_own(caller, organisation)?;
        let row = self.find_api_key(key_id(key)?).await?;
        Ok(row.key.clone())
    }

    /// Makes an API key. `nouns` are those that a scope can name.
    ///
    /// # Errors
    /// As [`App::api_keys`]; [`AppError::Invalid`]; [`AppError::Forbidden`] too for scopes that the
    /// caller does not have itself; [`AppError::BadRequest`] for too many.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        (organisation, nouns): (&str, &[&str]),
        input: ApiKeyInput,
    ) -> Result<NewApiKey, AppError> {
        self.require_own(caller, organisation)?;
        let idempotency = self.request_once(caller, Success::Done).await?;
        let mut judge = Judge::new(&[]);
        judge.text("name", &input.name);
        let scopes = input.scopes.map(|texts| scopes(&mut judge, &texts, nouns));
        judge.finish()?;
        caller.require_scopes(scopes.as_deref())?;
        let token = new_token(random(&*self.entropy));
        let key = ApiKey {
            id: ApiKeyId::new(Key::MIN, random(&*self.entropy)),
            name: input.name,
            shown: format!("{API_KEY_PREFIX}***{}", &token[token.len() - SHOWN..]),
            scopes,
            created_at: Timestamp::MIN,
            expires_at: None,
            used_at: None,
        };
        let change = AccessChange::CreateApiKey {
            key,
            hash: hash(&token),
            keys_max: API_KEYS_MAX,
        };
        let entry = self.entry(caller, AuditAction::ApiKeyCreated, SubjectKind::ApiKey);
        match self.change_access(entry, change, idempotency).await {
            Ok(Some(AccessChanged::ApiKey(row))) => Ok(NewApiKey {
                key: row.key,
                token: Secret::from(token),
            }),
            Ok(_) => Err(secret_not_repeated()),
            Err(ChangeError::TooMany) => Err(too_many()),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    /// As [`App::create_api_key`]; [`AppError::NotFound`].
    pub async fn patch_api_key(
        &self,
        caller: &Caller,
        (organisation, key, nouns): (&str, &str, &[&str]),
        patch: ApiKeyPatch,
    ) -> Result<ApiKey, AppError> {
        self.require_own(caller, organisation)?;
        let id = key_id(key)?;
        let mut judge = Judge::new(&[]);
        if let Some(name) = patch.name.as_set() {
            judge.text("name", name);
        }
        let wanted = patch
            .scopes
            .map(|wanted| wanted.map(|texts| scopes(&mut judge, &texts, nouns)));
        judge.finish()?;
        if let Some(wanted) = wanted.as_set() {
            caller.require_scopes(wanted.as_deref())?;
        }
        self.replace_api_key((caller, AuditAction::ApiKeyUpdated), id, |before| ApiKey {
            name: patch.name.clone().or(before.name),
            scopes: wanted.clone().or(before.scopes),
            ..before
        })
        .await
    }

    /// Ends an API key, at once or in so many seconds; not later than it would end anyway.
    ///
    /// # Errors
    /// As [`App::api_key`]; [`AppError::Invalid`].
    pub async fn expire_api_key(
        &self,
        caller: &Caller,
        (organisation, key): (&str, &str),
        seconds: i64,
    ) -> Result<(), AppError> {
        self.require_own(caller, organisation)?;
        let id = key_id(key)?;
        let mut judge = Judge::new(&[]);
        judge_wait(&mut judge, seconds);
        judge.finish()?;
        let wait = Duration::from_secs(seconds.unsigned_abs());
        self.end_api_key(caller, id, self.clock.now().plus(wait))
            .await
    }

    /// Writes down when keys were last used. Nobody asks for this: the binary calls it now and
    /// then.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]: what could not be written is tried again by the next call.
    pub async fn record_api_key_uses(&self) -> Result<(), AppError> {
        let uses = self.tokens.known.take_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let change = AccessChange::UseApiKeys(uses.clone());
        let changed = self.change_access_unaudited(Unaudited::Uses, change).await;
        changed.map(drop).map_err(|error| {
            self.tokens.known.put_back(uses);
            error.into()
        })
    }

    pub(crate) async fn end_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        at: Timestamp,
    ) -> Result<(), AppError> {
        let by = (caller, AuditAction::ApiKeyExpired);
        let ended = self.replace_api_key(by, id, |before| ApiKey {
            expires_at: Some(before.expires_at.map_or(at, |end| end.min(at))),
            ..before
        });
        ended.await.map(drop)
    }

    async fn replace_api_key(
        &self,
        (caller, action): (&Caller, AuditAction),
        id: ApiKeyId,
        with: impl Fn(ApiKey) -> ApiKey,
    ) -> Result<ApiKey, AppError> {
        let replaced = until_current(|| async {
            let before = self.find_api_key(id).await?;
            let key = with(before.key.clone());
            let fields = [
                ("name", key.name != before.key.name),
                ("scopes", key.scopes != before.key.scopes),
                ("expiresAt", key.expires_at != before.key.expires_at),
            ];
            let entry = self.entry(caller, action, Subject::new(SubjectKind::ApiKey, id));
            let entry = entry.saying(changed(fields));
            let change = AccessChange::ReplaceApiKey {
                key,
                version: before.version,
            };
            match self.change_access(entry, change, None).await? {
                Some(AccessChanged::ApiKey(row)) => Ok(row.key),
                _ => Err(ChangeRefused::Rule(AppError::not_found())),
            }
        });
        Ok(replaced.await?)
    }

    /// As it is in the store.
    async fn find_api_key(&self, id: ApiKeyId) -> Result<Arc<ApiKeyRow>, AppError> {
        self.renew_access().await?;
        let mut keys = self.tokens.known.keys().into_iter();
        let found = keys.find(|row| row.key.id == id);
        found.ok_or_else(AppError::not_found)
    }

    /// Passes the organisation, for itself.
    fn require_own(&self, caller: &Caller, organisation: &str) -> Result<(), AppError> {
        caller.require_organisation()?;
        if organisation == self.tokens.organisation() {
            Ok(())
        } else {
            Err(AppError::not_found())
        }
    }
}

/// What an API key's token is known by.
pub(crate) fn hash(token: &str) -> TokenHash {
    let hash = digest(&SHA256, token.as_bytes());
    *hash.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

/// 256 random bits behind a prefix.
pub(crate) fn new_token(random: [u8; 32]) -> String {
    hexadecimal(API_KEY_PREFIX, &random)
}

/// Bytes as digits behind a prefix.
pub(crate) fn hexadecimal(prefix: &str, bytes: &[u8]) -> String {
    let mut text = prefix.to_owned();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes what is written to it");
    }
    text
}

fn scopes(judge: &mut Judge<'_>, texts: &[String], nouns: &[&str]) -> Vec<Scope> {
    if texts.is_empty() || texts.len() > SCOPES_MAX {
        judge.note(
            "scopes",
            format!("must hold 1 to {SCOPES_MAX}; null means all"),
        );
        return Vec::new();
    }
    let mut scopes = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let field = format!("scopes[{index}]");
        match text.parse::<Scope>() {
            Err(error) => judge.note(&field, error.to_string()),
            Ok(scope)
                if scope
                    .noun()
                    .is_some_and(|noun| !nouns.contains(&noun.as_str())) =>
            {
                judge.note(
                    &field,
                    format!("there is no such noun; {}", nouns.join(", ")),
                );
            }
            Ok(scope) => scopes.push(scope),
        }
    }
    scopes
}

fn key_id(text: &str) -> Result<ApiKeyId, AppError> {
    text.parse().map_err(|_| AppError::not_found())
}

fn too_many() -> AppError {
    AppError::BadRequest {
        code: "limit_reached",
        detail: format!("there are {API_KEYS_MAX} API keys already, the most that there may be"),
    }
}
