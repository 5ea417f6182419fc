//! One master key gives way to another while nodes work: every node hears which one seals, tells
//! which it has, and seals data keys anew. Nobody asks for this: the binary calls it each second.
//! How a node comes by its keys is the binary's business.
//!
//! The store refuses every data key that another master key sealed than seals by now. So what one
//! walk over all applications finds is all there is, and the key before is needed no more after it.

use crate::audit::{By, Unaudited};
use crate::change::{ChangeRefused, unexpected, until_current};
use crate::{App, AppError, Caller};
use model::audit::AuditAction;
use model::id::{ApplicationId, Key};
use store::change::{Change, ChangeError, Changed, SettingsChange};
use store::master_keys::MASTER_KEYS;
use store::query::{ApplicationQuery, Walk, Window};
use store::rows::{ApplicationRef, ApplicationRow};
use store::{Sealed, StoreError};
use vault::{MasterKeyId, SealedDataKey, Standing, VaultError};

/// Under this name the store keeps the installation's own data key.
pub const INSTALLATION_KEY: &str = "installation_key";

/// What came of a look at the master keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tended {
    /// There is nothing to do, or nothing for this node.
    Idle,
    /// It lacks the master key with this id: to be asked again at once when the vault has it.
    Lacks(MasterKeyId),
    /// From now on the first seals, instead of the second.
    GaveWay(MasterKeyId, MasterKeyId),
    /// All that this one sealed is sealed anew, so many data keys by this node.
    Done(MasterKeyId, usize),
}

/// How the master keys stand, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKeysView {
    /// The one that seals.
    pub current: String,
    /// The one that is to take its place as soon as every node has it.
    pub next: Option<String>,
    /// The one before, while what it sealed is being sealed anew.
    pub previous: Option<String>,
}

/// By whose rule a master key gives way, as the audit log names it: the operator asks for it on the
/// command line.
const RULE: &str = "master_keys";

/// So many applications are read at once.
const PAGE: usize = 250;

impl App {
    /// Does what is next for this node; where it `delivers`, also what one node has to do for all.
    ///
    /// # Errors
    /// Of the store. What was begun goes on with the next call.
    pub async fn tend_master_keys(&self, delivers: bool) -> Result<Tended, AppError> {
        let standing = self.heed_master_keys().await?;
        let lacking = |id: MasterKeyId| !self.vault.master_key_ids().contains(&id);
        if let Some(id) = standing.needed().into_iter().find(|id| lacking(*id)) {
            return Ok(Tended::Lacks(id));
        }
        match standing {
            Standing::Asked { current, next } => {
                if lacking(next) {
                    return Ok(Tended::Lacks(next));
                }
                self.tell_master_keys().await?;
                if delivers && self.all_have(next).await? {
                    let after = Standing::Rewrapping {
                        current: next,
                        previous: current,
                    };
                    if self.swap(standing, after).await? {
                        self.vault.seal_by(next);
                        return Ok(Tended::GaveWay(next, current));
                    }
                }
            }
            Standing::Rewrapping { current, previous } if delivers => {
                let rewrapped = self.rewrap_all().await?;
                if self.swap(standing, Standing::Alone(current)).await? {
                    return Ok(Tended::Done(previous, rewrapped));
                }
            }
            Standing::Alone(_) | Standing::Rewrapping { .. } => {}
        }
        Ok(Tended::Idle)
    }

