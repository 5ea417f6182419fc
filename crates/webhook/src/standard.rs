//! Standard Webhooks: `id.timestamp.body`, signed with HMAC-SHA256 (`v1`) or ed25519 (`v1a`), in
//! `webhook-*` or `svix-*` headers. Version 1.0.0 of the specification of that name.
//!
//! Map: [`key`] (the texts `whsec_…`, `whsk_…`, `whpk_…`) · [`id`] (which ids may be signed) ·
//! [`content`] (what is signed) · [`headers`] (where a signature travels) · [`sign`] · [`verify`].

pub(crate) mod content;
pub(crate) mod headers;
pub(crate) mod id;
pub(crate) mod key;
pub(crate) mod sign;
pub(crate) mod verify;
