//! Telegram's bots: a token in a header, and nothing signed.

use super::answer::Accepted;
use super::place::Place;
use super::token::Token;
use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;

pub(super) static PROVIDER: Provider = Provider {
    name: "telegram",
    scheme: &Token {
        header: "X-Telegram-Bot-Api-Secret-Token",
        id_header: None,
    },
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("update_id"),
    manners: Manners {
        event_type: &[Place::NameBeside("update_id")],
        accepted: Accepted::Fixed {
            content_type: None,
            body: "",
        },
        ..Manners::NONE
    },
};