    /// How the master keys stand, for whoever runs this.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn master_keys(&self, caller: &Caller) -> Result<MasterKeysView, AppError> {
        caller.require_organisation()?;
        let standing = self.read_master_keys().await?;
        let standing = standing.unwrap_or(Standing::Alone(self.vault.master_key_id()));
        let (next, previous) = match standing {
            Standing::Alone(_) => (None, None),
            Standing::Asked { next, .. } => (Some(next), None),
            Standing::Rewrapping { previous, .. } => (None, Some(previous)),
        };
        Ok(MasterKeysView {
            current: standing.current().to_string(),
            next: next.map(|id| id.to_string()),
            previous: previous.map(|id| id.to_string()),
        })
    }

    /// Has the vault seal by the master key that seals now.
    pub(crate) async fn heed_master_keys(&self) -> Result<Standing, AppError> {
        let Some(standing) = self.read_master_keys().await? else {
            return Ok(Standing::Alone(self.vault.master_key_id()));
        };
        self.vault.seal_by(standing.current());
        Ok(standing)
    }

    /// `None`: no key ever gave way to another.
    async fn read_master_keys(&self) -> Result<Option<Standing>, AppError> {
        let Some(kept) = self.store.setting(MASTER_KEYS).await? else {
            return Ok(None);
        };
        let standing = Standing::from_bytes(&kept).ok_or_else(|| StoreError::Corrupt {
            reason: format!("the setting {MASTER_KEYS} can't be read"),
        })?;
        Ok(Some(standing))
    }

    async fn tell_master_keys(&self) -> Result<(), AppError> {
        let ids = self.vault.master_key_ids();
        let ids = ids.iter().map(ToString::to_string).collect();
        let told = Change::TellMasterKeys(ids);
        self.change_unaudited(Unaudited::MasterKeysTold, None, told)
            .await?;
        Ok(())
    }

    /// Whether every node has this key. One that nobody else works beside is this one. A node that
    /// joins just now hears of it within a second, before it has missed anything.
    async fn all_have(&self, key: MasterKeyId) -> Result<bool, AppError> {
        let nodes = self.store.nodes().await?;
        let key = key.to_string();
        Ok(nodes
            .iter()
            .all(|node| node.lease_ends.is_none() || node.master_keys.contains(&key)))
    }

    /// False: another node was faster.
    async fn swap(&self, before: Standing, after: Standing) -> Result<bool, AppError> {
        let entry = self
            .entry_at_installation(By::Rule(RULE), AuditAction::MasterKeyRotated)
            .saying(told(after));
        let swap = swapped(MASTER_KEYS, before.to_bytes(), after.to_bytes());
        was_first(self.change(entry, None, swap, None).await)
    }

    /// Seals anew what other master keys sealed. How many data keys that were.
    async fn rewrap_all(&self) -> Result<usize, AppError> {
        let mut rewrapped = self.rewrap_installation().await?;
        let mut query = ApplicationQuery {
            window: Window {
                above: Key::MIN,
                below: Key::MAX,
                ascending: true,
                limit: PAGE,
            },
            with_endpoints: false,
            without_disabled_endpoints: false,
        };
        loop {
            let Walk {
                rows,
                examined,
                more,
            } = self.store.applications(&query).await?;
            for row in rows {
                if self.rewrapped(&row)?.is_some() {
                    rewrapped += self.rewrap(row.application.id).await?;
                }
            }
            if !more {
                return Ok(rewrapped);
            }
            query.window.above = examined.expect("it goes on behind what it looked at");
        }
    }

    async fn rewrap_installation(&self) -> Result<usize, AppError> {
        let Some(before) = self.store.setting(INSTALLATION_KEY).await? else {
            return Ok(0);
        };
        let sealed = SealedDataKey::from_bytes(&before[..]);
        let Some(after) = self.vault.rewrap_installation(&sealed)? else {
            return Ok(0);
        };
        // Where another node was faster, it has done the same.
        let swap = swapped(INSTALLATION_KEY, before, after.into_bytes());
        let changed = self.change_unaudited(Unaudited::SealedAnew, None, swap);
        Ok(usize::from(was_first(changed.await)?))
    }

    async fn rewrap(&self, id: ApplicationId) -> Result<usize, AppError> {
        let done = until_current(|| async {
            let found = self.registry.find(&ApplicationRef::Id(id)).await;
            let Some(found) = found.map_err(AppError::from)? else {
                return Ok(0);
            };
            let row = &found.application;
            let Some(data_keys) = self.rewrapped(row).map_err(AppError::from)? else {
                return Ok(0);
            };
            let count = data_keys.len();
            let change = Change::ReplaceDataKeys {
                application: id.key(),
                data_keys,
                revision: row.revision,
            };
            let changed = self.change_unaudited(Unaudited::SealedAnew, Some(id.key()), change);
            match changed.await? {
                Changed::Application(_) => Ok(count),
                other => Err(unexpected(&other).into()),
            }
        });
        match done.await {
            // It was deleted meanwhile, with its keys.
            Err(ChangeRefused::Store(ChangeError::Missing)) => Ok(0),
            other => Ok(other?),
        }
    }

    /// An application's data keys, sealed by the master key that seals now; `None`: they are.
    fn rewrapped(&self, row: &ApplicationRow) -> Result<Option<Vec<Sealed>>, VaultError> {
        let tail = row.application.id.tail();
        let mut any = false;
        let keys = row.data_keys.iter().map(|sealed| {
            let anew = self
                .vault
                .rewrap(tail, &SealedDataKey::from_bytes(&sealed[..]))?;
            any |= anew.is_some();
            Ok(anew.map_or_else(|| sealed.clone(), |key| key.into_bytes().into()))
        });
        let keys = keys.collect::<Result<Vec<Sealed>, VaultError>>()?;
        Ok(any.then_some(keys))
    }
}

fn swapped(name: &'static str, before: Vec<u8>, after: Vec<u8>) -> Change {
    let values = SettingsChange {
        before: Some(before),
        after,
    };
    Change::SwapSetting { name, values }
}

/// False: another node was faster.
fn was_first(changed: Result<Changed, ChangeError>) -> Result<bool, AppError> {
    match changed {
        Ok(_) => Ok(true),
        Err(ChangeError::Stale) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What the audit log has of it: which keys these are, by their ids.
fn told(after: Standing) -> String {
    match after {
        Standing::Alone(current) => format!("{current} has sealed all anew"),
        Standing::Asked { next, .. } => format!("{next} is to seal"),
        Standing::Rewrapping { current, previous } => format!("{current} seals, not {previous}"),
    }
}
