//! The simplest store that could be right: open deliveries by key, and attempts counted by what
//! they were. No indexes, no holds, no disk.

use crate::conformance::drafts::Ending;
use model::attempt::AttemptResult;
use model::delivery::{Delivery, EndReason, Trigger};
use model::id::{DeliveryKey, EndpointKey, MessageKey};
use std::collections::BTreeMap;

/// What happened in an attempt; what is not told apart counts together.
pub(super) type AttemptOf = (MessageKey, EndpointKey, &'static str);

#[derive(Debug, Default)]
pub(super) struct Reference {
    open: BTreeMap<DeliveryKey, Delivery>,
    pub(super) attempts: BTreeMap<AttemptOf, usize>,
}

impl Reference {
    pub(super) fn opened(&mut self, delivery: Delivery) {
        let before = self.open.insert(delivery.key, delivery);
        assert_eq!(before, None, "no two deliveries have the same key");
    }

    /// Whether the outcome is stale.
    pub(super) fn recorded(&mut self, delivery: &Delivery, ending: Ending) -> bool {
        let result = if ending == Ending::Success {
            AttemptResult::Success
        } else {
            AttemptResult::Failure
        };
        self.count(delivery, result);
        let Some(mut open) = self.open.remove(&delivery.key) else {
            return true;
        };
        match ending {
            Ending::Retry(due) => {
                (open.attempts, open.due) = (open.attempts + 1, due);
                self.open.insert(open.key, open);
            }
            Ending::Success if delivery.trigger != Trigger::Scheduled => {
                self.open.retain(|_, other| {
                    let is_same = (other.message, other.endpoint) == (open.message, open.endpoint);
                    !(is_same && other.trigger == Trigger::Scheduled)
                });
            }
            Ending::Success | Ending::GivenUp => {}
        }
        false
    }

    /// All deliveries to an endpoint were ended.
    pub(super) fn ended(&mut self, endpoint: EndpointKey) {
        for delivery in self.of(endpoint) {
            self.open.remove(&delivery.key);
            let reason = EndReason::EndpointDisabled; // told apart from others nowhere here
            self.count(&delivery, AttemptResult::Cancelled(reason));
        }
    }

    pub(super) fn of(&self, endpoint: EndpointKey) -> Vec<Delivery> {
        let open = self.open.values();
        open.filter(|delivery| delivery.endpoint == endpoint)
            .cloned()
            .collect()
    }

    fn count(&mut self, delivery: &Delivery, result: AttemptResult) {
        let kind = kind_of(delivery.message, delivery.endpoint, result);
        *self.attempts.entry(kind).or_insert(0) += 1;
    }
}

pub(super) fn kind_of(
    message: MessageKey,
    endpoint: EndpointKey,
    result: AttemptResult,
) -> AttemptOf {
    let result = match result {
        AttemptResult::Success => "success",
        AttemptResult::Failure => "failure",
        AttemptResult::Cancelled(_) => "cancelled",
    };
    (message, endpoint, result)
}
