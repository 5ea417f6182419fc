//! Background work in columns. What the general ones mean depends on the kind; `cursor` is where
//! the next slice begins.

use super::{reason_number, reason_of};
use crate::work::Work;
use model::Timestamp;
use model::id::{DeliveryKey, EndpointKey, MessageKey};

/// Work as a row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// How far it has come; where it begins, of work that is new.
    pub cursor: i64,
}

/// New work in columns.
pub fn work_columns(work: &Work) -> WorkColumns {
    let none = WorkColumns {
        kind: 0,
        subject: 0,
        low: 0,
        high: 0,
        detail: 0,
        cursor: 0,
    };
    match *work {
        Work::FanOut {
            message,
            after,
            registry_revision,
        } => WorkColumns {
            kind: 0,
            subject: message.integer(),
            low: after.integer(),
            detail: registry_revision.cast_signed(),
            cursor: after.integer(),
            ..none
        },
        Work::Recover {
            endpoint,
            since,
            until,
        } => WorkColumns {
            kind: 1,
            subject: endpoint.integer(),
            low: since.micros(),
            high: until.micros(),
            ..none
        },
        Work::EndDeliveries {
            endpoint,
            reason,
            up_to,
        } => WorkColumns {
            kind: 2,
            subject: endpoint.integer(),
            high: up_to.integer(),
            detail: reason_number(reason).into(),
            ..none
        },
    }
}

/// What [`work_columns`] wrote, wherever it stands by now.
pub fn work(columns: WorkColumns) -> Option<Work> {
    match columns.kind {
        0 => Some(Work::FanOut {
            message: MessageKey::from_integer(columns.subject),
            // How far it has come is part of what it says.
            after: EndpointKey::from_integer(columns.cursor),
            registry_revision: columns.detail.cast_unsigned(),
        }),
        1 => Some(Work::Recover {
            endpoint: EndpointKey::from_integer(columns.subject),
            since: Timestamp::from_micros(columns.low),
            until: Timestamp::from_micros(columns.high),
        }),
        2 => Some(Work::EndDeliveries {
            endpoint: EndpointKey::from_integer(columns.subject),
            reason: u8::try_from(columns.detail).ok().and_then(reason_of)?,
            up_to: DeliveryKey::from_integer(columns.high),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::delivery::EndReason;

    #[test]
    fn work_is_read_as_it_was_written() {
        let endpoint = EndpointKey::from_integer(i64::MAX);
        let works = [
            Work::FanOut {
                message: MessageKey::from_integer(5),
                after: endpoint,
                registry_revision: u64::MAX,
            },
            Work::Recover {
                endpoint,
                since: Timestamp::from_micros(-1),
                until: Timestamp::MAX,
            },
            Work::EndDeliveries {
                endpoint,
                reason: EndReason::EndpointDisabled,
                up_to: DeliveryKey::from_integer(7),
            },
        ];
        for written in works {
            assert_eq!(work(work_columns(&written)), Some(written));
        }
    }

    #[test]
    fn what_is_no_work_is_not_read() {
        let columns = work_columns(&Work::EndDeliveries {
            endpoint: EndpointKey::MIN,
            reason: EndReason::EndpointDeleted,
            up_to: DeliveryKey::MAX,
        });
        let others = [
            WorkColumns { kind: 3, ..columns },
            WorkColumns {
                detail: 0,
                ..columns
            },
            WorkColumns {
                detail: 256 + columns.detail,
                ..columns
            },
        ];
        assert_eq!(others.map(work), [None, None, None]);
    }
}
