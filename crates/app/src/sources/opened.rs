//! A source as this node works with it: opened when it is first needed, and until it changes.

use super::checks::{CheckError, Checks};
use super::view::sentence;
use crate::api_keys::hash;
use crate::{App, AppError};
use model::id::Tail;
use model::source::{Source, SourceConfig, SourceSecrets};
use model::{Secret, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use store::Sealed;
use store::access::SourceRow;
use vault::Place;

/// A source as it is kept, and, once it was needed, opened.
pub(crate) struct KnownSource {
    pub(crate) row: SourceRow,
    opened: OnceLock<Arc<OpenSource>>,
    /// Up to when it was looked for what its schedule says, in microseconds.
    looked_until: AtomicI64,
}

/// A source with what is secret of it. It does not print.
pub struct OpenSource {
    /// The source.
    pub source: Source,
    /// The token in its inbound URL.
    pub token: Secret,
    /// How it verifies what comes, and what it makes of it.
    pub config: SourceConfig,
    /// What its requests are verified by, made of that.
    pub checks: Checks,
}

impl KnownSource {
    pub(crate) fn new(row: SourceRow) -> Self {
        Self {
            row,
            opened: OnceLock::new(),
            looked_until: AtomicI64::new(Timestamp::MIN.micros()),
        }
    }

    /// Up to when it was looked for what its schedule says.
    pub(crate) fn looked_at(&self) -> Timestamp {
        Timestamp::from_micros(self.looked_until.load(Ordering::Relaxed))
    }

    /// It was looked for that.
    pub(crate) fn looked_until(&self, time: Timestamp) {
        self.looked_until.store(time.micros(), Ordering::Relaxed);
    }
}

impl App {
    /// The source whose inbound URL has this token; `None`: there is none. Looks into memory alone.
    ///
    /// # Errors
    /// [`AppError::Internal`] where it can't be opened.
    pub fn source_by_token(&self, token: &str) -> Result<Option<Arc<OpenSource>>, AppError> {
        let known = self.tokens.known.source(&hash(token));
        known.map(|known| self.opened(&known)).transpose()
    }

    /// The source, opened.
    pub(crate) fn opened(&self, known: &KnownSource) -> Result<Arc<OpenSource>, AppError> {
        if let Some(opened) = known.opened.get() {
            return Ok(opened.clone());
        }
        let opened = Arc::new(open(self, &known.row)?);
        Ok(known.opened.get_or_init(|| opened).clone())
    }
}

/// What is sealed of a source.
pub(crate) fn secrets(app: &App, row: &SourceRow) -> Result<SourceSecrets, AppError> {
    let sealed = row.sealed.as_ref().ok_or_else(AppError::not_found)?;
    let tail = row.source.id.tail();
    let stored = Secret::new(app.vault.open_for_installation(place(&tail), sealed)?);
    SourceSecrets::from_stored(stored.expose()).map_err(AppError::internal)
}

fn open(app: &App, row: &SourceRow) -> Result<OpenSource, AppError> {
    let SourceSecrets { token, config } = secrets(app, row)?;
    let source = row.source.clone();
    let has_public_url = app.settings.public_url.is_some();
    let checks = Checks::new(source.source_type.as_str(), &config, has_public_url);
    Ok(OpenSource {
        checks: checks.map_err(|wrong| unusable(&source, &wrong))?,
        source,
        token,
        config,
    })
}

/// One that was judged by another release, or other options, than this one's.
fn unusable(source: &Source, wrong: &[CheckError]) -> AppError {
    let (id, wrong) = (source.id, sentence(wrong));
    let text = format!("the source {id} can't be used: {wrong}");
    AppError::Internal(text.into())
}

/// Seals what is secret of a source. `tail` is its id's.
pub(crate) fn seal(app: &App, tail: &Tail, secrets: &SourceSecrets) -> Sealed {
    let stored = secrets.to_stored();
    let sealed = app
        .vault
        .seal_for_installation(place(tail), stored.expose());
    sealed.into()
}

fn place(tail: &Tail) -> Place<'_> {
    Place {
        table: "source",
        row: tail,
        column: "sealed",
    }
}
