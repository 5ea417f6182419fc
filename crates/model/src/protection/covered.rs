//! What an endpoint's HTTP signature is to cover, and whether its requests have it: the one rule
//! by which nothing is sent, and by which that is shown.

use super::{Credential, Protection};
use crate::endpoint::CustomHeaders;
use crate::hops::HOPS_HEADER;

/// What every request has besides id, time and signature, whatever is set.
const ALWAYS: [&str; 5] = [
    "accept",
    "content-digest",
    "content-type",
    HOPS_HEADER,
    "user-agent",
];

impl Protection {
    /// What the signature is to cover and requests have no header for. `custom` are the endpoint's
    /// own headers, `signing` those that payloads are signed in.
    pub(super) fn uncovered(&self, custom: &CustomHeaders, signing: &[&str]) -> Option<String> {
        let Credential::HttpSignature { components, .. } = &self.auth.as_ref()?.current else {
            return None;
        };
        let is_there = |component: &&String| {
            // Parts of the target.
            component.starts_with('@')
                || ALWAYS.contains(&component.as_str())
                || self.oauth.is_some() && *component == "authorization"
                || signing
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(component))
                || custom
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case(component))
        };
        components.iter().find(|one| !is_there(one)).cloned()
    }
}
