//! What comes back instead of an answer: no server, one whose certificate is not trusted, a refusal
//! with its code and reasons, or something that is no answer of Postrider. Whatever the other side
//! wrote is escaped here and cut, and nothing here holds the token.

use super::Request;
use crate::command::escaped;
use crate::failure::Failure;
use anyhow::anyhow;
use model::Chain;
use serde_json::Value;
use std::error::Error as _;
use std::fmt;
use std::time::Duration;
use transport::{SendError, Stage};

/// How much of a text of the other side is shown.
const TEXT_CHARS_MAX: usize = 2_000;
/// How many broken rules are shown.
const VIOLATIONS_MAX: usize = 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nobody is there, or the way there is broken.
    #[error("no server answers at {server}: {reason}")]
    Unreachable {
        /// Where.
        server: String,
        /// What happened, with its causes.
        reason: String,
    },
    /// Somebody is there who did not prove to be the server.
    #[error(
        "{server} was told nothing, as {reason}: name it as its certificate does, and its \
         authority, where that is one of your own, with --ca-file (for a server that is imported \
         from, --from-ca-file)"
    )]
    Unverified {
        /// Where.
        server: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// Somebody is there who is no Postrider.
    #[error("{server} does not answer as Postrider does: {reason}")]
    Strange {
        /// Where.
        server: String,
        /// What was strange.
        reason: String,
    },
    /// The server says no.
    #[error("{0}")]
    Refused(Refusal),
    /// What was typed can't be made a request of.
    #[error("{0}")]
    Unusable(String),
}

impl ClientError {
    /// Whether it may be otherwise when the same is asked a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.passes(),
            Self::Unverified { .. } | Self::Strange { .. } | Self::Unusable(_) => false,
        }
    }
}

/// What a server answers instead of what it was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    code: Option<String>,
    detail: Option<String>,
    /// Where, and what was wrong.
    violations: Vec<(String, String)>,
}

impl ClientError {
    /// The status of a refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::Unreachable { .. }
            | Self::Unverified { .. }
            | Self::Strange { .. }
            | Self::Unusable(_) => None,
        }
    }
}

impl Refusal {
    /// Reads the API's two shapes of refusals; of anything else only the status is kept.
    pub(super) fn read(status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(shown);
        let broken = body["detail"].as_array().map_or(&[][..], Vec::as_slice);
        let broken = broken.iter().take(VIOLATIONS_MAX).map(violation);
        Self {
            status,
            code: text(&body["code"]),
            detail: text(&body["detail"]),
            violations: broken.collect(),
        }
    }

    /// Whether it will be another one when the same is asked again a little later.
    fn passes(&self) -> bool {
        self.status == 429 || (self.status >= 500 && self.status != 501)
    }

    /// Whether what was typed was wrong, rather than that the answer is no.
    fn is_misuse(&self) -> bool {
        let unreadable = self.code.as_deref() == Some("generic_error");
        self.status == 422 || (self.status == 400 && unreadable)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = match self.status {
            501 => "the server does not have this",
            500.. => "the server could not do this",
            ..500 => "the server refuses this",
        };
        write!(f, "{says} ({}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        f.write_str(")")?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        for (place, message) in &self.violations {
            write!(f, "\n  {place}: {message}")?;
        }
        Ok(())
    }
}

/// A broken rule, `{"loc": ["body", "url"], "msg": "…"}`, as `body.url` and its message.
fn violation(rule: &Value) -> (String, String) {
    let names = rule["loc"].as_array().map_or(&[][..], Vec::as_slice);
    let names = names.iter().filter_map(Value::as_str);
    // The API's word for a value as a whole.
    let names: Vec<&str> = names.filter(|name| *name != "__all__").collect();
    let place = names.join(".");
    let place = place.trim_end_matches('.');
    let message = rule["msg"].as_str().unwrap_or_default();
    (shown(place), shown(message))
}

