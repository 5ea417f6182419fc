//! How every store writes the domain's values into columns of a database: numbers, and texts of
//! words. What can't be read back is `None`, and each store's own error. It knows no database.

mod work;

pub use work::{
    OUTSIDE_FROM, SHOWN_FROM, WorkColumns, work, work_columns, work_kind, work_kind_number,
    work_state, work_state_number,
};

use model::api_key::Scope;
use model::application::Metadata;
use model::attempt::AttemptResult;
use model::delivery::{Class, EndReason, Trigger};
use model::hops::Hops;
use model::message::PayloadForm;
use model::name::Name;
use model::redaction::{self, Path, Rule};
use model::retry::RetrySchedule;
use model::security::Severity;
use model::trace::TraceParent;
use std::str::FromStr;
use std::time::Duration;

/// Microseconds of an hour: hours are whole ones since the Unix epoch.
pub const HOUR: i64 = 3_600_000_000;

/// Words with a space between them: their alphabet has none.
pub fn join<'n>(words: impl IntoIterator<Item = &'n Name>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word.as_str());
    }
    text
}

/// As [`join`], `None` where there are none.
pub fn join_some<'n>(words: impl IntoIterator<Item = &'n Name>) -> Option<String> {
    Some(join(words)).filter(|text| !text.is_empty())
}

/// What [`join`] wrote; `None` where it wrote something else.
pub fn words<C: FromIterator<Name>>(text: &str) -> Option<C> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(|word| Name::from_str(word).ok()).collect()
}

/// Whether a word is among those that [`join`] wrote.
pub fn has_word(text: &str, word: &Name) -> bool {
    text.split(' ').any(|other| other == word.as_str())
}

/// Scopes with a space between them: they have none.
pub fn scopes_text(scopes: &[Scope]) -> String {
    let words: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    words.join(" ")
}

/// What [`scopes_text`] wrote.
pub fn scopes(text: &str) -> Option<Vec<Scope>> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok()).collect()
}

/// The waits of a schedule in nanoseconds, with a space between them.
pub fn schedule_text(schedule: &RetrySchedule) -> String {
    let waits = schedule.waits().iter();
    let words: Vec<String> = waits.map(|wait| wait.as_nanos().to_string()).collect();
    words.join(" ")
}

/// What [`schedule_text`] wrote.
pub fn schedule(text: &str) -> Option<RetrySchedule> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    let waits = words.map(|word| word.parse().ok().map(Duration::from_nanos));
    RetrySchedule::new(waits.collect::<Option<_>>()?).ok()
}

/// Redaction rules as [`redaction::rules_text`] has them, `None` where there are none.
pub fn rules_text_some(rules: &[Rule]) -> Option<String> {
    Some(redaction::rules_text(rules)).filter(|text| !text.is_empty())
}

/// Paths as [`redaction::paths_text`] has them, `None` where there are none.
pub fn paths_text_some(paths: &[Path]) -> Option<String> {
    Some(redaction::paths_text(paths)).filter(|text| !text.is_empty())
}

/// Notes, as compact JSON.
pub fn metadata_text(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("a map of texts is JSON")
}

/// What [`metadata_text`] wrote.
pub fn metadata(text: &str) -> Option<Metadata> {
    serde_json::from_str(text).ok()
}

/// The number of a trigger.
pub fn trigger_number(trigger: Trigger) -> u8 {
    match trigger {
        Trigger::Scheduled => 0,
        Trigger::Manual => 1,
        Trigger::Replay => 2,
    }
}

/// What [`trigger_number`] wrote.
pub fn trigger(number: u8) -> Option<Trigger> {
    match number {
        0 => Some(Trigger::Scheduled),
        1 => Some(Trigger::Manual),
        2 => Some(Trigger::Replay),
        _ => None,
    }
}

/// The number of a severity.
pub fn severity_number(severity: Severity) -> i16 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

/// What [`severity_number`] wrote.
pub fn severity(number: i16) -> Option<Severity> {
    let mut all = Severity::ALL.into_iter();
    all.find(|severity| severity_number(*severity) == number)
}

/// The number of a class, in the order of a lane.
pub fn class_number(class: Class) -> u8 {
    match class {
        Class::Live => 0,
        Class::Replayed => 1,
    }
}

/// The number of an end's reason, as results have it.
pub fn reason_number(reason: EndReason) -> u8 {
    match reason {
        EndReason::EndpointDisabled => 2,
        EndReason::EndpointDeleted => 3,
        EndReason::PayloadGone => 4,
        EndReason::Expunged => 5,
        EndReason::Cancelled => 6,
    }
}

/// What [`reason_number`] wrote.
pub fn reason_of(number: u8) -> Option<EndReason> {
    match number {
        2 => Some(EndReason::EndpointDisabled),
        3 => Some(EndReason::EndpointDeleted),
        4 => Some(EndReason::PayloadGone),
        5 => Some(EndReason::Expunged),
        6 => Some(EndReason::Cancelled),
        _ => None,
    }
}

/// The number of an attempt's result.
pub fn result_number(result: AttemptResult) -> u8 {
    match result {
        AttemptResult::Success => 0,
        AttemptResult::Failure => 1,
        AttemptResult::Cancelled(reason) => reason_number(reason),
    }
}

/// What [`result_number`] wrote.
pub fn result(number: u8) -> Option<AttemptResult> {
    match number {
        0 => Some(AttemptResult::Success),
        1 => Some(AttemptResult::Failure),
        number => reason_of(number).map(AttemptResult::Cancelled),
    }
}

/// The number of a payload's form, and the content type that is kept beside it.
pub fn form_number(form: &PayloadForm) -> (u8, Option<&str>) {
    match form {
        PayloadForm::Json => (0, None),
        PayloadForm::Raw { content_type } => (1, content_type.as_deref()),
    }
}

/// What [`form_number`] wrote.
pub fn form(number: u8, content_type: Option<String>) -> Option<PayloadForm> {
    match number {
        0 => Some(PayloadForm::Json),
        1 => Some(PayloadForm::Raw { content_type }),
        _ => None,
    }
}

/// The trace that a message is a part of, if its sender told one.
pub fn trace_bytes(trace: Option<&TraceParent>) -> Option<Vec<u8>> {
    trace.map(|trace| trace.to_bytes().to_vec())
}

/// What [`trace_bytes`] wrote; `None`: something else did.
pub fn trace(bytes: Option<&[u8]>) -> Option<Option<TraceParent>> {
    match bytes {
        None => Some(None),
        Some(bytes) => TraceParent::from_bytes(bytes).map(Some),
    }
}

/// What a message has been through; `None` where it began here, which nearly all do.
pub fn hops_number(hops: Hops) -> Option<u8> {
    Some(hops.number()).filter(|&number| number > 0)
}

/// What [`hops_number`] wrote.
pub fn hops(number: Option<i64>) -> Option<Hops> {
    Hops::kept(number.unwrap_or_default())
}
