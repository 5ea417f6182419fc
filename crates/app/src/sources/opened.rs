//! A source as this node works with it: opened when it is first needed, and until it changes.

use super::checks::{CheckError, Checks};
use crate::api_keys::hash;
use crate::{App, AppError};
use model::Secret;
use model::id::Tail;
use model::source::{Source, SourceConfig, SourceSecrets};
use std::sync::{Arc, OnceLock};
use store::Sealed;
use store::access::SourceRow;
use vault::Place;

/// A source as it is kept, and, once it was needed, opened.
pub(crate) struct KnownSource {
    pub(crate) row: SourceRow,
    opened: OnceLock<Arc<OpenSource>>,
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
    /// The version of its row.
    pub(crate) version: u64,
}

impl KnownSource {
    pub(crate) fn new(row: SourceRow) -> Self {
        Self {
            row,
            opened: OnceLock::new(),
        }
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

fn open(app: &App, row: &SourceRow) -> Result<OpenSource, AppError> {
    let sealed = row.sealed.as_ref().ok_or_else(AppError::not_found)?;
    let tail = row.source.id.tail();
    let stored = Secret::new(app.vault.open_for_installation(place(&tail), sealed)?);
    let SourceSecrets { token, config } =
        SourceSecrets::from_stored(stored.expose()).map_err(AppError::internal)?;
    let source = row.source.clone();
    let has_public_url = app.settings.public_url.is_some();
    let checks = Checks::new(source.source_type.as_str(), &config, has_public_url);
    Ok(OpenSource {
        checks: checks.map_err(|wrong| unusable(&source, &wrong))?,
        source,
        token,
        config,
        version: row.version,
    })
}

/// One that was judged by another release, or other options, than this one's.
fn unusable(source: &Source, wrong: &[CheckError]) -> AppError {
    let wrong = wrong.iter();
    let wrong: Vec<_> = wrong
        .map(|one| format!("`{}`: {}", one.field, one.message))
        .collect();
    let text = format!(
        "the source {} can't be used: {}",
        source.id,
        wrong.join("; ")
    );
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
