//! Event types from an OpenAPI document: made, or written anew as the document has them. What is
//! wrong with a document is found before anything is written. An import that breaks off halfway is
//! done by repeating it: what it did before is unchanged then.

use super::draft::EventTypeDraft;
use super::openapi::{self, Described};
use super::schemas::check_bytes;
use super::{EventTypePatch, blank, newest};
use crate::change::{ChangeRefused, until_current};
use crate::idempotency::{Request, Success};
use crate::rules::Judge;
use crate::{App, AppError, Caller, Patch, Violation};
use model::audit::{AuditAction, AuditDraft};
use model::event_type::EventType;
use model::name::Name;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use store::change::Expect;
use store::idempotency::IdempotencyKey;

/// How many event types are looked for at a time.
const CHUNK: usize = 250;
/// The version of a schema, where there is none yet.
const FIRST_VERSION: &str = "1";

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportInput {
    /// The document.
    pub spec: Option<Map<String, Value>>,
    /// The same as text, JSON or YAML: either of them, and not both.
    pub spec_raw: Option<String>,
    /// Archive the event types that are not in the document.
    pub replace_all: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The event types that it made.
    pub created: Vec<EventType>,
    /// Those that it wrote anew, as they are now.
    pub updated: Vec<EventType>,
    /// Those that were as the document has them.
    pub unchanged: Vec<Name>,
    /// Those that it archived.
    pub archived: Vec<Name>,
}

impl App {
    /// Imports the webhooks of an OpenAPI document as event types, or says what that would do. An
    /// archived one that is in the document is archived no more. What a document says nothing of,
    /// such as a group, stays as it is.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::BadRequest`] unless there
    /// is one document; [`AppError::Invalid`] with all that is wrong with it.
    pub async fn import_event_types(
        &self,
        caller: &Caller,
        input: ImportInput,
    ) -> Result<Imported, AppError> {
        caller.require_organisation()?;
        let (replace_all, dry_run) = (input.replace_all, input.dry_run);
        let request = match dry_run {
            true => Request::New(None),
            false => self.request(caller, Success::Done).await?,
        };
        let wanted = input.judge_apart().await?;
        let plan = Plan {
            archived: self.beside(&wanted, replace_all).await?,
            wanted,
        };
        match request {
            Request::New(key) if !dry_run => self.carry_out(caller, plan, key).await,
            Request::New(_) => self.foresee(plan).await,
            Request::Repeated(_) => self.done_before(plan).await,
        }
    }

    /// The live event types that are not in the document, if they are to be archived.
    async fn beside(&self, wanted: &[Wanted], replace_all: bool) -> Result<Vec<Name>, AppError> {
        if !replace_all {
            return Ok(Vec::new());
        }
        let named: BTreeSet<&Name> = wanted.iter().map(|wanted| &wanted.name).collect();
        let names = self.live_event_types().await?;
        let others = names.into_iter().filter(|name| !named.contains(name));
        Ok(others.collect())
    }

    /// Does it, one event type after the other. The last change has the idempotency key, so that
    /// the key says that all was done.
    async fn carry_out(
        &self,
        caller: &Caller,
        plan: Plan,
        key: Option<IdempotencyKey>,
    ) -> Result<Imported, AppError> {
        let last = self.foresee(plan.clone()).await?.last_written();
        let key_of = |name: &Name| key.clone().filter(|_| last.as_ref() == Some(name));
        let mut imported = Imported::default();
        for wanted in plan.wanted {
            let write = until_current(|| async {
                let before = self.find_event_type(wanted.name.as_str()).await?;
                let expect = Expect::SavedAt(before.as_ref().map(|before| before.updated_at));
                let put = |action, after| {
                    let entry = self.imported_entry(caller, action, &wanted.name);
                    self.put_event_type_row(entry, after, expect, key_of(&wanted.name))
                };
                Ok(match wanted.outcome(before)? {
                    Outcome::Created(after) => {
                        Outcome::Created(put(AuditAction::EventTypeCreated, after).await?)
                    }
                    Outcome::Updated(after) => {
                        Outcome::Updated(put(AuditAction::EventTypeUpdated, after).await?)
                    }
                    Outcome::Unchanged(name) => Outcome::Unchanged(name),
                })
            });
            imported.add(write.await?);
        }
        for name in plan.archived {
            if self.archive(caller, &name, key_of(&name)).await? {
                imported.archived.push(name);
            }
        }
        Ok(imported)
    }

