//! JSON Schema, draft 7: a schema is compiled once, within bounds, and payloads are held against it
//! in a bounded number of steps. Pure.
//!
//! Nothing is ever fetched: a `$ref` that leads out of the schema is an error of the schema. Not
//! checked: `format` and `content…`, which draft 7 leaves to whoever reads it, and words of later
//! drafts; `$schema` is not looked at.
//!
//! Our own, since what a schema may cost has to have a limit: the library for it looks for every
//! violation before it tells of the first, follows a schema as deep as it goes, and counts no
//! steps, so that a few hundred bytes can keep it busy for hours. Tests hold this one against it.
//!
//! Map: `compile` (a schema becomes nodes), `keywords` (what each word may be), `places` (what
//! `$ref` names), `cycles` (schemas that would never end) · `check` (a payload against the nodes),
//! `words` (what is told of it) · `pattern`, `number`, `order` (what both need) · `marks` (what is
//! sensitive).

mod check;
mod compile;
mod cycles;
mod keywords;
mod marks;
mod number;
mod order;
mod pattern;
mod places;
mod words;

pub(crate) use check::{Outcome, steps_for};
pub(crate) use compile::Schema;
pub(crate) use marks::{MARK, marked};
pub(crate) use words::clipped;

/// The longest schema, in bytes of compact JSON: several times the largest of GitHub's.
pub(crate) const SCHEMA_BYTES_MAX: usize = 1024 * 1024;
/// How deep a schema's JSON may nest.
const DEPTH_MAX: usize = 64;
/// The most schemas within a schema.
const NODES_MAX: usize = 20_000;
/// The most patterns in a schema.
const PATTERNS_MAX: usize = 200;
/// The longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 2_000;
/// The most that the programs of all patterns in a schema may be, in bytes: some tenths of a second
/// to compile, and less than what is kept of all schemas.
const PROGRAMS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most memory that a schema may take, in bytes: less than is kept of all, or it would be
/// compiled again for each message.
const MEMORY_BYTES_MAX: usize = 48 * 1024 * 1024;
/// How many schemas may apply to one value by way of another, such as `allOf` within `anyOf`.
const IN_PLACE_MAX: usize = 32;

/// What is wrong with a schema, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{place}` {reason}")]
pub(crate) struct SchemaError {
    /// A JSON Pointer, as the fragment of a URL: `#` is the schema itself.
    place: String,
    /// What would be right.
    reason: String,
}

impl SchemaError {
    fn new(place: &str, reason: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests;
