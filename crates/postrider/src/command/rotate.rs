//! `postrider keys rotate`: asks for another master key, beside the servers that work on the store,
//! and waits until they have sealed all that is to be sealed anew.
//!
//! It writes two things only: the data directory's key files, where the key is there, and in the
//! store what it asks for, with an entry for the audit log. All else the nodes do, and go on doing
//! when this is broken off: asked again, it goes on where it was.

use super::{drive, left, say, say_json};
use crate::cli::RotateArgs;
use crate::config::{Checked, Database};
use crate::failure::Failure;
use crate::key_checks::needed;
use crate::keys::{KeySources, MasterKeys, PREVIOUS_MASTER_KEY_FILE, make_next_master};
use crate::storage::postgres;
use crate::system::SystemEntropy;
use anyhow::anyhow;
use model::audit::AuditAction;
use serde_json::json;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use store::audit::AuditEntry;
use store::change::SettingsChange;
use store::master_keys::MASTER_KEYS;
use store_sqlite::{DataDirectory, OpenError};
use vault::{MasterKeyId, Standing};

/// How long a server may take until its new key seals: it looks once a second.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The same with several nodes: one that was killed counts until its lease has ended.
const NODES_ANSWER_MAX: Duration = Duration::from_secs(30);
/// How often it is looked how far they are.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Rotates, and says how that came out.
pub(crate) fn run(args: RotateArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let (key, done) = drive(rotate(&config))??;
    let id = key.to_string();
    if args.json {
        return say_json(&json!({"masterKey": id, "done": done}));
    }
    if !done {
        return say(format_args!(
            "asked for master key {id}. No server is at work: the next `postrider serve` goes on. \
             Keep both keys until then"
        ));
    }
    say(format_args!(
        "all is sealed by master key {id} now, and the one before is needed no more to serve: take \
         {PREVIOUS_MASTER_KEY_FILE}, or `previous_master_key`, away. Keep it in a safe place for as \
         long as you keep backups from before now"
    ))
}

/// Gives the key that all is sealed by, or is to be.
async fn rotate(config: &Checked) -> Result<(MasterKeyId, bool), Failure> {
    let place = Place(config);
    let _alone = alone(&config.data_dir)?;
    // Held while nobody else has it, so that no server starts between a look and the next.
    let directory = place.lock()?;
    let sources = KeySources::of(config);
    let masters = sources.masters().await?;
    let standing = needed(&masters, &place.kept().await?)?;
    let next = match standing {
        Standing::Alone(current) => {
            let next = next_key(&sources, masters, current)?;
            let asked = Standing::Asked { current, next };
            let said = format!("{next} is to seal, not {current}");
            let entry = left::entry(config, AuditAction::MasterKeyRotationAsked, said);
            place.swap(standing, asked, entry).await?;
            next
        }
        Standing::Asked { next, .. } => next,
        Standing::Rewrapping { current, .. } => current,
    };
    if directory.is_some() {
        return Ok((next, false));
    }
    let patience = match place.database() {
        None => ANSWER_MAX,
        Some(_) => NODES_ANSWER_MAX,
    };
    match tokio::time::timeout(patience, place.until(|now| !is_asked(now))).await {
        Ok(reached) => drop(reached?),
        Err(_) => {
            if let Some(done) = place.refuse(next).await? {
                return Ok((next, done));
            }
        }
    }
    place.until(|now| matches!(now, Standing::Alone(_))).await?;
    Ok((next, true))
}

/// The key that is to take this one's place: the configured one, or a new one in a file.
fn next_key(
    sources: &KeySources,
    masters: MasterKeys,
    current: MasterKeyId,
) -> Result<MasterKeyId, Failure> {
    if masters.current.id() != current {
        return Ok(masters.current.id());
    }
    if sources.keys.master.is_given() {
        return Err(Failure::CouldNot(anyhow!(
            "the given `master_key` is the one in use ({current}): on every node, give a new one as \
             `master_key` and this one as `previous_master_key`, then ask again"
        )));
    }
    let next = make_next_master(&sources.data_dir, &masters.current, &SystemEntropy)?;
    Ok(next.id())
}

fn is_asked(standing: Standing) -> bool {
    matches!(standing, Standing::Asked { .. })
}

/// Two of these at a time would each make a key. The directory itself is locked, which nothing else
/// does.
fn alone(data_dir: &Path) -> Result<Option<File>, Failure> {
    let Ok(directory) = File::open(data_dir) else {
        return Ok(None);
    };
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(_) => Err(Failure::CouldNot(anyhow!(
            "another `postrider keys rotate` is at work in {}: wait for it",
            data_dir.display()
        ))),
    }
}

