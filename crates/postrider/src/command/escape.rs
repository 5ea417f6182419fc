//! What came from outside as it may reach a terminal: what a terminal obeys, and what lets a text
//! look like another, is shown as an escape. What the text means is not looked at.

use serde_json::Value;

/// What came from outside, with that shown which a terminal would obey.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |c: char| match steers(c) {
        true => c.escape_default().to_string(),
        false => c.into(),
    };
    text.chars().map(escape).collect()
}

/// JSON as it may reach a terminal, which means the same: what JSON lets stand in a text and a
/// terminal would obey is written as an escape of JSON. Its line breaks stay.
pub(crate) fn plain(json: &str) -> String {
    let escape = |c: char| match c {
        '\n' | '\t' => c.into(),
        // Only between values: in a text it is an escape already.
        '\r' => ' '.into(),
        c => in_json(c),
    };
    json.chars().map(escape).collect()
}

/// What we have made JSON of.
pub(super) fn plain_value(value: &Value) -> String {
    plain(&value.to_string())
}

/// A character of a text in JSON.
pub(super) fn in_json(c: char) -> String {
    match steers(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.into(),
    }
}

/// Whether a terminal obeys it, or shows what stands behind it elsewhere or in another order.
/// All of them have four hexadecimal digits at the most.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_steers_no_terminal_and_turns_nothing_around() {
        for (text, expected) in [
            ("a\u{1b}[2J\n", "a\\u{1b}[2J\\n"),
            ("\u{9b}\u{7f}", "\\u{9b}\\u{7f}"),
            ("exe.\u{202e}gpj", "exe.\\u{202e}gpj"),
            ("\u{2066}a\u{2029}", "\\u{2066}a\\u{2029}"),
            ("é \u{a0}אבג", "é \u{a0}אבג"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn json_means_the_same_and_does_not_steer_a_terminal() {
        let json = "{ \"a\u{9b}\u{7f}\":\t\"\u{9f}\\u001b[2Jé\u{a0}\u{202e}\" ,\r\n \"n\": 1.50 }";
        let shown = plain(json);
        let steers = ['\u{9b}', '\u{7f}', '\u{9f}', '\u{202e}', '\r'];
        assert!(!shown.contains(steers), "{shown:?}");
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&shown), read(json));
        assert!(
            shown.contains("é\u{a0}") && shown.contains("1.50"),
            "{shown}"
        );
        let value = json!({"a\u{9b}": ["\u{7f}\r", "\u{2028}"]});
        let shown = plain_value(&value);
        assert!(!shown.contains(super::steers), "{shown:?}");
        assert_eq!(read(&shown), value);
    }
}
