//! What this node knows of who may come in: revoked tokens, floors of applications' tokens, API
//! keys, and sources. Small by what it keeps of each; bounded by what use cases add.

use super::KEPT_MAX;
use crate::AppError;
use crate::sources::KnownSource;
use crate::sources::checks::CRON;
use aws_lc_rs::digest::{SHA256, digest};
use model::Timestamp;
use model::id::{ApiKeyId, ApiKeyKey, ApplicationKey, SourceKey};
use model::source::Source;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use store::access::{AccessRows, ApiKeyRow, TokenFloor, TokenHash};

/// How often what has no more to say is looked for.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// What a token's id is known by: half of its SHA-256.
pub(crate) type Mark = [u8; 16];

/// What of a token decides whether it was revoked.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) mark: Mark,
    /// Whose it is, where it is an application's.
    pub(crate) application: Option<ApplicationKey>,
    /// Its session.
    pub(crate) session: Option<String>,
    /// When it was issued, as exactly as it says so; where it does not, it is older than any.
    pub(crate) issued_at: Timestamp,
}

impl Credentials {
    /// Of the token of this id.
    pub(crate) fn new(id: &str) -> Self {
        Self {
            mark: mark(id),
            application: None,
            session: None,
            issued_at: Timestamp::MIN,
        }
    }
}

/// How an API key stands.
pub(crate) enum Standing {
    /// It is good.
    Good(Arc<ApiKeyRow>),
    /// It has ended.
    Ended(ApiKeyId),
    /// There is none.
    Unknown,
}

/// See the file's head.
#[derive(Default)]
pub(crate) struct Known {
    state: RwLock<State>,
    /// When keys were used, of those for which that was not written down.
    used: Mutex<BTreeMap<ApiKeyKey, Timestamp>>,
    /// Whoever reads what is new has this, so that nothing older comes after it.
    pub(crate) renewal: tokio::sync::Mutex<()>,
}

/// An application's, by session; `None`: of all its tokens.
type Floors = HashMap<Option<String>, Vec<TokenFloor>>;

#[derive(Default)]
struct State {
    version: u64,
    revoked: HashMap<Mark, Timestamp>,
    floors: HashMap<ApplicationKey, Floors>,
    keys: HashMap<TokenHash, Arc<ApiKeyRow>>,
    sources: HashMap<TokenHash, Arc<KnownSource>>,
    source_tokens: HashMap<SourceKey, TokenHash>,
    purged_at: Timestamp,
}

impl Known {
    /// The newest change that it knows.
    pub(crate) fn version(&self) -> u64 {
        self.read().version
    }

