//! Words for how deliveries and attempts stand, and the links between what belongs together.

use crate::DASHBOARD;
use crate::parts::{Tone, badge, short};
use app::deliveries::DeliveryState;
use app::status::Status;
use maud::{Markup, html};
use model::delivery::Trigger;
use model::name::Name;
use std::collections::BTreeSet;

/// How a message stands with an endpoint.
pub(crate) fn standing(status: Status) -> Markup {
    match status {
        Status::Success => badge(Tone::Good, "delivered"),
        Status::Pending => badge(Tone::Waiting, "pending"),
        Status::Sending => badge(Tone::Waiting, "pending, tried again"),
        Status::Fail => badge(Tone::Bad, "failed"),
        Status::Cancelled => badge(Tone::Plain, "cancelled"),
    }
}

/// How an attempt ended.
pub(crate) fn result(status: Status) -> Markup {
    match status {
        Status::Success => badge(Tone::Good, "succeeded"),
        other => standing(other),
    }
}

/// How a delivery stands.
pub(crate) fn state(state: DeliveryState) -> Markup {
    match state {
        DeliveryState::Pending => badge(Tone::Waiting, "pending"),
        DeliveryState::Delivered => badge(Tone::Good, "delivered"),
        DeliveryState::Exhausted => badge(Tone::Bad, "exhausted"),
        DeliveryState::Cancelled => badge(Tone::Plain, "cancelled"),
    }
}

/// A response's status.
pub(crate) fn code(status_code: u16) -> Markup {
    match status_code {
        0 => html! { span.quiet { "no response" } },
        code => html! { (code) },
    }
}

/// Why an attempt was made.
pub(crate) fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Scheduled => "by the schedule",
        Trigger::Manual => "sent again by hand",
        Trigger::Replay => "replayed",
    }
}

/// Channels or tags.
pub(crate) fn names(names: &BTreeSet<Name>) -> Markup {
    html! {
        @for (index, name) in names.iter().enumerate() {
            @if index > 0 { ", " }
            (short(name.as_str()))
        }
        @if names.is_empty() { span.quiet { "none" } }
    }
}

/// A name of its user's own, where there is one.
pub(crate) fn name_or_none(name: Option<&Name>) -> Markup {
    match name {
        Some(name) => short(name.as_str()),
        None => html! { span.quiet { "none" } },
    }
}

/// The operator's page of an application's thing: `rest` begins with a slash, or is empty.
pub(crate) fn of_application(id: impl ToString, rest: &str) -> String {
    format!("{DASHBOARD}/applications/{}{rest}", id.to_string())
}
