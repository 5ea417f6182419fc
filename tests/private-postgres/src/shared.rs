//! One server for all tests of a user, whatever their number of processes: test runners start one
//! for each test, and a cluster of its own would cost each more than a second.
//!
//! Two locks decide everything, and the system lets go of them for whoever is killed. All who use
//! the server hold `users` together; its watchdog ends it when nobody has held that for a while,
//! and keeps everyone out while it does. Who looks for a server that runs, and starts one if there
//! is none, holds `start` alone: what it finds and can't connect to is left from a crash.

use crate::binaries::Binaries;
use crate::cluster::{Cluster, OPTIONS};
use crate::room::Room;
use crate::server::Server;
use crate::watchdog::Needed;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// How long a server that nobody uses waits for the next: a runner has a test under way all the
/// time, and a developer runs a second one soon.
const IDLE: Duration = Duration::from_secs(10);

/// The one of this process, kept until its end.
pub(crate) fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (room, binaries) = (Room::find(), Binaries::find());
        let common = room.common();
        let users = open(&common.join("users"));
        users.lock_shared().expect("files can be locked");
        let start = open(&common.join("start"));
        start.lock().expect("files can be locked");
        let cluster = match running(&common, &prefix(&binaries)) {
            Some(place) => Cluster::made(place, binaries, room),
            None => begin(&common, binaries, room),
        };
        Server::kept_by(cluster, users)
    })
}

/// Starts a server, which stays when this process ends.
fn begin(common: &Path, binaries: Binaries, room: Room) -> Cluster {
    let home = room.place_in(common, &prefix(&binaries));
    let cluster = Cluster::make(home.path().to_owned(), binaries, room);
    let watched = open(&common.join("users"));
    drop(cluster.run(Needed::ByAll(watched, IDLE), &[]));
    // Not before: what does not start is removed.
    let _stays = home.keep();
    cluster
}

/// How names of clusters begin. Those of another version or with other options are for others.
fn prefix(binaries: &Binaries) -> String {
    let mut hasher = DefaultHasher::new();
    (binaries, OPTIONS).hash(&mut hasher);
    format!("{:08x}-", hasher.finish() & 0xffff_ffff)
}

/// The cluster whose server runs. Removes what is left of those that do not.
fn running(common: &Path, prefix: &str) -> Option<PathBuf> {
    let entries = common.read_dir().expect("it was made above");
    let places = entries.flatten().map(|entry| entry.path());
    let mut found = None;
    for place in places.filter(|place| place.is_dir()) {
        let name = place.file_name().unwrap_or_default();
        if !is_listening(&place) {
            // Its watchdog may be at it as well.
            let _ = std::fs::remove_dir_all(&place);
        } else if name.to_string_lossy().starts_with(prefix) {
            found = Some(place);
        }
    }
    found
}

fn is_listening(place: &Path) -> bool {
    match UnixStream::connect(Cluster::socket(place)) {
        Ok(_) => true,
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => false,
            // Too many open files, say: no reason to remove what may run.
            _ => panic!("{}: {error}", place.display()),
        },
    }
}

fn open(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let file = options.open(path);
    file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
