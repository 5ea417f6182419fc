//! Edges between rooms: what `cargo metadata` says against the table in `tidy.toml`.
//!
//! Where the table `narrow` opens an edge only for a few names, `source`s are read for others.
//! Build dependencies count as normal ones. Tests may also use the rooms in `tests_only`, and
//! any library; normal code keeps to its row, and to the table `libraries`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Finding;
use super::functions;
use super::lexer::Token;
use super::settings::{self, Narrow, Settings};
use super::source::Source;

#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    license: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal one.
    kind: Option<String>,
    /// For packages that lie in this repository.
    path: Option<String>,
}

/// What cargo knows of this workspace, without asking the network.
pub(crate) fn metadata(root: &Path) -> Result<Metadata> {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root)
        .output()
        .context("tidy asks cargo for the edges between rooms")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata answered in another form")
}

pub(crate) fn check(settings: &Settings, metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root);
        let manifest = manifest
            .unwrap_or(&package.manifest_path)
            .trim_start_matches('/');
        let finding = |text: String| Finding::new("edge", manifest, 1, text);
        let name = &package.name;

        if package.license.as_deref() != Some("Apache-2.0 OR MIT") {
            findings.push(finding(
                "the licence is `Apache-2.0 OR MIT`, on every package".into(),
            ));
        }
        let Some(allowed) = settings.rooms.get(name) else {
            let text = format!("{name} is not in the table of rooms: add its row to");
            findings.push(finding(format!("{text} {}", settings::PATH)));
            continue;
        };
        for dependency in &package.dependencies {
            if let Err(text) = check_edge(settings, name, allowed, dependency) {
                findings.push(finding(text));
            }
        }
    }
    findings
}

fn check_edge(
    settings: &Settings,
    from: &str,
    allowed: &[String],
    dependency: &Dependency,
) -> Result<(), String> {
    let to = &dependency.name;
    let holds = |list: &[String], name: &str| list.iter().any(|item| item == name || item == "*");
    let in_tests = dependency.kind.as_deref() == Some("dev");
    if dependency.path.is_some() {
        if holds(allowed, to) || in_tests && holds(&settings.tests_only.rooms, to) {
            return Ok(());
        }
        let row = if allowed.is_empty() {
            "no room".to_owned()
        } else {
            allowed.join(", ")
        };
        return Err(format!(
            "{from} depends on {to}, and may on {row}: dependencies go one way"
        ));
    }
    match settings.libraries.get(to) {
        Some(rooms) if !in_tests && !holds(rooms, from) => Err(format!(
            "{from} uses {to}, which only {} may",
            rooms.join(", ")
        )),
        _ => Ok(()),
    }
}

/// Finds names that `source` takes from another room through an edge too narrow for them.
pub(crate) fn check_narrow(edges: &[Narrow], source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let mut findings = Vec::new();
    for Narrow { from, to, only } in edges {
        if !source.path.starts_with(&format!("crates/{from}/")) {
            continue;
        }
        let names = (0..tokens.len()).flat_map(|at| names_from(to, &tokens[at..]));
        for name in names.filter(|name| !only.iter().any(|open| open == name.text)) {
            if !source.is_test(name.line) {
                let open = only.join(", ");
                let text = format!("{from} may use of {to} only {open}: not `{}`", name.text);
                findings.push(Finding::new("edge", &source.path, name.line, text));
            }
        }
    }
    findings
}

