//! How an endpoint stands, in a word, and why. What was seen of its attempts has no part in it.

use crate::parts::{Tone, badge};
use app::endpoints::EndpointView;
use maud::{Markup, html};

/// How it stands.
pub(super) struct State {
    tone: Tone,
    word: &'static str,
    /// What somebody has to do about it.
    why: Option<String>,
}

impl State {
    pub(super) fn of(view: &EndpointView) -> Self {
        match (view.endpoint.disabled, &view.held) {
            (true, _) => Self {
                tone: Tone::Bad,
                word: "disabled",
                why: None,
            },
            (false, None) => Self {
                tone: Tone::Good,
                word: "enabled",
                why: None,
            },
            (false, Some(held)) => Self {
                tone: Tone::Waiting,
                word: match held.code() {
                    "credentials_withdrawn" => "credentials withdrawn",
                    "signature_incomplete" => "signature incomplete",
                    _ => "policy unmet",
                },
                why: Some(held.to_string()),
            },
        }
    }

    /// The word.
    pub(super) fn badge(&self) -> Markup {
        badge(self.tone, self.word)
    }

    /// The word, and the sentence that belongs to it.
    pub(super) fn whole(&self) -> Markup {
        html! {
            p { (self.badge()) }
            @if let Some(why) = &self.why { p.notice.waiting { (why) } }
        }
    }
}
