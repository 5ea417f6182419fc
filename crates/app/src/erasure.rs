//! Erasure: what was ever sent of somebody, over all applications, found by what is in the payloads
//! or by a tag, and removed for good, as background work.
//!
//! Of each message that is found its payload goes, what was answered to its attempts, and what is
//! open of it ends. What stays are its type, ids, channels, tags and times.
//!
//! Map: here, how it is asked for, and what is kept of that; `slice`, how it is done; `place`,
//! where in a payload is looked.

mod place;
mod slice;

pub use place::{PLACE_LENGTH_MAX, PLACE_PATTERN};

use crate::tasks::{Task, TaskKind};
use crate::{App, AppError, Caller, Violation};
use model::audit::AuditAction;
use model::entropy::random;
use model::id::Tail;
use model::name::Name;
use place::Place;
use serde::{Deserialize, Serialize};
use store::work::{OutsideKind, OutsideWork, Work};

/// The longest value that is looked for, in characters.
pub const VALUE_LENGTH_MAX: usize = 1_000;

/// Which messages are meant.
#[derive(Debug, Clone)]
pub enum ErasureInput {
    /// Those that have this value at this place of their payloads.
    Where {
        /// A JSON Pointer, or names with dots between them.
        path: String,
        /// A text, or a number or a truth value as it is written.
        value: String,
    },
    /// Those with this tag.
    Tag(String),
}

/// The same, in order.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Where { place: Place, value: String },
    Tag(Name),
}

impl App {
    /// Begins to erase what was accepted until now.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] for a place, a
    /// value or a tag that can't be; [`AppError::Conflict`] if the request's idempotency key was
    /// used with another body.
    pub async fn erase(&self, caller: &Caller, input: ErasureInput) -> Result<Task, AppError> {
        caller.require_organisation()?;
        let key = match self.task_request(caller, TaskKind::PurgeContent).await? {
            Ok(key) => key,
            Err(begun) => return Ok(begun),
        };
        let by = match &input {
            ErasureInput::Where { path, .. } => format!("by a value at {path}"),
            ErasureInput::Tag(_) => "by a tag".to_owned(),
        };
        let order = Order::of(&input);
        judge(input)?;
        let tail: Tail = random(&*self.entropy);
        let order = serde_json::to_vec(&order).map_err(AppError::internal)?;
        let work = Work::Outside(OutsideWork {
            kind: OutsideKind::Erasure,
            arguments: self.vault.seal_for_installation(row(&tail), &order).into(),
        });
        let entry = self
            .entry_at_installation(caller, AuditAction::MessagesErased)
            .saying(by);
        self.begin_task_as(entry, tail, (None, work), key).await
    }
}

/// What is kept of what was asked for.
#[derive(Serialize, Deserialize)]
enum Order {
    Where { path: String, value: String },
    Tag(String),
}

impl Order {
    fn of(input: &ErasureInput) -> Self {
        match input.clone() {
            ErasureInput::Where { path, value } => Self::Where { path, value },
            ErasureInput::Tag(tag) => Self::Tag(tag),
        }
    }

    /// `None`: this is none.
    fn read(opened: &[u8]) -> Option<Wanted> {
        let input = match serde_json::from_slice(opened).ok()? {
            Self::Where { path, value } => ErasureInput::Where { path, value },
            Self::Tag(tag) => ErasureInput::Tag(tag),
        };
        judge(input).ok()
    }
}

fn judge(input: ErasureInput) -> Result<Wanted, AppError> {
    match input {
        ErasureInput::Where { path, value } => {
            let place = path.parse().map_err(|error: place::PlaceError| {
                Violation::body(&["where", "path"], error.to_string())
            })?;
            if value.is_empty() || value.chars().count() > VALUE_LENGTH_MAX {
                let text = format!("must be of 1 to {VALUE_LENGTH_MAX} characters");
                return Err(Violation::body(&["where", "value"], text).into());
            }
            Ok(Wanted::Where { place, value })
        }
        ErasureInput::Tag(tag) => {
            let tag = tag.parse::<Name>();
            let tag = tag.map_err(|error| Violation::body(&["tag"], error.to_string()))?;
            Ok(Wanted::Tag(tag))
        }
    }
}

/// Where an order is sealed: in the row of the work with this tail.
fn row(tail: &Tail) -> vault::Place<'_> {
    vault::Place {
        table: "task",
        row: tail,
        column: "arguments",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_order_is_all_that_it_is() {
        for input in [
            ErasureInput::Where {
                path: "/customer/email".to_owned(),
                value: "ada@example.com".to_owned(),
            },
            ErasureInput::Tag("customer-7".to_owned()),
        ] {
            let kept = serde_json::to_vec(&Order::of(&input)).expect("it is JSON");
            assert_eq!(Order::read(&kept), Some(judge(input).expect("it can be")));
        }
        assert_eq!(Order::read(b"{}"), None);
        assert_eq!(Order::read(br#"{"Where":{"path":"","value":"x"}}"#), None);
    }
}