/// The names that `room::name` or `room::{one, other}` at the beginning of `tokens` takes.
fn names_from<'a>(room: &str, tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let [first, colons, next, ..] = tokens else {
        return Vec::new();
    };
    if first.text != room || colons.text != "::" {
        return Vec::new();
    }
    if next.text != "{" {
        return vec![*next];
    }
    let group = &tokens[2..=functions::closing(tokens, 2)];
    let listed = group
        .windows(2)
        .filter(|pair| matches!(pair[0].text, "{" | ","));
    listed
        .map(|pair| pair[1])
        .filter(|token| token.text != "}")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
        limits = { file_lines = 1, function_lines = 1, parameters = 1, columns = 1 }
        tests_only = { rooms = ["store-sqlite"] }
        libraries = { rusqlite = ["store-sqlite"] }
        [rooms]
        model = []
        engine = ["model"]
        postrider = ["*"]
    "#;

    fn texts(package: &str, name: &str, kind: Option<&str>, path: Option<&str>) -> Vec<String> {
        let metadata = serde_json::json!({
            "workspace_root": "/x",
            "packages": [{
                "name": package,
                "manifest_path": format!("/x/crates/{package}/Cargo.toml"),
                "license": "Apache-2.0 OR MIT",
                "dependencies": [{ "name": name, "kind": kind, "path": path }],
            }],
        });
        let settings = Settings::parse(SETTINGS).expect("the settings are well-formed");
        let metadata = serde_json::from_value(metadata).expect("the metadata is well-formed");
        check(&settings, &metadata)
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_found() {
        assert_eq!(
            texts("engine", "app", None, Some("/x/crates/app")),
            [
                "crates/engine/Cargo.toml:1: engine depends on app, and may on model: \
              dependencies go one way [edge]"
            ]
        );
        assert_eq!(texts("engine", "store-sqlite", None, Some("/x")).len(), 1);
        assert_eq!(texts("model", "engine", Some("build"), Some("/x")).len(), 1);
        assert_eq!(texts("model", "engine", Some("dev"), Some("/x")).len(), 1);
    }

    #[test]
    fn edges_in_the_table_are_fine() {
        for (from, to, kind) in [
            ("engine", "model", None),
            ("engine", "store-sqlite", Some("dev")),
            ("postrider", "engine", None),
        ] {
            assert_eq!(texts(from, to, kind, Some("/x")), [""; 0], "{from} {to}");
        }
    }

    #[test]
    fn a_room_without_a_row_is_found() {
        assert_eq!(texts("dashboard", "model", None, Some("/x")).len(), 1);
    }

    #[test]
    fn libraries_stay_in_their_rooms() {
        assert_eq!(
            texts("engine", "rusqlite", None, None),
            [
                "crates/engine/Cargo.toml:1: engine uses rusqlite, which only store-sqlite may [edge]"
            ]
        );
        assert_eq!(texts("engine", "rusqlite", Some("dev"), None), [""; 0]);
        assert_eq!(texts("engine", "bytes", None, None), [""; 0]);
    }

    #[test]
    fn every_package_bears_the_licence() {
        let metadata = r#"{"workspace_root": "/x", "packages": [{"name": "model",
            "manifest_path": "/x/Cargo.toml", "license": "MIT", "dependencies": []}]}"#;
        let settings = Settings::parse(SETTINGS).expect("the settings are well-formed");
        let metadata = serde_json::from_str(metadata).expect("the metadata is well-formed");
        assert_eq!(check(&settings, &metadata).len(), 1);
    }

    fn names_found(path: &str, text: &str) -> Vec<String> {
        let edges = [Narrow {
            from: "app".into(),
            to: "transport".into(),
            only: vec!["Guard".into()],
        }];
        let findings = check_narrow(&edges, &Source::read(path, text));
        let names = findings
            .iter()
            .map(|finding| finding.text.rsplit(' ').next());
        names
            .map(|name| name.expect("it has words").to_owned())
            .collect()
    }

    #[test]
    fn an_edge_may_be_open_for_some_names_only() {
        for (text, name) in [
            ("fn a(b: &transport::Transport) {}", "`Transport`"),
            ("use transport::{Guard, Transport};", "`Transport`"),
            (
                "use transport::{HttpsTransport as Client, Guard};",
                "`HttpsTransport`",
            ),
            ("use transport::*;", "`*`"),
        ] {
            assert_eq!(names_found("crates/app/src/a.rs", text), [name], "{text}");
            assert_eq!(
                names_found("crates/engine/src/a.rs", text),
                [""; 0],
                "{text}"
            );
            assert_eq!(
                names_found("crates/app/src/a/tests.rs", text),
                [""; 0],
                "{text}"
            );
        }
        for text in [
            "use transport::Guard;",
            "use transport::{Guard};",
            "// transport::Target",
        ] {
            assert_eq!(names_found("crates/app/src/a.rs", text), [""; 0], "{text}");
        }
    }
}