/// A text of the other side as it may reach a terminal.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    escaped(&shown)
}

/// A try that failed, and whether another is worth making.
pub(super) struct Trouble {
    pub(super) error: ClientError,
    lasts: Lasts,
    /// For how long the server wants to be left alone.
    wait: Option<Duration>,
}

/// For how long a try will fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// For as long as nobody does anything about it.
    ForGood,
    /// For now; nobody knows whether the request was carried out.
    Maybe,
    /// For now, and the request was certainly not carried out.
    Untouched,
}

impl Trouble {
    /// No answer came.
    pub(super) fn unanswered(server: String, error: SendError) -> Self {
        let lasts = match error.stage() {
            Stage::Guard | Stage::Tls => Lasts::ForGood,
            Stage::Resolve | Stage::Connect => Lasts::Untouched,
            Stage::Write | Stage::Read | Stage::Timeout => Lasts::Maybe,
        };
        let error = match error.is_certificate_refused() {
            true => ClientError::Unverified {
                server,
                reason: unverified(&error),
            },
            false => ClientError::Unreachable {
                server,
                reason: shown(&Chain(&error).to_string()),
            },
        };
        Self {
            error,
            lasts,
            wait: None,
        }
    }

    /// A refusal came, with this `retry-after`.
    pub(super) fn refused(refusal: Refusal, retry_after: Option<&str>) -> Self {
        let lasts = if refusal.passes() {
            Lasts::Maybe
        } else {
            Lasts::ForGood
        };
        let error = ClientError::Refused(refusal);
        let wait = retry_after.and_then(|text| wait(text, jiff::Timestamp::now()));
        Self { error, lasts, wait }
    }

    /// Trying again would change nothing.
    pub(super) fn lasting(error: ClientError) -> Self {
        Self {
            error,
            lasts: Lasts::ForGood,
            wait: None,
        }
    }

    /// How long to wait before the next try, of which this was planned.
    pub(super) fn pause(&self, planned: Duration) -> Duration {
        self.wait.map_or(planned, |wait| wait.max(planned))
    }

    /// Whether the request is worth another try.
    pub(super) fn passes(&self, request: &Request) -> bool {
        match self.lasts {
            Lasts::ForGood => false,
            Lasts::Maybe => request.is_repeatable(),
            Lasts::Untouched => true,
        }
    }
}

/// What is wrong with a certificate, with what it says itself, such as the names that it is for.
fn unverified(error: &SendError) -> String {
    let told = error.for_tenant();
    match error.source() {
        Some(cause) => format!("{told} ({})", shown(&Chain(cause).to_string())),
        None => told.into_owned(),
    }
}

