//! `cargo xtask contract DIR`: holds the OpenAPI document that the server makes of its own code
//! against the contract that client libraries were made from, which is no part of this repository.
//!
//! Every operation that the document has must have the contract's parameters, statuses, fields and
//! words. Each difference that is on purpose stands in `xtask/contract.toml` with its reason; one
//! that is not there fails, and so does an entry that is not a difference any more. What the
//! contract says of patterns, lengths and formats is not compared, nor are operations that the
//! document doesn't have: those are counted.

mod compare;
mod document;
mod listed;
mod shape;

use anyhow::Context as _;
use document::Document;
use listed::Listed;
use std::path::Path;
use std::process::Command;

/// The contract's files.
const FILES: [&str; 2] = ["api-core.openapi.json", "api-extended.openapi.json"];

/// What was found.
pub(crate) struct Report {
    /// For each file, how many of its operations the document has, and how many the file has.
    claimed: Vec<(&'static str, usize, usize)>,
    /// Differences that are not listed, and entries of the list that are no difference.
    pub(crate) findings: Vec<String>,
}

/// Compares with the files in a directory.
pub(crate) fn run(root: &Path, directory: &Path) -> anyhow::Result<Report> {
    let ours = Document::parse(&served(root)?)?;
    let mut listed = Listed::read(&root.join("xtask/contract.toml"))?;
    let mut report = Report {
        claimed: Vec::new(),
        findings: Vec::new(),
    };
    for file in FILES {
        let path = directory.join(file);
        let text =
            std::fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let theirs = Document::parse(&text)?;
        let mut claimed = 0;
        for (label, wanted) in theirs.operations() {
            let Some(made) = ours.operation(&label) else {
                continue;
            };
            claimed += 1;
            let differences = compare::operations((&theirs, wanted), (&ours, made));
            let named = differences
                .into_iter()
                .map(|text| format!("{label}: {text}"));
            report
                .findings
                .extend(named.filter(|finding| !listed.has(finding)));
        }
        let all = theirs.operations().count();
        report.claimed.push((file, claimed, all));
    }
    report.findings.extend(listed.unused());
    Ok(report)
}

/// The document as this source makes it, by the binary that the tests use.
#[allow(
    clippy::disallowed_methods,
    reason = "a check of the house is no part of the product"
)]
fn served(root: &Path) -> anyhow::Result<Vec<u8>> {
    let mut command = match std::env::var_os("POSTRIDER_BIN") {
        Some(binary) => Command::new(binary),
        None => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["run", "--quiet", "--package", "postrider", "--"]);
            cargo
        }
    };
    let output = command
        .arg("openapi")
        .current_dir(root)
        .output()
        .context("`postrider openapi` can't be started")?;
    anyhow::ensure!(
        output.status.success(),
        "`postrider openapi` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        for (file, claimed, all) in &self.claimed {
            writeln!(f, "{file}: {claimed} of {all} operations")?;
        }
        match self.findings.len() {
            0 => write!(f, "contract: all differences are listed"),
            count => write!(
                f,
                "contract: {count} differences that are not listed, or not there"
            ),
        }
    }
}
