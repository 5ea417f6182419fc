//! Background work in columns. What the general ones mean depends on the kind; `cursor` is where
//! the next slice begins.

use super::{reason_number, reason_of};
use crate::query::MessageFilter;
use crate::rows::Standing;
use crate::work::{OutsideKind, OutsideWork, ReplayFilter, Work, WorkKind, WorkState};
use bytes::Bytes;
use model::Timestamp;
use model::id::{DeliveryKey, EndpointKey, MessageKey};
use model::name::Name;
use serde_json::{Value, json};
use std::str::FromStr;

/// Kinds of at least this number are shown to people.
pub const SHOWN_FROM: u8 = 16;
/// Kinds of at least this number are done outside the store.
pub const OUTSIDE_FROM: u8 = 32;

/// Work as a row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkColumns {
    /// Which work it is.
    pub kind: u8,
    /// What it is about.
    pub subject: i64,
    /// From where.
    pub low: i64,
    /// To where.
    pub high: i64,
    /// What else belongs to it.
    pub detail: i64,
    /// What else, where a number can't say it.
    pub arguments: Option<Bytes>,
    /// How far it has come; where it begins, of work that is new.
    pub cursor: i64,
}

/// The number of a kind.
pub fn work_kind_number(kind: WorkKind) -> u8 {
    match kind {
        WorkKind::FanOut => 0,
        WorkKind::EndDeliveries => 1,
        WorkKind::Recover => 16,
        WorkKind::BulkReplay => 17,
        WorkKind::ReplayMissing => 18,
        WorkKind::ExpungeAll => 19,
        WorkKind::Outside(OutsideKind::Broadcast) => 32,
        WorkKind::Outside(OutsideKind::ApplicationStats) => 33,
        WorkKind::Outside(OutsideKind::EventTypeAggregate) => 34,
        WorkKind::Outside(OutsideKind::EventTypeExport) => 35,
        WorkKind::Outside(OutsideKind::Erasure) => 36,
    }
}

/// What [`work_kind_number`] wrote.
pub fn work_kind(number: u8) -> Option<WorkKind> {
    Some(match number {
        0 => WorkKind::FanOut,
        1 => WorkKind::EndDeliveries,
        16 => WorkKind::Recover,
        17 => WorkKind::BulkReplay,
        18 => WorkKind::ReplayMissing,
        19 => WorkKind::ExpungeAll,
        32 => WorkKind::Outside(OutsideKind::Broadcast),
        33 => WorkKind::Outside(OutsideKind::ApplicationStats),
        34 => WorkKind::Outside(OutsideKind::EventTypeAggregate),
        35 => WorkKind::Outside(OutsideKind::EventTypeExport),
        36 => WorkKind::Outside(OutsideKind::Erasure),
        _ => return None,
    })
}

/// The number of a state.
pub fn work_state_number(state: WorkState) -> u8 {
    match state {
        WorkState::Running => 0,
        WorkState::Finished => 1,
        WorkState::Failed => 2,
    }
}

/// What [`work_state_number`] wrote.
pub fn work_state(number: u8) -> Option<WorkState> {
    match number {
        0 => Some(WorkState::Running),
        1 => Some(WorkState::Finished),
        2 => Some(WorkState::Failed),
        _ => None,
    }
}

/// New work in columns.
pub fn work_columns(work: &Work) -> WorkColumns {
    let none = WorkColumns {
        kind: work_kind_number(work.kind()),
        subject: 0,
        low: 0,
        high: 0,
        detail: 0,
        arguments: None,
        cursor: 0,
    };
    match work {
        Work::FanOut {
            message,
            after,
            registry_revision,
            proved_only,
        } => WorkColumns {
            subject: message.integer(),
            low: after.integer(),
            high: (*proved_only).into(),
            detail: registry_revision.cast_signed(),
            cursor: after.integer(),
            ..none
        },
        Work::Recover {
            endpoint,
            since,
            until,
        }
        | Work::ReplayMissing {
            endpoint,
            since,
            until,
        } => of_endpoint(none, *endpoint, (*since, *until)),
        Work::BulkReplay {
            endpoint,
            since,
            until,
            filter,
        } => WorkColumns {
            arguments: Some(filter_bytes(filter)),
            ..of_endpoint(none, *endpoint, (*since, *until))
        },
        Work::ExpungeAll => none,
        Work::EndDeliveries {
            endpoint,
            reason,
            up_to,
        } => WorkColumns {
            subject: endpoint.integer(),
            high: up_to.integer(),
            detail: reason_number(*reason).into(),
            ..none
        },
        Work::Outside(outside) => WorkColumns {
            arguments: Some(outside.arguments.clone()),
            ..none
        },
    }
}