/// What a `retry-after` means: seconds, or a date.
fn wait(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim());
    Duration::try_from(until.ok()?.duration_since(now)).ok()
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = match &error {
            ClientError::Unusable(_) => Self::Misuse,
            ClientError::Refused(refusal) if refusal.is_misuse() => Self::Misuse,
            ClientError::Refused(refusal) if refusal.status < 500 && !refusal.passes() => {
                Self::Refused
            }
            ClientError::Refused(_)
            | ClientError::Unreachable { .. }
            | ClientError::Unverified { .. }
            | ClientError::Strange { .. } => Self::CouldNot,
        };
        failure(anyhow!(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::ExitCode;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::read(status, body.as_bytes())
    }

    #[test]
    fn refusals_are_told_with_their_code_and_each_broken_rule() {
        let cases = [
            (
                refusal(404, r#"{"code":"not_found","detail":"Entity not found"}"#),
                "the server refuses this (404 not_found): Entity not found",
            ),
            (
                refusal(
                    422,
                    r#"{"detail":[{"loc":["body","url","__all__"],"msg":"no","type":"value_error"},
                        {"loc":["body","",""],"msg":"not JSON","type":"x"}]}"#,
                ),
                "the server refuses this (422)\n  body.url: no\n  body: not JSON",
            ),
            (refusal(500, "{}"), "the server could not do this (500)"),
            (refusal(502, "<html>"), "the server could not do this (502)"),
            (
                refusal(501, r#"{"code":"not_implemented","detail":"not built"}"#),
                "the server does not have this (501 not_implemented): not built",
            ),
        ];
        for (refusal, expected) in cases {
            assert_eq!(refusal.to_string(), expected);
        }
    }

    #[test]
    fn what_the_other_side_wrote_does_not_steer_a_terminal_and_has_an_end() {
        let long = "x".repeat(TEXT_CHARS_MAX + 1);
        let body = format!("{{\"code\":\"a\\u001b[2J\",\"detail\":\"{long}\"}}");
        let text = refusal(400, &body).to_string();
        assert!(
            text.contains("a\\u{1b}[2J") && text.ends_with('…'),
            "{text}"
        );
        let rule = r#"{"loc":["body","a\u009b"],"msg":"b\u0007"}"#;
        let rules = vec![rule; VIOLATIONS_MAX + 1].join(",");
        let text = refusal(422, &format!("{{\"detail\":[{rules}]}}")).to_string();
        assert_eq!(text.lines().count(), VIOLATIONS_MAX + 1);
        assert!(!text.contains(['\u{9b}', '\u{7}']), "{text:?}");
    }

    #[test]
    fn exit_statuses_tell_no_from_misuse_and_from_could_not() {
        let status = |status, body: &str| {
            let failure = Failure::from(ClientError::Refused(refusal(status, body)));
            format!("{:?}", failure.report())
        };
        let coded = |code: &str| format!("{{\"code\":\"{code}\",\"detail\":\"d\"}}");
        for (code, body, expected) in [
            (401, coded("authentication_failed"), 1),
            (404, coded("not_found"), 1),
            (409, coded("conflict"), 1),
            (400, coded("invalid_range"), 1),
            (400, coded("generic_error"), 2),
            (422, "{}".to_owned(), 2),
            (429, "{}".to_owned(), 3),
            (500, "{}".to_owned(), 3),
            (501, coded("not_implemented"), 3),
        ] {
            let expected = format!("{:?}", ExitCode::from(expected));
            assert_eq!(status(code, &body), expected, "{code} {body}");
        }
    }

    #[test]
    fn only_what_can_do_no_harm_is_repeated() {
        let trouble = |stage| Trouble::unanswered("s".into(), SendError::new(stage, "broken"));
        let refused = |status| Trouble::refused(refusal(status, "{}"), None);
        let (get, post) = (Request::get(["app"]), Request::post(["app"], ""));
        let delete = Request::new(http::Method::DELETE, ["app", "x"]);
        for (trouble, gets, deletes) in [
            (trouble(Stage::Connect), true, true),
            (trouble(Stage::Read), true, false),
            (trouble(Stage::Timeout), true, false),
            (trouble(Stage::Tls), false, false),
            (refused(503), true, false),
            (refused(501), false, false),
            (refused(404), false, false),
        ] {
            assert_eq!(trouble.passes(&get), gets, "{}", trouble.error);
            assert_eq!(trouble.passes(&post), gets, "{}", trouble.error);
            assert_eq!(trouble.passes(&delete), deletes, "{}", trouble.error);
        }
    }
    #[test]
    fn a_server_is_left_alone_for_as_long_as_it_asks_for() {
        let now = "1994-11-06T08:48:37Z".parse().unwrap();
        for (text, expected) in [
            ("3", Some(3)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:47:37 GMT", None),
            ("-5", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(wait(text, now), expected, "{text}");
        }
        let asked = Trouble::refused(refusal(429, "{}"), Some("3"));
        for (planned, expected) in [(1, 3), (5, 5)] {
            let pause = asked.pause(Duration::from_secs(planned));
            assert_eq!(pause, Duration::from_secs(expected));
        }
    }
}
