//! Work in columns and back.

use super::*;
use model::delivery::EndReason;

fn works() -> Vec<Work> {
    let endpoint = EndpointKey::from_integer(i64::MAX);
    let (since, until) = (Timestamp::from_micros(-1), Timestamp::MAX);
    let name = |text| Name::from_str(text).expect("a name");
    let filters = [
        ReplayFilter::default(),
        ReplayFilter {
            messages: MessageFilter {
                event_types: Some(vec![name("a.b"), name("-_.")]),
                channels: Some(vec![name("c"), name("d")]),
                tag: Some(name("t")),
            },
            standing: Some(Standing::Cancelled),
            status_codes: Some((0, 100)),
        },
    ];
    let mut works = vec![
        Work::FanOut {
            message: MessageKey::from_integer(5),
            after: endpoint,
            registry_revision: u64::MAX,
            proved_only: true,
        },
        Work::Recover {
            endpoint,
            since,
            until,
        },
        Work::ReplayMissing {
            endpoint,
            since,
            until,
        },
        Work::ExpungeAll,
        Work::EndDeliveries {
            endpoint,
            reason: EndReason::EndpointDisabled,
            up_to: DeliveryKey::from_integer(7),
        },
        Work::Outside(OutsideWork {
            kind: OutsideKind::Broadcast,
            arguments: Bytes::from_static(b"\x00\xff"),
        }),
    ];
    works.extend(filters.map(|filter| Work::BulkReplay {
        endpoint,
        since,
        until,
        filter,
    }));
    works
}

#[test]
fn work_is_read_as_it_was_written() {
    for written in works() {
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
    let with_kind = |kind| WorkColumns {
        kind,
        ..columns.clone()
    };
    let with_detail = |detail| WorkColumns {
        detail,
        ..columns.clone()
    };
    let broadcast = WorkKind::Outside(OutsideKind::Broadcast);
    let others = [
        with_kind(2),
        with_kind(work_kind_number(WorkKind::BulkReplay)),
        with_kind(work_kind_number(broadcast)),
        with_detail(0),
        with_detail(256 + columns.detail),
        WorkColumns {
            arguments: Some(Bytes::from_static(br#"{"standing":5}"#)),
            ..with_kind(work_kind_number(WorkKind::BulkReplay))
        },
    ];
    for other in others {
        assert_eq!(work(other.clone()), None, "{other:?}");
    }
}

#[test]
fn numbers_tell_what_is_shown_and_what_is_done_outside() {
    for number in 0..=u8::MAX {
        let Some(kind) = work_kind(number) else {
            continue;
        };
        assert_eq!(work_kind_number(kind), number);
        assert_eq!(kind.is_shown(), number >= SHOWN_FROM, "{kind:?}");
        let outside = matches!(kind, WorkKind::Outside(_));
        assert_eq!(outside, number >= OUTSIDE_FROM, "{kind:?}");
    }
    for number in 0..=u8::MAX {
        let state = work_state(number);
        assert!(state.is_none_or(|state| work_state_number(state) == number));
    }
}
