//! `xtask tidy`: the rules of the house that the compiler and clippy don't know.
//!
//! A run gathers the files that git knows, reads each `.rs` file once into a [`Source`], and
//! lets every rule look at it. Rules are plain functions from what was read to findings, so that
//! each is tested on a snippet. Last, `xtask/tidy.toml`'s exceptions are taken off; one that
//! covers more than there is, is a finding itself: the list can only shrink.
//!
//! It deliberately does not parse Rust: a scanner that knows comments, literals and braces is
//! enough for these rules, and reads in one sitting.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use settings::Settings;
use source::Source;

mod exceptions;
mod functions;
mod house;
mod lexer;
mod names;
mod pages;
mod settings;
mod sizes;
mod source;
mod sql;
mod words;

#[cfg(test)]
mod tests;

/// Files longer than this are counted in the report, but not refused.
const FILE_LINES_AIM: usize = 300;

/// One thing that is wrong, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    /// The rule's name, as an exception in `tidy.toml` would give it.
    pub(crate) rule: &'static str,
    pub(crate) text: String,
    /// What an exception has to cover: lines for rules about length, 1 for all others.
    pub(crate) weight: usize,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            text: text.into(),
            weight: 1,
        }
    }

    fn weighing(self, weight: usize) -> Self {
        Self { weight, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {} [{}]",
            self.path, self.line, self.text, self.rule
        )
    }
}

/// What one run saw.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    files: usize,
    over_aim: usize,
    exceptions: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        write!(
            f,
            "tidy: {} files, {} findings, {} exceptions, {} files over the aim of {} lines",
            self.files,
            self.findings.len(),
            self.exceptions,
            self.over_aim,
            FILE_LINES_AIM,
        )
    }
}

/// Checks the checkout at `root`.
///
/// # Errors
/// When git or cargo can't be asked, or `xtask/tidy.toml` can't be read: a check that could not
/// look is no check.
pub(crate) fn run(root: &Path) -> Result<Report> {
    let settings = Settings::load(&root.join(settings::PATH))?;
    let texts = tracked_texts(root)?;
    let mut sources: Vec<Source> = texts
        .iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .map(|(path, text)| Source::read(path, text))
        .collect();
    source::mark_test_modules(&mut sources);

    let mut findings = house::check(&settings, &house::metadata(root)?);
    for source in &sources {
        findings.extend(house::check_narrow(&settings.narrow, source));
        findings.extend(sizes::check(&settings.limits, source));
        findings.extend(names::check(source));
        findings.extend(words::check_source(source));
        findings.extend(sql::check(source));
    }
    findings.extend(names::check_dead_files(&sources));
    for (path, text) in &texts {
        findings.extend(words::check_text(path, text));
        if path.ends_with(".md") {
            findings.extend(pages::check(path, text, &sources));
        }
    }
    let mut findings = exceptions::apply(&settings.exceptions, findings);
    findings.sort();

    Ok(Report {
        findings,
        files: texts.len(),
        over_aim: sources
            .iter()
            .filter(|source| source.lines.len() > FILE_LINES_AIM)
            .count(),
        exceptions: settings.exceptions.len(),
    })
}

/// Path and text of every file that git tracks, or would with `git add`. Files that are not
/// UTF-8 are data, and no rule reads them.
fn tracked_texts(root: &Path) -> Result<Vec<(String, String)>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(root)
        .output()
        .context("tidy asks git for the list of files: install git")?;
    if !output.status.success() {
        bail!(
            "git ls-files failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let listed = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut texts = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let Ok(bytes) = std::fs::read(root.join(path)) else {
            continue; // deleted, but not yet committed; or a link to a directory
        };
        if let Ok(text) = String::from_utf8(bytes) {
            texts.push((path.to_owned(), text));
        }
    }
    texts.sort();
    texts.dedup();
    Ok(texts)
}
