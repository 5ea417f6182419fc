//! What `bench --cluster` measures on: a private PostgreSQL, which is the installed one in a
//! directory of its own, what fills it, and nodes. Each is a process of this program, and none
//! outlives the bench, however that ends.

use super::disk;
use crate::cli::BenchArgs;
use crate::command::{drive, say};
use crate::failure::Failure;
use crate::keys;
use crate::system::SystemEntropy;
use anyhow::anyhow;
use bench::Plan;
use bench::database::Running;
use private_postgres::Server;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use store_postgres::PostgresConfig;
use tokio::runtime::Runtime;

/// As an installation has it: what was committed is on disk. The rest is what PostgreSQL's own
/// documentation has one set before all else.
const OPTIONS: [&str; 7] = [
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=256MB",
    "min_wal_size=256MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
];
/// Of each node: more than it takes.
const CONNECTIONS: u32 = 20;

/// Whether all of it can be started, and there is room for what will be stored; says how much that
/// is, if it is filled before.
pub(super) fn check(plan: &Plan, below: &Path) -> Result<(), Failure> {
    plan.check().map_err(super::failure)?;
    Server::check_below(below).map_err(|missing| Failure::CouldNot(anyhow!(missing)))?;
    let (needed, free) = (disk::needed(plan), disk::free(below)?);
    let room = format!(
        "the private PostgreSQL needs up to {} in {}, where {} are free",
        disk::shown(needed),
        below.display(),
        disk::shown(free)
    );
    if needed > free {
        let reason = anyhow!("{room}: name another disk by --data-dir, or store less");
        return Err(Failure::CouldNot(reason));
    }
    if plan.stored.iter().any(|&stored| stored > 0) {
        eprintln!("postrider: {room}");
    }
    Ok(())
}

/// Holds a PostgreSQL, and the keys of its nodes, until the bench is gone, or does not need them.
pub(super) fn database(args: &BenchArgs, runtime: &Runtime) -> Result<(), Failure> {
    let below = args.data_dir.as_deref().unwrap_or(Path::new("/tmp"));
    let home = tempfile::tempdir_in(below).map_err(Failure::could_not)?;
    keys::generate(home.path(), &SystemEntropy)?;
    let nodes = args.cluster.iter().max().copied().unwrap_or(1);
    let connections = format!("max_connections={}", (nodes + 1) * CONNECTIONS);
    let options = [&OPTIONS[..], &[&connections]].concat();
    let started = Server::start_below(below, &options);
    let server = started.map_err(|said| Failure::CouldNot(anyhow!(said)))?;
    let gone = || Failure::CouldNot(anyhow!("PostgreSQL ended: {}", server.log()));
    let running = Running {
        url: &server.url("postgres"),
        postmaster: server.postmaster().ok_or_else(gone)?,
        keys: home.path(),
    };
    runtime.block_on(bench::database::part(running));
    Ok(())
}

/// Fills a database, and says how far it is.
pub(super) fn fill(args: &BenchArgs) -> Result<(), Failure> {
    let config = PostgresConfig {
        url: args.database.clone().unwrap_or_default(),
        ..PostgresConfig::default()
    };
    let stored = args.stored.first().copied().unwrap_or_default();
    // Whoever wants to know how far it is may be gone.
    let told = |count| drop(say(count));
    let filled = drive(store_postgres::fill(&config, stored, told))?;
    filled.map_err(Failure::could_not)
}

/// Becomes a node that ends with the bench; returns only if it can't.
pub(super) fn node(command: &[OsString]) -> Failure {
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
    {
        return Failure::could_not(error);
    }
    match std::env::current_exe() {
        Ok(program) => Failure::could_not(Command::new(program).args(command).exec()),
        Err(error) => Failure::could_not(error),
    }
}
