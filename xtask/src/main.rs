//! `cargo xtask`: the checks of this repository that no ready-made tool makes.
//!
//! It depends on no room of the product, so that it builds in seconds and judges
//! them all alike: what the server says of itself, it asks the server's binary for. Commands are
//! few and take no options; `./check` runs them.

use std::path::Path;
use std::process::ExitCode;

mod contract;
mod tidy;

const USAGE: &str = "usage: cargo xtask tidy | contract DIR\n\n  \
    tidy           check the edges between rooms, sizes, names, banned words and documents' spans\n  \
    contract DIR   hold the API's document against the contract's files in DIR";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["tidy"] => tidy_command(),
        ["contract", directory] => contract_command(Path::new(directory)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn tidy_command() -> anyhow::Result<ExitCode> {
    let report = tidy::run(workspace_root())?;
    println!("{report}");
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn contract_command(directory: &Path) -> anyhow::Result<ExitCode> {
    let report = contract::run(workspace_root(), directory)?;
    println!("{report}");
    Ok(match report.findings.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}