/// Where the store is.
struct Place<'a>(&'a Checked);

impl Place<'_> {
    fn database(&self) -> Option<&Database> {
        self.0.database.as_ref()
    }

    /// Locks a data directory that no server works in.
    fn lock(&self) -> Result<Option<DataDirectory>, Failure> {
        if self.database().is_some() {
            return Ok(None);
        }
        match DataDirectory::lock(&self.0.data_dir) {
            Ok(directory) => Ok(Some(directory)),
            Err(OpenError::Locked { .. }) => Ok(None),
            Err(error) => Err(Failure::could_not(error)),
        }
    }

    async fn kept(&self) -> Result<Vec<u8>, Failure> {
        let kept = match self.database() {
            None => {
                let kept = store_sqlite::setting(&self.0.data_dir, MASTER_KEYS);
                kept.map_err(Failure::could_not)?
            }
            Some(database) => {
                let kept = store_postgres::setting(&postgres(database), MASTER_KEYS).await;
                kept.map_err(Failure::could_not)?
            }
        };
        kept.ok_or_else(|| {
            Failure::CouldNot(anyhow!(
                "no server has worked on this store yet: nothing is sealed that a new key could \
                 seal anew"
            ))
        })
    }

    async fn standing(&self) -> Result<Standing, Failure> {
        let kept = self.kept().await?;
        let damaged = || Failure::CouldNot(anyhow!("what the store keeps of its keys is damaged"));
        Standing::from_bytes(&kept).ok_or_else(damaged)
    }

    /// Refused where it stands otherwise by now.
    async fn swap(
        &self,
        before: Standing,
        after: Standing,
        entry: AuditEntry,
    ) -> Result<(), Failure> {
        let values = SettingsChange {
            before: Some(before.to_bytes()),
            after: after.to_bytes(),
        };
        let swapped = match self.database() {
            None => {
                let swapped =
                    store_sqlite::swap_setting(&self.0.data_dir, MASTER_KEYS, &values, &entry);
                swapped.map_err(Failure::could_not)?
            }
            Some(database) => {
                let database = postgres(database);
                let swapped =
                    store_postgres::swap_setting(&database, MASTER_KEYS, &values, &entry).await;
                swapped.map_err(Failure::could_not)?
            }
        };
        match swapped {
            true => Ok(()),
            false => Err(Failure::CouldNot(anyhow!(
                "the nodes went on meanwhile: ask again"
            ))),
        }
    }

    /// Returns when it stands so.
    async fn until(&self, reached: impl Fn(Standing) -> bool) -> Result<(), Failure> {
        while !reached(self.standing().await?) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Takes back what was asked for too early, and says why it was. With no node there, it stays
    /// asked for. `None`: they have just gone on.
    async fn refuse(&self, next: MasterKeyId) -> Result<Option<bool>, Failure> {
        let too_early = self.too_early(next).await?;
        let standing = self.standing().await?;
        let Standing::Asked { current, .. } = standing else {
            return Ok(None);
        };
        let Some(too_early) = too_early else {
            return Ok(Some(false));
        };
        let said = format!("{next} was too early, {current} goes on");
        let entry = left::entry(self.0, AuditAction::MasterKeyRotationWithdrawn, said);
        self.swap(standing, Standing::Alone(current), entry).await?;
        Err(Failure::CouldNot(anyhow!(
            "too early: {too_early}, and nothing was sealed by master key {next}. Give every node \
             both keys, the new one as `master_key` or master.key, and the one in use ({current}) \
             as `previous_master_key` or {PREVIOUS_MASTER_KEY_FILE}; restart those that have them \
             in their environment; then ask again"
        )))
    }

    /// Why no node went on; `None`: there is none.
    async fn too_early(&self, next: MasterKeyId) -> Result<Option<String>, Failure> {
        let Some(database) = self.database() else {
            return Ok(Some("the server does not have the new key".to_owned()));
        };
        let nodes = store_postgres::nodes(&postgres(database)).await;
        let mut nodes = nodes.map_err(Failure::could_not)?;
        nodes.retain(|node| node.alive);
        if nodes.is_empty() {
            return Ok(None);
        }
        let next = next.to_string();
        nodes.retain(|node| !node.master_keys.contains(&next));
        let names: Vec<_> = nodes
            .iter()
            .map(|node| format!("node {} ({})", node.slot, node.name))
            .collect();
        Ok(Some(match names.is_empty() {
            true => "no node with the role `deliver` is alive".to_owned(),
            false => format!("{} did not get the new key", names.join(", ")),
        }))
    }
}
