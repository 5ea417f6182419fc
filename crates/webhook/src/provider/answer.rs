//! What is answered: to a request that was taken, as its provider wants it, and to a handshake.

use super::Request;

/// An answer to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its `Content-Type`, where it has one.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

/// How a provider wants a request answered that was taken.
#[derive(Clone, Copy)]
pub(super) enum Accepted {
    /// With `200` and the message's id, as most don't mind.
    Id,
    /// With `200` and always the same.
    Fixed {
        content_type: Option<&'static str>,
        body: &'static str,
    },
    /// By what was asked.
    Of(fn(&Request<'_>) -> Answer),
}

impl Answer {
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            content_type: None,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(super) fn json(body: String) -> Self {
        Self {
            content_type: Some("application/json"),
            body,
            ..Self::empty(200)
        }
    }
}

impl Accepted {
    pub(super) fn answer(&self, request: &Request<'_>, id: &str, is_repeat: bool) -> Answer {
        match self {
            Self::Id => {
                let mut told = serde_json::json!({ "id": id });
                if is_repeat {
                    told["duplicate"] = true.into();
                }
                Answer::json(told.to_string())
            }
            Self::Fixed { content_type, body } => Answer {
                content_type: *content_type,
                body: (*body).to_owned(),
                ..Answer::empty(200)
            },
            Self::Of(answer) => answer(request),
        }
    }
}
