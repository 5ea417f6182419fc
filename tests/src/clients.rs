//! Scripts under `tests/clients`, run by the real Node and Python with the published packages that
//! `./check` installed, unmodified. And the published verifiers, which judge what arrived.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::place;
use crate::receiver::Received;
use crate::wait::within_time;

/// How long a script may take.
pub(crate) const SCRIPT_LIMIT: Duration = Duration::from_secs(240);
/// The oldest Node that the npm client `svix` runs on.
const NODE_MAJOR_MIN: u32 = 22;

/// A language, with its published packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Node, with what npm has.
    Node,
    /// Python, with what PyPI has.
    Python,
}

/// The package that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// `standardwebhooks`: looks at `webhook-*`.
    StandardWebhooks,
    /// `svix`: looks at `svix-*`, otherwise at `webhook-*`.
    Svix,
}

/// Runs `tests/clients/NAME` to its end with these variables; gives its standard output.
///
/// # Panics
/// When it fails, with all that it printed; or takes longer than four minutes.
pub async fn run(name: &str, variables: &[(&str, &str)]) -> String {
    run_for(SCRIPT_LIMIT, name, variables).await
}

/// The same for a script that may take longer, or not as long.
///
/// # Panics
/// As [`run`].
pub async fn run_for(limit: Duration, name: &str, variables: &[(&str, &str)]) -> String {
    let language = if name.ends_with(".py") {
        Language::Python
    } else {
        Language::Node
    };
    script(language, (name, limit), variables, "").await
}

/// Has the published `verifier` of `language` judge each request with its secret. Every one must
/// be genuine, and none of them may be with a changed body.
///
/// # Panics
/// When the verifier judges otherwise, or did not judge them all.
pub async fn verify(language: Language, verifier: Verifier, requests: &[(String, Received)]) {
    let lines: Vec<String> = requests
        .iter()
        .map(|(secret, request)| line(secret, request).to_string())
        .collect();
    let name = match language {
        Language::Node => "verify.mjs",
        Language::Python => "verify.py",
    };
    let package = match verifier {
        Verifier::StandardWebhooks => "standardwebhooks",
        Verifier::Svix => "svix",
    };
    let (verifier_is, lines) = ([("VERIFIER", package)], lines.join("\n"));
    let script = script(language, (name, SCRIPT_LIMIT), &verifier_is, &lines);
    let output = script.await;
    let expected = format!("genuine: {}", requests.len());
    assert!(
        output.contains(&expected),
        "{language:?} {verifier:?} said {output:?}, not {expected:?}"
    );
}

/// A request with an encrypted body, and what opens it.
pub struct Encrypted {
    /// What it is signed with.
    pub secret: String,
    /// The request.
    pub request: Received,
    /// The receiver's private key, as a JWK.
    pub key: Value,
    /// What the payload must be.
    pub payload: Value,
}

