//! Sources are made, looked up, changed and deleted by the organisation.

use super::checks::{CRON, CheckError, Checks};
use super::config::ConfigInput;
use super::input::{SourceDraft, SourceInput, SourcePatch};
use super::nature::Nature;
use super::opened::{KnownSource, seal, secrets};
use super::view::SourceView;
use crate::api_keys::{hash, hexadecimal};
use crate::audit::changed;
use crate::change::{ChangeRefused, Saved, until_current};
use crate::find::{Named, Tenant, named};
use crate::idempotency::{Request, Success, id_of, made_is_gone};
use crate::page::{ListInput, Order, Page, Part};
use crate::patch::Patch;
use crate::{App, AppError, Caller, Violation};
use model::audit::{AuditAction, AuditDraft};
use model::entropy::random;
use model::id::{ApplicationId, Key, SourceId, SourceKind};
use model::name::Name;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::source::{Source, SourceConfig, SourceSecrets};
use model::{Secret, Timestamp};
use std::sync::Arc;
use store::access::{AccessChange, AccessChanged, SourceRow, TokenHash};
use store::change::ChangeError;
use store::idempotency::IdempotencyKey;

/// The most sources: every node has all of them in memory.
pub const SOURCES_MAX: usize = 10_000;

impl App {
    /// All sources, the oldest first unless asked otherwise. Whoever sees them sees the tokens in
    /// their URLs, unless what was shown is only for looking; that is in the audit log before.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`].
    pub async fn sources(
        &self,
        caller: &Caller,
        input: &ListInput,
    ) -> Result<Page<SourceView>, AppError> {
        let page = self.page_of_sources(caller, input).await?;
        let page = page.map(|view| view.to(caller));
        let shown = page.data.iter().filter(|view| view.token.is_some()).count();
        if shown > 0 {
            let entry = self
                .entry_at_installation(caller, AuditAction::SourceTokenRead)
                .saying(format!("of {shown} sources"));
            self.note(entry).await?;
        }
        Ok(page)
    }

    /// Sources with all that is known of them: whoever asks for it sees to what is shown.
    pub(super) async fn page_of_sources(
        &self,
        caller: &Caller,
        input: &ListInput,
    ) -> Result<Page<SourceView>, AppError> {
        caller.require_organisation()?;
        let part = Part::<SourceKind>::of_all(input, Order::Ascending)?;
        self.renew_access().await?;
        let key = |known: &Arc<KnownSource>| known.row.source.id.key();
        let walk = part.walk(self.tokens.known.sources(), key);
        let page = part.page(walk, |known| known.row.source.id);
        page.try_map(|known| self.view_of_source(&known.row))
    }

