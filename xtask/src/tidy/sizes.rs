//! Sizes: lines of a file and of a function, parameters, columns.
//!
//! Columns are rustfmt's business, except where it gives up: comments, and statements that
//! hold a long literal. A line is too long here when it could have been broken.

use super::Finding;
use super::lexer::Line;
use super::settings::Limits;
use super::source::Source;

/// No line is longer than this, unless a single word on it is.
const COLUMNS_WITH_LITERAL: usize = 160;

pub(crate) fn check(limits: &Limits, source: &Source) -> Vec<Finding> {
    let path = &source.path;
    let mut findings = Vec::new();

    let lines = source.lines.len();
    if lines > limits.file_lines {
        let limit = limits.file_lines;
        let text = format!("{lines} lines, {limit} at most: give a part of it a file of its own");
        findings.push(Finding::new("file-lines", path, limit + 1, text).weighing(lines));
    }
    for function in &source.functions {
        let name = &function.name;
        if function.lines > limits.function_lines {
            let (lines, limit) = (function.lines, limits.function_lines);
            let text = format!("fn {name} has {lines} lines, {limit} at most: name its steps");
            findings
                .push(Finding::new("function-lines", path, function.line, text).weighing(lines));
        }
        if function.parameters > limits.parameters {
            let (parameters, limit) = (function.parameters, limits.parameters);
            let text = format!(
                "fn {name} takes {parameters} parameters, {limit} at most: \
                 make a struct of those that belong together"
            );
            findings.push(Finding::new("parameters", path, function.line, text));
        }
    }
    for (index, line) in source.lines.iter().enumerate() {
        if could_be_shorter(limits.columns, line) {
            let (columns, limit) = (line.raw.chars().count(), limits.columns);
            let text = format!("{columns} columns, {limit} at most: break the line");
            findings.push(Finding::new("columns", path, index + 1, text));
        }
    }
    findings
}

fn could_be_shorter(limit: usize, line: &Line) -> bool {
    let columns = line.raw.chars().count();
    let longest_word = line
        .raw
        .split_whitespace()
        .map(|word| word.chars().count())
        .max();
    let indent = line.raw.chars().take_while(|c| c.is_whitespace()).count();
    if columns <= limit || longest_word.is_some_and(|word| indent + word + 8 > limit) {
        return false; // a URL, a key, a signature: a word that no line break shortens
    }
    if line
        .comment
        .trim_start_matches(['/', '!', ' '])
        .starts_with('|')
    {
        return false; // a row of a table
    }
    if line.continues_literal {
        return false; // what the literal holds is data
    }
    let without_literals = columns - line.literal.chars().count();
    without_literals > limit || line.literal.is_empty() || columns > COLUMNS_WITH_LITERAL
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        file_lines: 10,
        function_lines: 4,
        parameters: 2,
        columns: 40,
    };

    fn rules(text: &str) -> Vec<(&'static str, usize)> {
        let source = Source::read("crates/x/src/lib.rs", text);
        check(&LIMITS, &source)
            .into_iter()
            .map(|finding| (finding.rule, finding.line))
            .collect()
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(rules(&"// a\n".repeat(10)), []);
        assert_eq!(rules(&"// a\n".repeat(11)), [("file-lines", 11)]);
    }

    #[test]
    fn long_functions_are_found_where_they_begin() {
        assert_eq!(rules("\nfn a() {\n  b;\n  c;\n}\n"), []);
        assert_eq!(
            rules("\nfn a() {\n  b;\n  c;\n  d;\n}\n"),
            [("function-lines", 2)]
        );
    }

    #[test]
    fn parameters_are_limited_beside_self() {
        assert_eq!(rules("fn a(&self, b: u8, c: u8) {}"), []);
        assert_eq!(rules("fn a(b: u8, c: u8, d: u8) {}"), [("parameters", 1)]);
    }

    #[test]
    fn lines_that_could_be_broken_are_found() {
        let long = [("columns", 1)];
        assert_eq!(rules(&format!("// {}", "word ".repeat(8))), long);
        assert_eq!(rules(&format!("f({});", "word, ".repeat(8))), long);
        assert_eq!(
            rules(&format!(
                "{}(\"a\");",
                "word.".repeat(6).replace('.', " . ")
            )),
            long
        );
        assert_eq!(rules(&format!("f(\"{}\");", "word ".repeat(40))), long);
    }

    #[test]
    fn lines_that_can_not_be_broken_are_not() {
        for text in [
            format!("// see https://example.com/{}", "a".repeat(40)),
            format!("f(\"{}\");", "word ".repeat(8)),
            format!("f(\"{}\");", "a".repeat(200)),
            format!("//! | {} |", "word ".repeat(8)),
            format!("f(\"a\n {}\");", "word ".repeat(8)),
        ] {
            assert_eq!(rules(&text), [], "{text}");
        }
    }
}
