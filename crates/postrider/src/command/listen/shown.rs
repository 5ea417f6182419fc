//! What is shown of a message that was heard. All of it came from outside: nothing of it reaches
//! the terminal that this would obey.

use super::forward::Forwarded;
use super::heard::Letter;
use crate::command::escape::in_json;
use crate::command::escaped;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How much of a body is shown to people, in characters.
const SHOWN_MAX: usize = 16_000;
/// What a body stands behind.
const INDENT: &str = "  ";

/// What was made of a message.
pub(super) struct Outcome<'a> {
    pub(super) letter: &'a Letter,
    /// Its body; `None`: it can't be read.
    pub(super) body: Option<&'a [u8]>,
    /// Whether it is genuine, or why not.
    pub(super) verified: Result<(), String>,
    /// What became of sending it on, if it was.
    pub(super) forwarded: Option<Forwarded>,
}

impl Outcome<'_> {
    /// For people.
    pub(super) fn text(&self, at: &str) -> String {
        let letter = self.letter;
        let (event_type, id) = (escaped(&letter.event_type), escaped(&letter.id));
        let verdict = match &self.verified {
            Ok(()) => "genuine".to_owned(),
            Err(reason) => format!("NOT GENUINE: {}", escaped(reason)),
        };
        let mut text = format!("{at}  {event_type}  {id}  {verdict}\n");
        if let Some(body) = self.body {
            text.push_str(&body_text(body));
        }
        if let Some(forwarded) = &self.forwarded {
            let ms = forwarded.duration.as_millis();
            let _ = match &forwarded.status {
                Ok(status) => writeln!(text, "{INDENT}→ {status} in {ms} ms"),
                Err(reason) => {
                    writeln!(
                        text,
                        "{INDENT}→ no answer after {ms} ms: {}",
                        escaped(reason)
                    )
                }
            };
        }
        text
    }

    /// For programs, in one line.
    pub(super) fn json(&self) -> Value {
        let letter = self.letter;
        let response = self.forwarded.as_ref().map(|forwarded| {
            let duration = u64::try_from(forwarded.duration.as_millis()).unwrap_or(u64::MAX);
            match &forwarded.status {
                Ok(status) => json!({ "status": status, "durationMs": duration }),
                Err(reason) => json!({ "error": reason, "durationMs": duration }),
            }
        });
        let text = self.body.and_then(|body| std::str::from_utf8(body).ok());
        json!({
            "id": letter.id,
            "eventType": letter.event_type,
            "headers": letter.headers,
            "body": text,
            "genuine": self.verified.is_ok(),
            "reason": self.verified.as_ref().err(),
            "response": response,
        })
    }
}

/// A body, in lines of its own.
fn body_text(body: &[u8]) -> String {
    let lines = match std::str::from_utf8(body) {
        Err(_) => format!("({} bytes that are no text)", body.len()),
        Ok(text) => match serde_json::from_str::<&RawValue>(text) {
            Ok(json) => pretty(json.get()),
            Err(_) => text.lines().map(escaped).collect::<Vec<_>>().join("\n"),
        },
    };
    let mut shown: String = lines.chars().take(SHOWN_MAX).collect();
    if shown.len() < lines.len() {
        let _ = write!(shown, "… ({} bytes in all)", body.len());
    }
    let lines = shown.lines().map(|line| format!("{INDENT}{line}\n"));
    lines.collect()
}

/// JSON with a line for each value, every name and value as it came: it is laid out anew, not read
/// and written.
fn pretty(json: &str) -> String {
    let mut lines = Layout::default();
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            _ if lines.in_text => lines.text(c),
            '"' => lines.text(c),
            '{' | '[' => {
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                let end = if c == '{' { '}' } else { ']' };
                if chars.next_if_eq(&end).is_some() {
                    lines.shown.extend([c, end]);
                } else {
                    lines.open(c);
                }
            }
            '}' | ']' => lines.close(c),
            ',' => lines.next(),
            ':' => lines.shown.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => lines.shown.push(c),
        }
    }
    lines.shown
}

#[derive(Default)]
struct Layout {
    shown: String,
    depth: usize,
    in_text: bool,
    /// The next character means nothing by itself.
    is_escaped: bool,
}

impl Layout {
    fn text(&mut self, c: char) {
        if c == '"' && !self.is_escaped {
            self.in_text = !self.in_text;
        }
        self.is_escaped = c == '\\' && !self.is_escaped;
        self.shown.push_str(&in_json(c));
    }

    fn open(&mut self, c: char) {
        self.shown.push(c);
        self.depth += 1;
        self.line();
    }

    fn close(&mut self, c: char) {
        self.depth = self.depth.saturating_sub(1);
        self.line();
        self.shown.push(c);
    }

    fn next(&mut self) {
        self.shown.push(',');
        self.line();
    }

    /// Deeply nested values go no further to the right than a terminal is wide.
    fn line(&mut self) {
        self.shown.push('\n');
        self.shown.push_str(&INDENT.repeat(self.depth.min(20)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::heard::tests::letter;
    use super::*;
    use std::time::Duration;
    use webhook::SigningKey;

    #[test]
    fn json_is_laid_out_and_nothing_else_of_it_changes() {
        let json = r#"{"b":1.50,"a":[ ],"t":"x,{\"}\\","n":[1e2,{"k":null}]}"#;
        let expected = "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"t\": \"x,{\\\"}\\\\\",\n  \"n\": [\n    \
                        1e2,\n    {\n      \"k\": null\n    }\n  ]\n}";
        assert_eq!(pretty(json), expected);
    }

    #[test]
    fn nothing_that_was_heard_steers_a_terminal() {
        let key = SigningKey::generate_hmac(&[1; 24]);
        for body in ["{\"a\":\"\u{9b}2J\"}", "no JSON \u{1b}[2J", "\u{7f}"] {
            let mut letter = letter(&key, body);
            letter.event_type = "a\u{1b}[2J".to_owned();
            let outcome = Outcome {
                letter: &letter,
                body: Some(body.as_bytes()),
                verified: Err("\u{9b}".to_owned()),
                forwarded: Some(Forwarded {
                    status: Err("\u{7}".to_owned()),
                    duration: Duration::from_millis(7),
                }),
            };
            let json = outcome.json();
            let line = crate::command::escape::plain_value(&json);
            assert!(!line.contains(char::is_control), "{line:?}");
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json);
            let text = outcome.text("now");
            let steers = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(steers), "{text:?}");
            assert!(text.contains("no answer after 7 ms"), "{text}");
        }
    }

    #[test]
    fn a_long_body_is_cut_and_one_that_is_no_text_is_counted() {
        let long = format!("\"{}\"", "x".repeat(2 * SHOWN_MAX));
        let text = body_text(long.as_bytes());
        assert!(text.len() < SHOWN_MAX + 100 && text.ends_with("bytes in all)\n"));
        assert_eq!(body_text(&[0xff; 3]), "  (3 bytes that are no text)\n");
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(pretty(&deep).lines().all(|line| line.len() < 80));
    }
}
