//! Where things are: the repository, the binary under test, the published clients. The only file
//! here that reads the environment.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The variable that names the binary under test.
pub const BINARY: &str = "POSTRIDER_BIN";
/// The variable that names one with the cargo feature `otlp`.
pub const OTLP_BINARY: &str = "POSTRIDER_OTLP_BIN";

/// A variable of the environment, if it is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "a test run is configured by its environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    match variable("CARGO_TARGET_DIR") {
        Some(path) => repository().join(path),
        None => repository().join("target"),
    }
}

/// The binary under test: what [`BINARY`] names, otherwise the release build, otherwise the debug
/// build.
///
/// # Panics
/// When there is none.
pub fn binary() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let builds = ["release", "debug"].map(|profile| target().join(profile).join("postrider"));
        let advice = "run `cargo build --release -p postrider`";
        find(BINARY, &builds, advice)
    })
}

/// The binary that can export: what [`OTLP_BINARY`] names, otherwise the one that `./check` puts
/// aside.
///
/// # Panics
/// When there is none.
pub fn otlp_binary() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let advice = "run `cargo build -p postrider --features otlp`, and move what it built to \
                      otlp/postrider in the target directory";
        find(OTLP_BINARY, &[target().join("otlp/postrider")], advice)
    })
}

fn find(named_by: &str, builds: &[PathBuf], advice: &str) -> PathBuf {
    let found = variable(named_by).map(PathBuf::from);
    let found = found.or_else(|| builds.iter().find(|path| path.is_file()).cloned());
    let found = found.unwrap_or_else(|| panic!("no server to test: set {named_by}, or {advice}"));
    let there = found.is_file();
    assert!(
        there,
        "{named_by} names {}, and there is no such file",
        found.display()
    );
    found
}

/// Where `./check` installs the published clients.
pub fn clients() -> PathBuf {
    target().join("clients")
}

/// A command in the tests' environment, without what would configure a server or send requests
/// through a proxy.
pub fn command(program: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_lowercase();
        if text.starts_with("postrider_") || text.ends_with("_proxy") || text == "rust_log" {
            command.env_remove(&name);
        }
    }
    command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    command
}
