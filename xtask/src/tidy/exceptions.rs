//! Exceptions: a ratchet. What is listed may stay as it is, get better, and never worse.
//!
//! An exception covers one rule in one file, and tells how much of it there is. More than that
//! is an ordinary finding. Less, or nothing, is one too, until the list says so: what was won
//! is not lost again.

use super::Finding;
use super::settings::{self, Exception};

/// The rules that may have exceptions. What the others find is always wrong.
const RULES: [&str; 14] = [
    "columns",
    "dead-file",
    "edge",
    "file-lines",
    "file-name",
    "function-lines",
    "inner",
    "listener",
    "page",
    "parameters",
    "sleep",
    "socket",
    "sql",
    "status",
];

/// Takes off `findings` what the exceptions cover, and adds what is wrong with the exceptions.
pub(crate) fn apply(exceptions: &[Exception], findings: Vec<Finding>) -> Vec<Finding> {
    let mut left = findings;
    for (index, exception) in exceptions.iter().enumerate() {
        let wrong = |text: String| Finding::new("exception", settings::PATH, 1, text);
        let Exception {
            rule,
            path,
            count,
            reason,
        } = exception;
        if exceptions[..index]
            .iter()
            .any(|other| (&other.rule, &other.path) == (rule, path))
        {
            left.push(wrong(format!(
                "{rule} for {path} is listed twice: once is enough"
            )));
            continue;
        }
        if reason.trim().is_empty() {
            left.push(wrong(format!(
                "{rule} for {path} gives no reason: say why it must be so"
            )));
        }
        if !RULES.contains(&rule.as_str()) {
            left.push(wrong(format!(
                "{rule} for {path}: this rule has no exceptions"
            )));
            continue;
        }
        let covers = |finding: &Finding| finding.rule == rule && finding.path == *path;
        let found: usize = left.iter().filter(|f| covers(f)).map(|f| f.weight).sum();
        if found == 0 {
            left.push(wrong(format!(
                "{rule} for {path} is no longer needed: take it off the list"
            )));
        } else if found < *count {
            left.push(wrong(format!(
                "{rule} for {path} is down to {found}: lower its count"
            )));
        }
        if found <= *count {
            left.retain(|finding| !covers(finding));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(rule: &str, count: usize) -> Exception {
        Exception {
            rule: rule.into(),
            path: "a.rs".into(),
            count,
            reason: "it must".into(),
        }
    }

    fn long(lines: usize) -> Finding {
        Finding::new("function-lines", "a.rs", 1, format!("{lines} lines")).weighing(lines)
    }

    fn texts(exceptions: &[Exception], findings: &[Finding]) -> Vec<String> {
        apply(exceptions, findings.to_vec())
            .into_iter()
            .map(|finding| finding.text)
            .collect()
    }

    #[test]
    fn an_exception_covers_what_it_counts() {
        assert_eq!(
            texts(&[exception("function-lines", 80)], &[long(80)]),
            [""; 0]
        );
        let other = Finding::new("function-lines", "b.rs", 1, "b").weighing(80);
        assert_eq!(
            texts(&[exception("function-lines", 80)], &[long(80), other]),
            ["b"]
        );
    }

    #[test]
    fn more_than_it_counts_is_a_finding() {
        assert_eq!(
            texts(&[exception("function-lines", 80)], &[long(81)]),
            ["81 lines"]
        );
        let two = [long(80), long(75)];
        assert_eq!(
            texts(&[exception("function-lines", 80)], &two),
            ["80 lines", "75 lines"]
        );
    }

    #[test]
    fn less_than_it_counts_must_be_written_down() {
        assert_eq!(
            texts(&[exception("function-lines", 80)], &[long(75)]),
            ["function-lines for a.rs is down to 75: lower its count"]
        );
        assert_eq!(
            texts(&[exception("function-lines", 80)], &[]),
            ["function-lines for a.rs is no longer needed: take it off the list"]
        );
    }

    #[test]
    fn an_exception_is_for_a_rule_that_has_some_and_gives_a_reason_once() {
        assert_eq!(
            texts(&[exception("ignore", 1)], &[]),
            ["ignore for a.rs: this rule has no exceptions"]
        );
        let mute = Exception {
            reason: " ".into(),
            ..exception("function-lines", 80)
        };
        assert_eq!(
            texts(&[mute], &[long(80)]),
            ["function-lines for a.rs gives no reason: say why it must be so"]
        );
        let twice = [
            exception("function-lines", 80),
            exception("function-lines", 80),
        ];
        assert_eq!(
            texts(&twice, &[long(80)]),
            ["function-lines for a.rs is listed twice: once is enough"]
        );
    }
}