/// Has the published JOSE library of `language` open each request, as its receiver would. Every one
/// must open to its payload, and none may pass for another message's.
///
/// # Panics
/// When one does not, or not all were judged.
pub async fn decrypt(language: Language, requests: &[Encrypted]) {
    let lines = requests.iter().map(|one| {
        let mut line = line(&one.secret, &one.request);
        line["key"] = one.key.clone();
        line["payload"] = one.payload.clone();
        line.to_string()
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    let name = match language {
        Language::Node => "decrypt.mjs",
        Language::Python => "decrypt.py",
    };
    let output = script(language, (name, SCRIPT_LIMIT), &[], &lines).await;
    let expected = format!("opened: {}", requests.len());
    assert!(
        output.contains(&expected),
        "{language:?} said {output:?}, not {expected:?}"
    );
}

/// Has a published package of `language` sign what the lines say; gives a line of headers for each.
pub(crate) async fn sign(language: Language, package: &str, lines: &str) -> String {
    let name = match language {
        Language::Node => "sign.mjs",
        Language::Python => "sign.py",
    };
    script(
        language,
        (name, SCRIPT_LIMIT),
        &[("SENDER", package)],
        lines,
    )
    .await
}

fn line(secret: &str, request: &Received) -> Value {
    let mut line = described(request);
    line["secret"] = secret.into();
    line
}

/// A request as scripts are told of it.
pub(crate) fn described(request: &Received) -> Value {
    let texts = request.headers.iter().map(|(name, value)| {
        let text = value.to_str().expect("these headers are text");
        (name.as_str().to_owned(), Value::from(text))
    });
    let headers: serde_json::Map<String, Value> = texts.collect();
    let body = STANDARD.encode(&request.body);
    json!({"method": request.method, "path": request.path, "headers": headers, "body": body})
}

pub(crate) async fn script(
    language: Language,
    (name, limit): (&str, Duration),
    variables: &[(&str, &str)],
    input: &str,
) -> String {
    let home = tempfile::tempdir().expect("a directory for the script");
    let mut command = match language {
        Language::Node => node(home.path(), name).await,
        Language::Python => python(&scripts().join(name)),
    };
    command.envs(variables.iter().copied());
    feed(command, (name, limit), input).await
}

/// Runs a command to its end with this on standard input; gives its standard output.
pub(crate) async fn feed(
    mut command: Command,
    (name, limit): (&str, Duration),
    input: &str,
) -> String {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_owned();
    let feeding = tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
    let ended = within_time(
        limit,
        format!("the end of {name}"),
        child.wait_with_output(),
    );
    let output = ended.await.expect("a child can be waited for");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    assert!(
        status.success(),
        "{name} failed ({status})\n--- stdout\n{stdout}--- stderr\n{stderr}---"
    );
    let fed = feeding.await.expect("writing does not panic");
    fed.unwrap_or_else(|error| panic!("{name} did not read its input to the end: {error}"));
    stdout
}

/// Node's imports look for packages beside the script, whose real path counts: so the script is
/// copied to where `node_modules` can stand beside it.
pub(crate) async fn node(home: &Path, name: &str) -> Command {
    let modules = place::clients().join("npm/node_modules");
    let installed = ["svix", "playwright-core"].map(|name| modules.join(name).is_dir());
    assert!(
        installed == [true, true],
        "the npm clients are not in {}: run ./check once, which installs them",
        modules.display()
    );
    std::os::unix::fs::symlink(&modules, home.join("node_modules")).expect("a link");
    copy_scripts(&scripts(), home);
    let mut command = place::command(&node_binary().await);
    command.arg(home.join(name));
    command
}

/// Those of Node, with the folders that they are in.
fn copy_scripts(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("tests/clients is there") {
        let path = entry.expect("tests/clients can be listed").path();
        let copy = to.join(path.file_name().expect("a file has a name"));
        if path.is_dir() && !copy.exists() {
            std::fs::create_dir(&copy).expect("a new folder");
            copy_scripts(&path, &copy);
        } else if path.extension().is_some_and(|extension| extension == "mjs") {
            std::fs::copy(&path, &copy).expect("a script can be copied");
        }
    }
}

/// The Node that `./check` installed, otherwise the system's, if it is new enough.
async fn node_binary() -> PathBuf {
    let installed = place::clients().join("node/node_modules");
    let machine = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    let installed = installed.join(format!("node-linux-{machine}/bin/node"));
    let binary = if installed.is_file() {
        installed
    } else {
        PathBuf::from("node")
    };
    let version = place::command(&binary).arg("--version").output().await;
    let version = version.unwrap_or_else(|error| panic!("no Node ({error}): run ./check once"));
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|n| n.parse().ok());
    assert!(
        major.is_some_and(|major: u32| major >= NODE_MAJOR_MIN),
        "Node {version:?} is too old for the clients: run ./check once, which installs another"
    );
    binary
}

pub(crate) fn python(script: &Path) -> Command {
    let binary = place::clients().join("venv/bin/python");
    assert!(
        binary.is_file(),
        "the Python clients are not in {}: run ./check once, which installs them",
        binary.display()
    );
    let mut command = place::command(&binary);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(script);
    command
}

pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}