    /// Archives an event type, unless it is gone or archived by now.
    async fn archive(
        &self,
        caller: &Caller,
        name: &Name,
        key: Option<IdempotencyKey>,
    ) -> Result<bool, AppError> {
        let archive = until_current(|| async {
            let found = self.find_event_type(name.as_str()).await?;
            let Some(before) = found.filter(|before| !before.archived) else {
                return Ok(false);
            };
            let expect = Expect::SavedAt(Some(before.updated_at));
            let after = EventTypeDraft::archiving().applied(before);
            let entry = self.imported_entry(caller, AuditAction::EventTypeArchived, name);
            self.put_event_type_row(entry, after, expect, key.clone())
                .await?;
            Ok::<_, ChangeRefused>(true)
        });
        Ok(archive.await?)
    }

    fn imported_entry(&self, caller: &Caller, action: AuditAction, name: &Name) -> AuditDraft {
        self.entry_at_event_type(caller, action, name)
            .saying("by the import of an OpenAPI document")
    }

    /// What carrying it out would do now.
    async fn foresee(&self, plan: Plan) -> Result<Imported, AppError> {
        let mut imported = Imported {
            archived: plan.archived,
            ..Imported::default()
        };
        for wanted in plan.wanted.chunks(CHUNK) {
            let names: Vec<Name> = wanted.iter().map(|wanted| wanted.name.clone()).collect();
            let found = self.store.event_types_named(&names).await?;
            let named = found.into_iter().map(|found| (found.name.clone(), found));
            let mut found: BTreeMap<Name, EventType> = named.collect();
            for wanted in wanted {
                imported.add(wanted.outcome(found.remove(&wanted.name))?);
            }
        }
        Ok(imported)
    }

    /// What a request is answered that was done before: all that is in the document, as it is now.
    /// Which of them were new then is not known any more.
    async fn done_before(&self, plan: Plan) -> Result<Imported, AppError> {
        let mut imported = Imported::default();
        for wanted in plan.wanted {
            imported
                .updated
                .extend(self.find_event_type(wanted.name.as_str()).await?);
        }
        Ok(imported)
    }
}

/// All that an import is to do.
#[derive(Clone)]
struct Plan {
    wanted: Vec<Wanted>,
    archived: Vec<Name>,
}

/// An event type as a document has it, and that keeps all rules.
#[derive(Clone)]
struct Wanted {
    name: Name,
    /// Where it stands in the request's body.
    place: [String; 3],
    draft: EventTypeDraft,
    schema: Option<Value>,
}

/// What becomes of an event type.
enum Outcome {
    Created(EventType),
    Updated(EventType),
    Unchanged(Name),
}

impl ImportInput {
    /// [`Self::judge`], while others go on: a large document takes seconds.
    async fn judge_apart(self) -> Result<Vec<Wanted>, AppError> {
        let judged = tokio::task::spawn_blocking(|| self.judge()).await;
        judged.unwrap_or_else(|failed| Err(AppError::internal(failed)))
    }

