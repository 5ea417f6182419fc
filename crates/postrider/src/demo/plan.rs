//! What happens to the orders: a fixed story, so that the books can be checked at the end.

use serde_json::{Value, json};

/// An event to post.
pub(super) struct Event {
    /// Its type, such as `payment.succeeded`.
    pub(super) event_type: &'static str,
    /// Its platform's own id of it, which is in the payload, too.
    pub(super) id: String,
    /// The payload: no more of the order than the order system needs.
    pub(super) payload: Value,
}

/// The story of a number of orders.
pub(super) struct Plan {
    orders: u32,
}

/// How many orders should end up how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Books {
    pub(super) paid: usize,
    pub(super) payment_failed: usize,
    pub(super) refunded: usize,
    pub(super) dispatched: usize,
    pub(super) delivered: usize,
    pub(super) shipment_failed: usize,
}

impl Plan {
    pub(super) fn new(orders: u32) -> Self {
        Self { orders }
    }

    /// The payment platform's events: all are paid, some at the second try; some are refunded.
    pub(super) fn payments(&self) -> Vec<Event> {
        let of_order = |order| {
            let mut kinds = vec!["payment.succeeded"];
            if fails_first(order) {
                kinds.insert(0, "payment.failed");
            }
            if is_refunded(order) {
                kinds.push("payment.refunded");
            }
            kinds.into_iter().map(move |kind| {
                let cents = 500 + order * 37 % 20_000;
                let amount = format!("{}.{:02}", cents / 100, cents % 100);
                event(kind, order, json!({"amount": amount, "currency": "EUR"}))
            })
        };
        (0..self.orders).flat_map(of_order).collect()
    }

    /// The delivery system's events: what was not refunded is sent off, and nearly all arrives.
    pub(super) fn shipments(&self) -> Vec<Event> {
        let shipped = (0..self.orders).filter(|order| !is_refunded(*order));
        let of_order = |order| {
            let end = if gets_lost(order) {
                "shipment.failed"
            } else {
                "shipment.delivered"
            };
            ["shipment.dispatched", end]
                .into_iter()
                .map(move |kind| event(kind, order, json!({"parcel": format!("PX{order:08}")})))
        };
        shipped.flat_map(of_order).collect()
    }

    /// How many events there are in all.
    pub(super) fn events_total(&self) -> usize {
        self.payments().len() + self.shipments().len()
    }

    /// What the order system's books should say.
    pub(super) fn books(&self) -> Books {
        let count = |is: &dyn Fn(u32) -> bool| (0..self.orders).filter(|order| is(*order)).count();
        Books {
            paid: count(&|_| true),
            payment_failed: count(&fails_first),
            refunded: count(&is_refunded),
            dispatched: count(&|order| !is_refunded(order)),
            delivered: count(&|order| !is_refunded(order) && !gets_lost(order)),
            shipment_failed: count(&|order| !is_refunded(order) && gets_lost(order)),
        }
    }
}

fn fails_first(order: u32) -> bool {
    order % 10 == 3
}

fn is_refunded(order: u32) -> bool {
    order % 20 == 7
}

fn gets_lost(order: u32) -> bool {
    order % 25 == 11
}

fn event(event_type: &'static str, order: u32, detail: Value) -> Event {
    let id = format!("{event_type}-{order:06}").replace('.', "_");
    let mut payload = json!({
        "id": id,
        "type": event_type,
        "order": format!("ord_{order:06}"),
    });
    if let (Some(payload), Value::Object(detail)) = (payload.as_object_mut(), detail) {
        payload.extend(detail);
    }
    Event {
        event_type,
        id,
        payload,
    }
}