    /// Takes what was written behind that.
    pub(crate) fn take(&self, rows: AccessRows, now: Timestamp) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if rows.version < state.version {
            // Another database: what was known of the one before is not so here.
            *state = State::default();
        }
        state.take(rows, now);
        if now.since(state.purged_at) >= PURGE_EVERY {
            state.purge(now);
        }
    }

    /// Whether a token is not good any more.
    pub(crate) fn is_revoked(&self, token: &Credentials, now: Timestamp) -> bool {
        let state = self.read();
        state.revoked.contains_key(&token.mark) || state.is_below_a_floor(token, now)
    }

    /// How the API key of this id stands.
    pub(crate) fn key_of(&self, id: ApiKeyId, now: Timestamp) -> Standing {
        let state = self.read();
        match state.keys.values().find(|row| row.key.id == id) {
            None => Standing::Unknown,
            Some(row) if row.key.expires_at.is_some_and(|end| end <= now) => Standing::Ended(id),
            Some(row) => Standing::Good(row.clone()),
        }
    }

    /// The API key whose token has this hash.
    pub(crate) fn key(&self, hash: &TokenHash, now: Timestamp) -> Standing {
        match self.read().keys.get(hash) {
            None => Standing::Unknown,
            Some(row) if row.key.expires_at.is_some_and(|end| end <= now) => {
                Standing::Ended(row.key.id)
            }
            Some(row) => Standing::Good(row.clone()),
        }
    }

    /// All API keys, by ascending id.
    pub(crate) fn keys(&self) -> Vec<Arc<ApiKeyRow>> {
        let mut keys: Vec<_> = self.read().keys.values().cloned().collect();
        keys.sort_by_key(|row| row.key.id);
        keys
    }

    /// The live source whose inbound token has this hash.
    pub(crate) fn source(&self, hash: &TokenHash) -> Option<Arc<KnownSource>> {
        self.read().sources.get(hash).cloned()
    }

    /// All live sources, by ascending id.
    pub(crate) fn sources(&self) -> Vec<Arc<KnownSource>> {
        let mut sources: Vec<_> = self.read().sources.values().cloned().collect();
        sources.sort_by_key(|known| known.row.source.id);
        sources
    }

    /// The live source of which this holds.
    pub(crate) fn find_source(&self, is_it: impl Fn(&Source) -> bool) -> Option<Arc<KnownSource>> {
        let state = self.read();
        let mut sources = state.sources.values();
        sources.find(|known| is_it(&known.row.source)).cloned()
    }

    /// The live sources that make messages by themselves.
    pub(crate) fn scheduled(&self) -> Vec<Arc<KnownSource>> {
        let state = self.read();
        let sources = state.sources.values();
        let scheduled = sources.filter(|known| known.row.source.source_type.as_str() == CRON);
        scheduled.cloned().collect()
    }

    /// A key was used.
    pub(crate) fn note_use(&self, key: ApiKeyKey, now: Timestamp) {
        self.used().insert(key, now);
    }

    /// When keys were used since this was asked last.
    pub(crate) fn take_uses(&self) -> Vec<(ApiKeyKey, Timestamp)> {
        std::mem::take(&mut *self.used()).into_iter().collect()
    }

    /// What could not be written down.
    pub(crate) fn put_back(&self, uses: Vec<(ApiKeyKey, Timestamp)>) {
        let mut used = self.used();
        for (key, at) in uses {
            used.entry(key).or_insert(at);
        }
    }

    /// Whether more can be kept.
    pub(crate) fn check_room(&self) -> Result<(), AppError> {
        let state = self.read();
        let floors = state.floors.values().flat_map(HashMap::values);
        let floors = floors.map(Vec::len).sum();
        let most = state.revoked.len().max(floors);
        if most < KEPT_MAX {
            return Ok(());
        }
        Err(AppError::BadRequest {
            code: "limit_reached",
            detail: format!(
                "{KEPT_MAX} tokens are revoked already: change the token-signing key, which ends \
                 all, or wait until some have expired"
            ),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> MutexGuard<'_, BTreeMap<ApiKeyKey, Timestamp>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, rows: AccessRows, now: Timestamp) {
        self.version = rows.version;
        for token in rows.revoked {
            self.revoked.insert(mark(&token.id), token.ends_at);
        }
        for floor in rows.floors {
            let floors = self.floors.entry(floor.application).or_default();
            let floors = floors.entry(floor.session.clone()).or_default();
            floors.retain(|other| other.issued_before != floor.issued_before);
            floors.push(floor);
            let all = floors.clone();
            floors.retain(|one| !all.iter().any(|other| one.is_below(other, now)));
        }
        for row in rows.keys {
            self.keys.insert(row.hash, Arc::new(row));
        }
        for row in rows.sources {
            let key = row.source.id.key();
            if let Some(before) = self.source_tokens.remove(&key) {
                self.sources.remove(&before);
            }
            if row.sealed.is_some() {
                self.source_tokens.insert(key, row.token);
                let known = Arc::new(KnownSource::new(row));
                self.sources.insert(known.row.token, known);
            }
        }
    }

    fn purge(&mut self, now: Timestamp) {
        self.purged_at = now;
        self.revoked.retain(|_, ends_at| *ends_at > now);
        self.floors.retain(|_, floors| {
            floors.retain(|_, floors| {
                floors.retain(|floor| floor.ends_at > now);
                !floors.is_empty()
            });
            !floors.is_empty()
        });
    }

    fn is_below_a_floor(&self, token: &Credentials, now: Timestamp) -> bool {
        let Some(floors) = token.application.and_then(|key| self.floors.get(&key)) else {
            return false;
        };
        let concerns =
            |floor: &TokenFloor| floor.holds_from <= now && token.issued_at < floor.issued_before;
        [floors.get(&None), floors.get(&token.session)]
            .into_iter()
            .flatten()
            .flatten()
            .any(concerns)
    }
}

fn mark(id: &str) -> Mark {
    let hash = digest(&SHA256, id.as_bytes());
    *hash.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