    /// What the document says, if it keeps all rules; else every rule that it breaks.
    fn judge(self) -> Result<Vec<Wanted>, AppError> {
        let (field, document) = match (self.spec, self.spec_raw) {
            (Some(spec), None) => ("spec", Value::Object(spec)),
            (None, Some(text)) => {
                let document = openapi::parse(&text).map_err(|error| {
                    let text = format!("is neither JSON nor YAML: {error}");
                    Violation::body(&["specRaw"], text).unreadable()
                })?;
                ("specRaw", document)
            }
            (spec, _) => return Err(no_document(spec.is_some())),
        };
        let (mut all, mut broken) = (Vec::new(), Vec::new());
        for described in openapi::read(&document, field)? {
            match Wanted::judge(described, field) {
                Ok(wanted) => all.push(wanted),
                Err(AppError::Invalid(found)) => broken.extend(found),
                Err(other) => return Err(other),
            }
        }
        match broken.is_empty() {
            true => Ok(all),
            false => Err(AppError::Invalid(broken)),
        }
    }
}

fn no_document(both: bool) -> AppError {
    let detail = match both {
        true => "give the document as `spec` or as `specRaw`, not as both",
        false => "give the document: as JSON in `spec`, or as a text of JSON or YAML in `specRaw`",
    };
    AppError::BadRequest {
        code: "invalid_spec",
        detail: detail.to_owned(),
    }
}

impl Wanted {
    fn judge(described: Described, field: &str) -> Result<Self, AppError> {
        let [section, key] = &described.place;
        let within = [field, section, key];
        let mut judge = Judge::new(&within);
        let schemas = described
            .schema
            .clone()
            .map(|schema| under(Map::new(), schema));
        let patch = EventTypePatch {
            description: set(described.description),
            archived: Patch::Set(false),
            deprecated: Patch::Set(described.deprecated),
            schemas: set(schemas.map(Some)),
            feature_flag: Patch::Keep,
            feature_flags: set(described.feature_flags.map(Some)),
            group_name: set(described.group_name.map(Some)),
        };
        let draft = patch.draft(&mut judge);
        judge.finish()?;
        Ok(Self {
            name: described.name,
            place: within.map(str::to_owned),
            draft,
            schema: described.schema,
        })
    }

    /// What is to become of the event type, which is as given.
    ///
    /// # Errors
    /// [`AppError::Invalid`]: its schemas would be too large, with its older versions.
    fn outcome(&self, before: Option<EventType>) -> Result<Outcome, AppError> {
        let Some(before) = before else {
            return Ok(Outcome::Created(
                self.draft.applied(blank(self.name.clone())),
            ));
        };
        let mut after = self.draft.applied(before.clone());
        if let (Some(schema), Some(schemas)) = (&self.schema, &before.schemas) {
            let schemas = serde_json::from_str(schemas).map_err(AppError::internal)?;
            let schemas = Value::Object(under(schemas, schema.clone())).to_string();
            check_bytes(&schemas).map_err(|reason| {
                let place = self.place.each_ref().map(String::as_str);
                let text = format!("with the versions that are there, its schemas {reason}");
                Violation::body(&place, text)
            })?;
            after.schemas = Some(schemas);
        }
        Ok(match after == before {
            true => Outcome::Unchanged(self.name.clone()),
            false => Outcome::Updated(after),
        })
    }
}

/// Schemas of which the newest version, the one that holds, is this one.
fn under(mut schemas: Map<String, Value>, schema: Value) -> Map<String, Value> {
    let version = newest(schemas.keys()).map_or(FIRST_VERSION, String::as_str);
    schemas.insert(version.to_owned(), schema);
    schemas
}

/// What a document says nothing of stays.
fn set<T>(said: Option<T>) -> Patch<T> {
    said.map_or(Patch::Keep, Patch::Set)
}

impl Imported {
    /// The last one that is written, in the order in which they are.
    fn last_written(&self) -> Option<Name> {
        let written = self.created.iter().chain(&self.updated);
        let written = written.map(|event_type| &event_type.name).max();
        self.archived.last().or(written).cloned()
    }

    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created(event_type) => self.created.push(event_type),
            Outcome::Updated(event_type) => self.updated.push(event_type),
            Outcome::Unchanged(name) => self.unchanged.push(name),
        }
    }
}
