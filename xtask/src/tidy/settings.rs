//! `xtask/tidy.toml`: the house's table of edges, the limits, and the exceptions.
//!
//! The limits here may be stricter than the ones in this file, never laxer: what was agreed on
//! is code, and changing it takes a review of this page.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Where the settings lie, from the workspace's root.
pub(crate) const PATH: &str = "xtask/tidy.toml";

/// The laxest limits that the settings may name.
const CEILING: Limits = Limits {
    file_lines: 600,
    function_lines: 70,
    parameters: 4,
    columns: 100,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    /// For each package, the packages of this workspace that it may depend on; `*` is all.
    pub(crate) rooms: BTreeMap<String, Vec<String>>,
    pub(crate) tests_only: TestsOnly,
    /// Edges of which only a part is open.
    #[serde(default)]
    pub(crate) narrow: Vec<Narrow>,
    /// For each library from outside, the only packages that may depend on it.
    pub(crate) libraries: BTreeMap<String, Vec<String>>,
    #[serde(default, rename = "exception")]
    pub(crate) exceptions: Vec<Exception>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) file_lines: usize,
    pub(crate) function_lines: usize,
    /// `self` is not counted.
    pub(crate) parameters: usize,
    pub(crate) columns: usize,
}

/// What every room's tests may use beside the room's own row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestsOnly {
    pub(crate) rooms: Vec<String>,
}

/// An edge between two rooms that is open for a few names only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Narrow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) only: Vec<String>,
}

/// Findings of one rule in one file that are accepted for a reason.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    pub(crate) rule: String,
    pub(crate) path: String,
    /// How much of it there is today: lines for rules about length, findings for all others.
    pub(crate) count: usize,
    pub(crate) reason: String,
}

impl Settings {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// When the file can't be read, has unknown keys, or loosens a limit.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("tidy reads its table from {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let settings: Self = toml::from_str(text)?;
        let Limits {
            file_lines,
            function_lines,
            parameters,
            columns,
        } = settings.limits;
        for (name, limit, ceiling) in [
            ("file_lines", file_lines, CEILING.file_lines),
            ("function_lines", function_lines, CEILING.function_lines),
            ("parameters", parameters, CEILING.parameters),
            ("columns", columns, CEILING.columns),
        ] {
            ensure!(
                limit <= ceiling,
                "limits.{name} is {limit}, and may be {ceiling} at most"
            );
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "limits = { file_lines = 600, function_lines = 70, parameters = 4, \
        columns = 100 }\ntests_only = { rooms = [] }\nrooms = {}\nlibraries = {}\n";

    #[test]
    fn limits_may_be_stricter_but_not_laxer() {
        assert!(Settings::parse(LIMITS).is_ok());
        assert!(Settings::parse(&LIMITS.replace("70", "60")).is_ok());
        let error = Settings::parse(&LIMITS.replace("70", "71"))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "limits.function_lines is 71, and may be 70 at most");
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(Settings::parse(&format!("{LIMITS}room = {{}}\n")).is_err());
        let without_reason = "[[exception]]\nrule = \"a\"\npath = \"b\"\ncount = 1\n";
        assert!(Settings::parse(&format!("{LIMITS}{without_reason}")).is_err());
    }
}
