//! Which operations the published crate has methods for, read from its own source: each public
//! method names its HTTP method and its path as literals. Judges no answers.
//!
//! What only the feature `svix_beta` has is no part of the client as it is published.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What the parser must find at least, or it no longer understands the source.
const METHODS_MIN: usize = 100;

/// A method of the client, and its operation as `GET /api/v1/app/{}`.
#[derive(Debug)]
struct Method {
    name: String,
    operation: Option<String>,
}

/// Fails when a method was not called whose operation the document has.
pub(crate) async fn assert_none_forgotten(document: &Value, called: &BTreeSet<&str>) {
    let known = operations(document);
    let methods = methods(&source().await);
    assert!(methods.len() >= METHODS_MIN, "only {methods:?}");
    let silent: Vec<_> = methods.iter().filter(|it| it.operation.is_none()).collect();
    assert!(silent.is_empty(), "no operation was found for {silent:?}");
    let forgotten: Vec<&Method> = methods
        .iter()
        .filter(|it| it.operation.as_ref().is_some_and(|it| known.contains(it)))
        .filter(|it| !called.contains(it.name.as_str()))
        .collect();
    assert!(forgotten.is_empty(), "nobody called {forgotten:#?}");
}

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("it has paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path has operations");
        item.keys().map(move |method| operation(method, path))
    });
    all.collect()
}

/// The names of what stands in a path don't matter.
fn operation(method: &str, path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.chars().next() {
        Some('{') => "{}",
        _ => segment,
    });
    let path = segments.collect::<Vec<_>>().join("/");
    format!("{} {path}", method.to_uppercase())
}

/// Where cargo keeps the source of the crate that this test was built with.
async fn source() -> PathBuf {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    // Otherwise cargo wants other systems' packages, too, and fetches them.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = tokio::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--manifest-path", manifest, "--filter-platform", &platform])
        .output()
        .await
        .expect("cargo can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {said}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == "svix");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = Path::new(manifest.expect("svix is a dependency"));
    manifest.with_file_name("src").join("api")
}

/// All public methods: a file is what a method of the client gives, such as `message_attempt`.
fn methods(folder: &Path) -> Vec<Method> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the crate has api files") {
        let path = entry.expect("the folder can be listed").path();
        let noun = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("source is text");
        let mut parts = text.split("pub async fn ");
        let mut before = parts.next().unwrap_or_default();
        for part in parts {
            if !before
                .trim_end()
                .ends_with("#[cfg(feature = \"svix_beta\")]")
            {
                found.push(method(&noun, part));
            }
            before = part;
        }
    }
    found
}

fn method(noun: &str, text: &str) -> Method {
    let name = text.split(['(', '<']).next().unwrap_or_default();
    let call = text.split("http::Method::").nth(1);
    let verb = call.and_then(|call| call.split(',').next());
    let path = call.and_then(|call| call.split('"').nth(1));
    Method {
        name: format!("{noun}.{name}"),
        operation: verb.zip(path).map(|(verb, path)| operation(verb, path)),
    }
}
