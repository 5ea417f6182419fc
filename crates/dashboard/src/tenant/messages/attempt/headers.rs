//! The headers of an attempt: what was sent and signed, and what a receiver answered with that did
//! not take it.

use crate::parts::{plain, short, table};
use app::attempts::SentHeaders;
use maud::{Markup, html};
use model::answer_head::{AnswerHead, is_withheld};
use model::attempt::Attempt;
use model::message::Message;

const HEADS: [&str; 2] = ["Name", "Value"];

/// Those of the request.
pub(super) fn sent(sent: &SentHeaders) -> Markup {
    let shown = sent.headers.iter();
    let shown = shown.map(|(name, value)| vec![html! { code { (name) } }, short(value)]);
    let hidden = sent.sensitive.iter().map(|name| {
        let value = html! { span.quiet { "not shown" } };
        vec![html! { code { (name) } }, value]
    });
    let rows = shown.chain(hidden).collect();
    html! {
        (table("Headers", &HEADS, rows, "They are not known any more."))
        p.hint {
            "As far as they are known: what the endpoint adds is told only where it was not \
             changed since."
        }
    }
}

/// What the signature is over.
pub(super) fn signed(attempt: &Attempt, message: &Message) -> Markup {
    let seconds = attempt.started_at.seconds();
    html! {
        pre.excerpt tabindex="0" { code { (message.id) "." (seconds) "." "BODY" } }
        p.hint {
            "The message's id, the time at which the attempt began in seconds since 1970, and the \
             request's body byte for byte, with a full stop between each. BODY is the payload \
             after the endpoint's redaction and encryption. An endpoint with another scheme of \
             signatures has what that scheme says signed."
        }
    }
}

/// Those of the response, where they were kept.
pub(super) fn answered(head: &AnswerHead) -> Markup {
    let rows = head.headers.iter().map(|(name, value)| {
        let value = match is_withheld(name) {
            true => html! { span.quiet { "not kept" } },
            false => short(&plain(value)),
        };
        vec![html! { code { (name) } }, value]
    });
    html! {
        (table("Response headers", &HEADS, rows.collect(), "It had no headers."))
        @if head.left_out > 0 {
            p { "Headers that are not kept, since there were too many: " (head.left_out) }
        }
    }
}
