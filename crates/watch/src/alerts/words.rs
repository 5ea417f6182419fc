//! How an alert is said: a line for the subject, and a few for the rest. What is others' words in
//! it is cut, and put into one line.

use super::desk::Letter;
use super::tally::{Heard, Tally};
use app::environment::alerts::sender::Note;
use model::Timestamp;
use model::security::{Severity, Subject};
use std::fmt::Write as _;

/// So many of a digest are shown.
const WORST_SHOWN: usize = 5;
/// The longest that others' words are, in characters.
const WORDS_MAX: usize = 300;

/// A letter as people read it. `node` says who saw it.
pub(super) fn note(letter: &Letter, node: &str) -> Note {
    match letter {
        Letter::One(heard) => one(heard, node),
        Letter::Digest(tally) => digest(tally, node),
    }
}

fn one(heard: &Heard, node: &str) -> Note {
    let (kind, severity) = (heard.kind.as_str(), heard.severity.as_str());
    let mut text = format!("{}\n\n", cut(&heard.description));
    put(&mut text, format_args!("{}", line(heard)));
    put(&mut text, format_args!("Node: {node}"));
    text.push_str(
        "More of the same is counted, and told together later. \
         `postrider security list` has all of it.\n",
    );
    Note {
        subject: format!("Postrider: {severity}: {kind}: {}", subject(&heard.subject)),
        text,
    }
}

fn digest(tally: &Tally, node: &str) -> Note {
    let worst = tally.worst();
    let severity = worst.first().map_or(Severity::Info, |heard| heard.severity);
    let count = tally.count();
    let mut text = String::from("Since the last alert, by kind:\n");
    for (kind, count) in tally.kinds() {
        put(&mut text, format_args!("- {}: {count}", kind.as_str()));
    }
    text.push_str("\nThe worst of them:\n");
    for heard in worst.iter().take(WORST_SHOWN) {
        put(&mut text, format_args!("- {}", line(heard)));
    }
    put(&mut text, format_args!("\nNode: {node}"));
    text.push_str("`postrider security list` has all of them.\n");
    let events = if count == 1 { "event" } else { "events" };
    Note {
        subject: format!(
            "Postrider: {count} more security {events}, up to {}",
            severity.as_str()
        ),
        text,
    }
}

fn line(heard: &Heard) -> String {
    let mut line = format!("{}, {}", heard.kind.as_str(), subject(&heard.subject));
    if let Some(address) = heard.remote_address {
        let _ = write!(line, ", from {address}");
    }
    let (first, last) = (time(heard.first_seen), time(heard.last_seen));
    let _ = match heard.count {
        1 => write!(line, ", at {first}"),
        count => write!(line, ", {count} times from {first} to {last}"),
    };
    line
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

fn subject(subject: &Subject) -> String {
    format!("{} {}", subject.kind.as_str(), cut(&subject.id))
}

fn cut(words: &str) -> String {
    let one = |c: char| if c.is_control() { ' ' } else { c };
    let mut cut: String = words.chars().take(WORDS_MAX).map(one).collect();
    if words.chars().nth(WORDS_MAX).is_some() {
        cut.push('…');
    }
    cut
}

fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.seconds());
    at.map_or_else(|_| "?".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::security::{SecurityKind, SubjectKind};

    fn heard(kind: SecurityKind, subject: &str, count: u64) -> Heard {
        Heard {
            kind,
            severity: kind.severity(),
            subject: Subject::new(SubjectKind::Application, subject),
            remote_address: Some([192, 0, 2, 7].into()),
            count,
            first_seen: Timestamp::from_seconds(1_800_000_000),
            last_seen: Timestamp::from_seconds(1_800_000_060),
            description: "the token is wrong".to_owned(),
        }
    }

    #[test]
    fn one_says_what_happened_to_whom_from_where_and_when() {
        let letter = Letter::One(heard(SecurityKind::RevokedKeyUsed, "app_1", 1));
        let Note { subject, text } = note(&letter, "node-a");
        assert_eq!(
            subject,
            "Postrider: warning: api.revoked_key_used: application app_1"
        );
        for words in [
            "the token is wrong\n",
            "from 192.0.2.7, at 2027-01-15T08:00:00Z\n",
            "Node: node-a\n",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    #[test]
    fn a_digest_counts_by_kind_and_shows_the_worst_few() {
        let mut tally = Tally::default();
        for n in 0..20 {
            let kind = SecurityKind::AuthenticationFailed;
            tally.add(heard(kind, &format!("app_{n}"), 10 + n));
        }
        tally.add(heard(SecurityKind::PinMismatch, "app_pin", 1));
        let Note { subject, text } = note(&Letter::Digest(tally), "node-a");
        assert_eq!(
            subject,
            "Postrider: 391 more security events, up to critical"
        );
        assert!(text.contains("- api.authentication_failed: 390\n- delivery.pin_mismatch: 1\n"));
        let worst = text
            .lines()
            .filter(|line| line.contains("application app_"));
        let worst: Vec<_> = worst.collect();
        assert_eq!(worst.len(), WORST_SHOWN, "{text}");
        assert!(
            worst[0].contains("app_pin") && worst[1].contains("29 times"),
            "{text}"
        );
    }

    #[test]
    fn others_words_are_cut_and_begin_no_line() {
        let id = format!("a\r\nBcc: {}", "x".repeat(1_000));
        let letter = Letter::One(heard(SecurityKind::IngestReplayed, &id, 1));
        let Note { subject, text } = note(&letter, "node-a");
        assert!(
            !subject.contains(['\r', '\n']) && subject.len() < 400,
            "{subject}"
        );
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }
}