    /// A source, by id or uid, with the token in its URL, as above.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn source(&self, caller: &Caller, path: &str) -> Result<SourceView, AppError> {
        let view = self.view_of_source(&self.source_for(caller, path).await?.row)?;
        let view = view.to(caller);
        self.note_shown(caller, &view).await?;
        Ok(view)
    }

    /// That a source is there: for a handler that must know before it reads the body.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn source_to_change(&self, caller: &Caller, path: &str) -> Result<(), AppError> {
        self.source_for(caller, path).await.map(drop)
    }

    /// Makes a source.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`];
    /// [`AppError::NotBuilt`] for a type whose scheme is not known; [`AppError::Conflict`] for a
    /// uid that is taken; [`AppError::BadRequest`] for too many.
    pub async fn create_source(
        &self,
        caller: &Caller,
        input: SourceInput,
    ) -> Result<Saved<SourceView>, AppError> {
        caller.require_organisation()?;
        let key = match self.request(caller, Success::Created).await? {
            Request::New(key) => key,
            Request::Repeated(made) => {
                let made = self.source_made(caller, id_of(made)).await;
                return made.map(Saved::created);
            }
        };
        let new = self.judge_source(caller, input).await?;
        self.insert_source(caller, &new, key).await
    }

    /// Writes a source anew, but for the token in its URL, or makes one where there is none at
    /// `path`, whose uid comes from the input alone.
    ///
    /// # Errors
    /// As [`App::create_source`].
    pub async fn put_source(
        &self,
        caller: &Caller,
        path: &str,
        input: SourceInput,
    ) -> Result<Saved<SourceView>, AppError> {
        caller.require_organisation()?;
        let found = self.find_source(path).await?;
        let new = self.judge_source(caller, input).await?;
        let Some(found) = found else {
            return self.insert_source(caller, &new, None).await;
        };
        let by = (caller, AuditAction::SourceUpdated);
        let id = found.row.source.id;
        let replaced = self.replace_source(by, id, None, |source, before| Replacement {
            source: Source {
                source_type: new.source_type.clone(),
                ..new.draft.applied(source.clone())
            },
            secrets: SourceSecrets {
                token: before.token.clone(),
                config: new.config.clone(),
            },
        });
        let (before, after) = replaced.await?;
        if is_other(&before.config, &new.config) {
            let text = "what is secret of the source's configuration was replaced";
            self.report_source(caller, &after.source, text);
        }
        Ok(Saved::changed(after))
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    /// As [`App::create_source`]; [`AppError::NotFound`].
    pub async fn patch_source(
        &self,
        caller: &Caller,
        path: &str,
        patch: SourcePatch,
    ) -> Result<SourceView, AppError> {
        let id = self.source_for(caller, path).await?.row.source.id;
        let draft = patch.judge()?;
        let by = (caller, AuditAction::SourceUpdated);
        let replaced = self.replace_source(by, id, None, |source, before| Replacement {
            source: draft.applied(source.clone()),
            secrets: SourceSecrets {
                token: before.token.clone(),
                config: before.config.clone(),
            },
        });
        Ok(replaced.await?.1)
    }

    /// Gives a source another inbound URL: the one that it had leads nowhere any more, here at
    /// once, elsewhere within a second.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`];
    /// [`AppError::BadRequest`] for one at which nothing arrives.
    pub async fn rotate_source_token(
        &self,
        caller: &Caller,
        path: &str,
    ) -> Result<Secret, AppError> {
        let found = self.source_for(caller, path).await?;
        let key = match self.request(caller, Success::Done).await? {
            Request::New(key) => key,
            Request::Repeated(made) => {
                let now = self.source_made(caller, id_of(made)).await?;
                return now.token.ok_or_else(no_url);
            }
        };
        let id = found.row.source.id;
        if found.row.source.source_type.as_str() == CRON {
            return Err(no_url());
        }
        let token = new_token(self);
        let by = (caller, AuditAction::SourceTokenRotated);
        let replaced = self.replace_source(by, id, key, |source, before| Replacement {
            source: source.clone(),
            secrets: SourceSecrets {
                token: token.clone(),
                config: before.config.clone(),
            },
        });
        let (_, after) = replaced.await?;
        let text = "the token in the source's inbound URL was replaced";
        self.report_source(caller, &after.source, text);
        Ok(token)
    }

    /// Deletes a source, and its own application with what is open: nothing arrives there any more.
    /// An application that its configuration names stays.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn delete_source(&self, caller: &Caller, path: &str) -> Result<(), AppError> {
        let id = self.source_for(caller, path).await?.row.source.id;
        // The source goes behind its application: who dies in between can be asked again.
        self.delete_own_application(caller, id).await?;
        let entry = self.entry_at_source(caller, AuditAction::SourceDeleted, id);
        let change = AccessChange::DeleteSource(id.key());
        self.change_access(entry, change, None).await?;
        // What came in the meantime has made it again.
        self.delete_own_application(caller, id).await
    }

    async fn delete_own_application(&self, caller: &Caller, id: SourceId) -> Result<(), AppError> {
        match self.find_application(caller, &id.to_string()).await? {
            Some(own) => self.delete_application(caller, &own).await,
            None => Ok(()),
        }
    }

    /// The application that gets a source's messages, made if it isn't there: its endpoints are the
    /// source's.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`], also for an
    /// application that is named and gone.
    pub async fn source_application(
        &self,
        caller: &Caller,
        path: &str,
    ) -> Result<Tenant, AppError> {
        let found = self.source_for(caller, path).await?;
        let named = secrets(self, &found.row)?.config.application;
        self.application_of(caller.into(), &found.row.source, named)
            .await
    }

    /// A source for a caller who may see it.
    pub(super) async fn source_for(
        &self,
        caller: &Caller,
        path: &str,
    ) -> Result<Arc<KnownSource>, AppError> {
        caller.require_organisation()?;
        let found = self.find_source(path).await?;
        found.ok_or_else(AppError::not_found)
    }

    /// As it is in the store.
    async fn find_source(&self, path: &str) -> Result<Option<Arc<KnownSource>>, AppError> {
        self.renew_access().await?;
        Ok(named::<SourceKind>(path).and_then(|path| {
            self.tokens.known.find_source(|source| match &path {
                Named::Id(id) => source.id == *id,
                Named::Uid(uid) => source.uid.as_ref() == Some(uid),
            })
        }))
    }

    /// What an earlier request with the same idempotency key made, as it is now: its URL is shown
    /// once more.
    async fn source_made(&self, caller: &Caller, id: SourceId) -> Result<SourceView, AppError> {
        let found = self.find_source(&id.to_string()).await?;
        let view = self.view_of_source(&found.ok_or_else(made_is_gone)?.row)?;
        self.note_shown(caller, &view).await?;
        Ok(view)
    }

    /// Puts into the audit log that the token in a source's URL is about to be shown.
    async fn note_shown(&self, caller: &Caller, view: &SourceView) -> Result<(), AppError> {
        if view.token.is_none() {
            return Ok(());
        }
        let action = AuditAction::SourceTokenRead;
        self.note(self.entry_at_source(caller, action, view.source.id))
            .await
    }

    async fn judge_source(&self, caller: &Caller, input: SourceInput) -> Result<New, AppError> {
        let nature = Nature::of(&input.source_type)?;
        let patch = SourcePatch {
            name: Patch::Set(input.name),
            uid: Patch::Set(input.uid),
            metadata: Patch::Set(input.metadata),
        };
        let draft = patch.judge()?;
        let application = self.named_application(caller, &input.config).await?;
        let payload_bytes_max = self.settings.payload_bytes_max;
        let within = (application, payload_bytes_max);
        let config = input.config.judge(nature, within)?;
        let checks = Checks::new(
            &input.source_type,
            &config,
            self.settings.public_url.is_some(),
        );
        checks.map_err(broken)?;
        Ok(New {
            draft,
            source_type: name_of(&input.source_type),
            config,
        })
    }

    /// The application that a configuration names.
    async fn named_application(
        &self,
        caller: &Caller,
        config: &ConfigInput,
    ) -> Result<Option<ApplicationId>, AppError> {
        let Some(path) = &config.application else {
            return Ok(None);
        };
        match self.find_application(caller, path).await? {
            Some(found) => Ok(Some(found.application().id)),
            None => {
                let text = "no application has this id or uid: make it first, or leave this out";
                Err(Violation::body(&["config", "appId"], text).into())
            }
        }
    }

    async fn insert_source(
        &self,
        caller: &Caller,
        new: &New,
        key: Option<IdempotencyKey>,
    ) -> Result<Saved<SourceView>, AppError> {
        let tail = random(&*self.entropy);
        let source = new.draft.applied(blank(SourceId::new(Key::MIN, tail), new));
        let secrets = SourceSecrets {
            token: new_token(self),
            config: new.config.clone(),
        };
        let change = AccessChange::CreateSource {
            source,
            token: hash_of(&secrets),
            sealed: seal(self, &tail, &secrets),
            sources_max: SOURCES_MAX,
        };
        let entry = self
            .entry(caller, AuditAction::SourceCreated, SubjectKind::Source)
            .saying(new.source_type.to_string());
        match self.change_access(entry, change, key.clone()).await {
            Ok(Some(AccessChanged::Source(row))) => Ok(Saved::created(self.view_of_source(&row)?)),
            // The same request came twice at once: what the other one made is known by now.
            Ok(_) => match key {
                Some(key) => self.source_of(caller, &key).await.map(Saved::created),
                None => Err(made_is_gone()),
            },
            Err(ChangeError::TooMany) => Err(AppError::BadRequest {
                code: "limit_reached",
                detail: format!(
                    "there are {SOURCES_MAX} sources already, the most that there may be"
                ),
            }),
            Err(error) => Err(ChangeRefused::from(error).explain(uid_taken)),
        }
    }

    /// What the request with this idempotency key made.
    async fn source_of(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
    ) -> Result<SourceView, AppError> {
        let prior = self.store.prior(&[key.fingerprint]).await?;
        let made = prior.ok_or_else(made_is_gone)?.made;
        self.source_made(caller, id_of(made)).await
    }

    /// Writes a source anew, and gives back what was before and what is now.
    async fn replace_source(
        &self,
        (caller, action): (&Caller, AuditAction),
        id: SourceId,
        key: Option<IdempotencyKey>,
        with: impl Fn(&Source, &SourceSecrets) -> Replacement,
    ) -> Result<(SourceSecrets, SourceView), AppError> {
        let replaced = until_current(|| async {
            let found = self.find_source(&id.to_string()).await?;
            let found = found.ok_or_else(AppError::not_found)?;
            let before = secrets(self, &found.row)?;
            let Replacement { source, secrets } = with(&found.row.source, &before);
            let told = told((&found.row.source, &before), (&source, &secrets));
            let entry = self.entry_at_source(caller, action, id).saying(told);
            let change = AccessChange::ReplaceSource {
                source,
                token: hash_of(&secrets),
                sealed: seal(self, &id.tail(), &secrets),
                version: found.row.version,
            };
            match self.change_access(entry, change, key.clone()).await? {
                Some(AccessChanged::Source(row)) => Ok((before, self.view_of_source(&row)?)),
                _ => Err(ChangeRefused::Rule(made_is_gone())),
            }
        });
        replaced.await.map_err(|refused| refused.explain(uid_taken))
    }

    pub(super) fn view_of_source(&self, row: &SourceRow) -> Result<SourceView, AppError> {
        let has_public_url = self.settings.public_url.is_some();
        Ok(SourceView::of(
            &row.source,
            &secrets(self, row)?,
            has_public_url,
        ))
    }

    fn entry_at_source(&self, caller: &Caller, action: AuditAction, id: SourceId) -> AuditDraft {
        self.entry(caller, action, Subject::new(SubjectKind::Source, id))
    }

    fn report_source(&self, caller: &Caller, source: &Source, text: &str) {
        let subject = Subject::new(SubjectKind::Source, source.id);
        let kind = SecurityKind::SecretRotated;
        let event = SecurityEvent::new(kind, subject, self.clock.now(), text);
        self.events
            .report(event.from_address(caller.remote_address));
    }
}

