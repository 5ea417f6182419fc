//! What is taken from a payload before an endpoint gets it: rules of an event type, fields that its
//! schema marks as sensitive, rules of the endpoint.
//!
//! Pure: keys are somebody else's, so whoever redacts brings the function that hashes. Map: `path`
//! (where a rule applies) · `apply` (how a payload is changed).

mod apply;
mod path;

pub use crate::json::{DEPTH_MAX, NotJson};
pub use apply::redact;
pub use path::{PATH_CHARS_MAX, PATH_PATTERN, Path, PathError, STEPS_MAX};

/// The most rules of an event type, or of an endpoint, and the most paths that one is allowed.
pub const RULES_MAX: usize = 100;
/// The most places that a schema may mark as sensitive.
pub const MARKED_MAX: usize = 200;
/// The most characters that a mask keeps.
pub const KEEP_LAST_MAX: usize = 64;

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// All but the last characters become asterisks.
    Mask {
        /// How many stay, if there are more.
        keep_last: usize,
    },
    /// It becomes a keyed hash, the same for the same value in all messages of an application.
    Hash,
    /// It is taken out, with its name.
    Drop,
}

impl Action {
    /// Of two that apply to one value, the one that shows less of it.
    fn stricter(self, other: Self) -> Self {
        let shows = |action| match action {
            Self::Drop => (0, 0),
            Self::Hash => (1, 0),
            Self::Mask { keep_last } => (2, keep_last),
        };
        if shows(other) < shows(self) {
            other
        } else {
            self
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where.
    pub path: Path,
    /// What.
    pub action: Action,
}

/// What an event type takes from the payloads of its messages, whoever gets them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeRedaction {
    /// Its rules.
    pub rules: Vec<Rule>,
    /// What its schema marks as sensitive.
    pub marked: Vec<Path>,
}

/// What an endpoint takes from all payloads that it gets, and what it may have although it is
/// marked as sensitive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointRedaction {
    /// Its rules.
    pub rules: Vec<Rule>,
    /// What it may have.
    pub allowed: Vec<Path>,
}

/// All that is taken from one payload on its way to one endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Orders<'o> {
    /// Rules, those of the event type and those of the endpoint.
    pub rules: [&'o [Rule]; 2],
    /// What is marked as sensitive, and dropped.
    pub marked: &'o [Path],
    /// What stays although it is marked: what such a path leads to, and all that is within it.
    pub allowed: &'o [Path],
}

impl<'o> Orders<'o> {
    /// What both ask for together.
    pub fn of(
        event_type: Option<&'o TypeRedaction>,
        endpoint: Option<&'o EndpointRedaction>,
    ) -> Self {
        Self {
            rules: [
                event_type.map_or(&[], |own| &own.rules),
                endpoint.map_or(&[], |own| &own.rules),
            ],
            marked: event_type.map_or(&[], |own| &own.marked),
            allowed: endpoint.map_or(&[], |own| &own.allowed),
        }
    }

    /// Whether nothing is to be taken from any payload.
    pub fn are_none(&self) -> bool {
        self.marked.is_empty() && self.rules.iter().all(|rules| rules.is_empty())
    }
}

/// Rules as they are kept: one on each line, the action before the path.
pub fn rules_text(rules: &[Rule]) -> String {
    let line = |rule: &Rule| match rule.action {
        Action::Drop => format!("drop {}", rule.path.as_str()),
        Action::Hash => format!("hash {}", rule.path.as_str()),
        Action::Mask { keep_last } => format!("mask:{keep_last} {}", rule.path.as_str()),
    };
    let lines: Vec<String> = rules.iter().map(line).collect();
    lines.join("\n")
}

/// What [`rules_text`] wrote; `None` where it wrote something else.
pub fn rules(text: &str) -> Option<Vec<Rule>> {
    let rule = |line: &str| {
        let (action, path) = line.split_once(' ')?;
        let action = match (action, action.strip_prefix("mask:")) {
            ("drop", _) => Action::Drop,
            ("hash", _) => Action::Hash,
            (_, kept) => Action::Mask {
                keep_last: kept?.parse().ok()?,
            },
        };
        let path = path.parse().ok()?;
        Some(Rule { path, action })
    };
    text.lines().map(rule).collect()
}

/// Paths as they are kept: one on each line.
pub fn paths_text(paths: &[Path]) -> String {
    let lines: Vec<&str> = paths.iter().map(Path::as_str).collect();
    lines.join("\n")
}

/// What [`paths_text`] wrote; `None` where it wrote something else.
pub fn paths(text: &str) -> Option<Vec<Path>> {
    text.lines().map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
