//! Payloads that are encrypted to a source: opened, and held against what was signed. Where a
//! source has keys, nothing plain is taken.

use super::scheme::Signed;
use super::{Came, Checks, Refusal, ReplayKey, Request};
use webhook::check_age;
use webhook::jwe::{Bound, open_bound};
use webhook::provider::Genuine;

/// What the signatures say beside the body that they cover.
pub(super) fn bound<'s>(genuine: Option<&'s Genuine<'_>>, signed: Option<&'s Signed>) -> Bound<'s> {
    let of_provider = genuine.and_then(|genuine| genuine.id.as_ref());
    let of_provider = of_provider.filter(|id| id.is_signed);
    let of_request = || signed.map(|signed| signed.id.as_str());
    Bound {
        id: of_provider.map(|id| id.text.as_ref()).or_else(of_request),
        // The time of a signature over the request is its own, and no attempt's.
        timestamp: genuine.and_then(|genuine| genuine.signed_at),
        event_type: None,
    }
}

impl Checks {
    pub(super) fn opened(
        &self,
        request: &Request<'_>,
        bound: Bound<'_>,
        now: i64,
    ) -> Result<Came, Refusal> {
        let opened = open_bound(request.body, &self.keys, bound).map_err(Refusal::Encryption)?;
        check_age(opened.timestamp, now, self.tolerance_seconds).map_err(Refusal::Signature)?;
        Ok(Came {
            replay_key: Some(ReplayKey::Id(opened.id.clone().into())),
            id: Some(opened.id),
            is_id_signed: true,
            event_type: Some(opened.event_type),
            payload: Some(opened.payload),
        })
    }
}