/// A source that keeps all rules.
struct New {
    draft: SourceDraft,
    source_type: Name,
    config: SourceConfig,
}

/// A source as it is to be.
struct Replacement {
    source: Source,
    secrets: SourceSecrets,
}

/// A source that nothing was said of yet but its type.
fn blank(id: SourceId, new: &New) -> Source {
    Source {
        id,
        uid: None,
        name: String::new(),
        source_type: new.source_type.clone(),
        metadata: Default::default(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
    }
}

/// 256 random bits.
fn new_token(app: &App) -> Secret {
    Secret::from(hexadecimal("", &random::<32>(&*app.entropy)))
}

fn hash_of(secrets: &SourceSecrets) -> TokenHash {
    hash(&String::from_utf8_lossy(secrets.token.expose()))
}

/// Whether what is secret is not the same.
fn is_other(before: &SourceConfig, after: &SourceConfig) -> bool {
    let secret = |config: &SourceConfig| {
        let config = SourceConfig {
            secrets: config.secrets.clone(),
            auth: config.auth.clone(),
            encryption: config.encryption.clone(),
            verify_token: config.verify_token.clone(),
            ..SourceConfig::default()
        };
        let token = Secret::from(String::new());
        SourceSecrets { token, config }.to_stored()
    };
    secret(before).expose() != secret(after).expose()
}

/// What the audit log has of a change.
fn told(
    (source, secrets): (&Source, &SourceSecrets),
    (after, secrets_after): (&Source, &SourceSecrets),
) -> String {
    let (config, config_after) = (&secrets.config, &secrets_after.config);
    let stored = |config: &SourceConfig| {
        let token = Secret::from(String::new());
        let config = config.clone();
        SourceSecrets { token, config }.to_stored()
    };
    changed([
        ("name", source.name != after.name),
        ("uid", source.uid != after.uid),
        ("metadata", source.metadata != after.metadata),
        ("type", source.source_type != after.source_type),
        (
            "config",
            stored(config).expose() != stored(config_after).expose(),
        ),
        ("secrets of config", is_other(config, config_after)),
        (
            "ingestUrl",
            secrets.token.expose() != secrets_after.token.expose(),
        ),
    ])
}

/// What the checks found wrong with a configuration.
fn broken(errors: Vec<CheckError>) -> AppError {
    let errors = errors.into_iter();
    let broken = errors.map(|CheckError { field, message }| match field {
        "type" => Violation::body(&[field], message),
        field => Violation::body(&["config", field], message),
    });
    AppError::Invalid(broken.collect())
}

/// The name of a type that there is.
fn name_of(source_type: &str) -> Name {
    source_type.parse().expect("types' names are words")
}

fn no_url() -> AppError {
    AppError::BadRequest {
        code: "no_ingest_url",
        detail: "nothing arrives at this source: it has no URL that could be replaced".to_owned(),
    }
}

fn uid_taken() -> AppError {
    AppError::conflict("A source with that uid already exists")
}