fn of_endpoint(
    none: WorkColumns,
    endpoint: EndpointKey,
    (since, until): (Timestamp, Timestamp),
) -> WorkColumns {
    WorkColumns {
        subject: endpoint.integer(),
        low: since.micros(),
        high: until.micros(),
        ..none
    }
}

/// What [`work_columns`] wrote, wherever it stands by now.
pub fn work(columns: WorkColumns) -> Option<Work> {
    let endpoint = EndpointKey::from_integer(columns.subject);
    let since = Timestamp::from_micros(columns.low);
    let until = Timestamp::from_micros(columns.high);
    Some(match work_kind(columns.kind)? {
        WorkKind::FanOut => Work::FanOut {
            message: MessageKey::from_integer(columns.subject),
            // How far it has come is part of what it says.
            after: EndpointKey::from_integer(columns.cursor),
            registry_revision: columns.detail.cast_unsigned(),
            proved_only: columns.high != 0,
        },
        WorkKind::EndDeliveries => Work::EndDeliveries {
            endpoint,
            reason: u8::try_from(columns.detail).ok().and_then(reason_of)?,
            up_to: DeliveryKey::from_integer(columns.high),
        },
        WorkKind::Recover => Work::Recover {
            endpoint,
            since,
            until,
        },
        WorkKind::BulkReplay => Work::BulkReplay {
            endpoint,
            since,
            until,
            filter: filter(&columns.arguments?)?,
        },
        WorkKind::ReplayMissing => Work::ReplayMissing {
            endpoint,
            since,
            until,
        },
        WorkKind::ExpungeAll => Work::ExpungeAll,
        WorkKind::Outside(kind) => Work::Outside(OutsideWork {
            kind,
            arguments: columns.arguments?,
        }),
    })
}

const STANDINGS: [Standing; 5] = [
    Standing::Delivered,
    Standing::Pending,
    Standing::Failed,
    Standing::Retrying,
    Standing::Cancelled,
];

/// As compact JSON: types, channels and tags are not secret.
fn filter_bytes(filter: &ReplayFilter) -> Bytes {
    let messages = &filter.messages;
    let texts = |names: &Vec<Name>| {
        names
            .iter()
            .map(|name| name.to_string())
            .collect::<Vec<_>>()
    };
    let text = json!({
        "eventTypes": messages.event_types.as_ref().map(texts),
        "channels": messages.channels.as_ref().map(texts),
        "tag": messages.tag.as_ref().map(Name::as_str),
        "standing": filter.standing.and_then(|standing| {
            STANDINGS.iter().position(|other| *other == standing)
        }),
        "codes": filter.status_codes.map(|(first, end)| [first, end]),
    });
    text.to_string().into_bytes().into()
}

/// What [`filter_bytes`] wrote.
fn filter(bytes: &[u8]) -> Option<ReplayFilter> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let name = |value: &Value| Name::from_str(value.as_str()?).ok();
    let number = |value: &Value| u16::try_from(value.as_u64()?).ok();
    let names = |value: &Value| {
        value
            .as_array()?
            .iter()
            .map(name)
            .collect::<Option<Vec<_>>>()
    };
    let standing = |value: &Value| STANDINGS.get(usize::from(number(value)?)).copied();
    let codes = |value: &Value| Some((number(value.get(0)?)?, number(value.get(1)?)?));
    Some(ReplayFilter {
        messages: MessageFilter {
            event_types: part(&value, "eventTypes", names)?,
            channels: part(&value, "channels", names)?,
            tag: part(&value, "tag", name)?,
        },
        standing: part(&value, "standing", standing)?,
        status_codes: part(&value, "codes", codes)?,
    })
}

/// A part, where there is one. One that can't be read is not one that isn't there: `None`.
fn part<T>(value: &Value, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match value.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(there) => read(there).map(Some),
    }
}

#[cfg(test)]
mod tests;
