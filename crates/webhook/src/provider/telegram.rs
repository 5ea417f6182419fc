//! Telegram's bots: a token in a header, and nothing signed.

use super::Provider;
use super::token::Token;
use crate::TOLERANCE_SECONDS;

pub(super) static PROVIDER: Provider = Provider {
    name: "telegram",
    scheme: &Token {
        header: "X-Telegram-Bot-Api-Secret-Token",
        id_header: None,
    },
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("update_id"),
};
