//! The claims that every store keeps, each a test under its own name. A store names itself once:
//!
//! ```text
//! store::conformance_tests!(SqliteHarness);
//! ```
//!
//! and every claim runs against it. A claim is about the seam alone: it knows no SQL, no file and
//! no timing, and what it asserts is in the documentation of [`crate::Store`] and of what passes
//! through it. What belongs to one database (a full disk, a second process, migrations) is tested
//! beside that database.
//!
//! [`TestClock`] and [`TestEntropy`] are here too: whoever tests above the seam needs them. So are
//! an [`application`] and an [`endpoint`] to make, for tests of one store, and [`fill`].
//!
//! Map: `world`, `drafts`, `reading` (what claims are written with) · one file for each concern.

use crate::Store;
use crate::access::RevokedToken;
use crate::audit::AuditEntry;
use crate::change::SettingsChange;
use async_trait::async_trait;
use model::{Clock, Entropy};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

mod accept;
mod access;
mod applications;
mod attempts;
mod audit;
mod came_in;
mod cancel;
mod claim;
#[macro_use]
mod claims;
mod clock;
mod content;
mod deletes;
mod deliveries;
mod deliveries_read;
mod drafts;
mod durability;
mod endpoints;
mod entropy;
mod environment;
mod erasure;
mod event_types;
mod expunge_all;
mod fan_out;
mod filled;
mod forward;
mod health;
mod idempotency;
mod left;
mod lists;
mod nodes;
mod observed;
mod pulse;
mod random_walk;
mod reading;
mod record;
mod recover;
mod redactions;
mod replay;
mod retry_schedules;
mod security;
mod sources;
mod standings;
mod statistics;
mod sweep;
mod tally;
mod vitals;
mod works;
mod world;

pub use clock::TestClock;
pub use drafts::{application, endpoint};
pub use entropy::TestEntropy;
pub use filled::fill;

use world::World;

/// How the suite opens a store: one value stands for one database, empty at first, and gone when
/// the value is dropped. Each claim makes a value of its own by [`Default`].
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Opens the database with whatever is in it.
    async fn open(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<dyn Store>;

    /// Ends a store without a farewell, as near to a killed process as can be had in one that goes
    /// on: what was not committed is lost. When it returns, the database can be opened again. Holds
    /// that the store gave may still be there, and be dropped later.
    async fn close(&self, store: Arc<dyn Store>);

    /// Revokes a token as a command does: beside whoever has the database open, or nobody, and with
    /// an entry for the audit log.
    async fn revoke_beside(&self, token: &RevokedToken, entry: &AuditEntry);

    /// Writes a setting of this name anew in the same way. False: it was another before.
    async fn swap_beside(&self, name: &str, values: &SettingsChange, entry: &AuditEntry) -> bool;

    /// A new empty directory, for [`Store::backup`] to fill.
    fn empty_directory(&self) -> PathBuf;

    /// Opens what [`Store::backup`] left in a directory as a store of its own.
    async fn open_backup(
        &self,
        directory: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<dyn Store>;
}

/// Checks the claim of this name, `concern::claim`, and panics if it doesn't hold.
#[doc(hidden)]
pub async fn check(claim: &str, harness: Box<dyn Harness>) {
    let mut world = World::open(harness).await;
    find(claim, &mut world).await;
    world.close().await;
}

macro_rules! find_by_name {
    ($($concern:ident { $($claim:ident)* })*) => {
        fn find<'w>(claim: &str, world: &'w mut World) -> Pin<Box<dyn Future<Output = ()> + 'w>> {
            match claim {
                $($(concat!(stringify!($concern), "::", stringify!($claim)) => {
                    Box::pin($concern::$claim(world))
                })*)*
                _ => panic!("there is no claim {claim}"),
            }
        }
    };
}

conformance_claims! { find_by_name }
