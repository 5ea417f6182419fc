//! Which keys a receiver's certificates must have one of, and what its certificates were when they
//! were last looked at.

use super::protection::require_tls;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError, Caller};
use model::Pin;
use model::audit::AuditAction;
use model::chain_seen::SeenChain;
use model::protection::{Pinning, PinningMode};

/// The most pins of an endpoint.
pub const PINS_MAX: usize = 20;

/// What is said where there is no second pin.
const NO_BACKUP: &str = "there is no backup pin, of a key that is not in use: on the day on which \
                         the receiver's key is replaced, deliveries end";

/// Pins, parsed and not yet judged.
#[derive(Debug, Clone)]
pub struct PinsInput {
    /// As texts.
    pub pins: Vec<String>,
    /// What they are for.
    pub mode: PinningMode,
}

/// Pins as they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinsView {
    /// None where they are still to be taken from the first connection.
    pub pins: Vec<Pin>,
    /// What they are for.
    pub mode: PinningMode,
    /// What the receiver was last verified by.
    pub seen: Option<SeenChain>,
    /// What would be better.
    pub advice: Option<&'static str>,
}

impl App {
    /// An endpoint's pins.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if there are none.
    pub async fn pins(&self, tenant: &Tenant, path: &str) -> Result<PinsView, AppError> {
        let endpoint = &tenant.endpoint(path)?.endpoint;
        let pinning = self.protection(tenant, path)?.pins;
        let Pinning { pins, mode } = pinning.ok_or_else(AppError::not_found)?;
        let seen = self.store.chain(endpoint.id.key()).await?;
        let seen = seen.map(|seen| SeenChain::from_stored(&seen)).transpose();
        let seen = seen.map_err(AppError::internal)?;
        let seen = seen.filter(|seen| seen.is_of(&endpoint.url));
        Ok(PinsView {
            advice: advice(&pins, seen.as_ref()),
            pins,
            mode,
            seen,
        })
    }

    /// Sets them.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`].
    pub async fn put_pins(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: PinsInput,
    ) -> Result<(), AppError> {
        let pinning = input.judge()?;
        let by = (caller, AuditAction::EndpointPinsSet);
        let changed = self.protect_row(by, (tenant, path), |protection, _, row| {
            protection.pins = Some(pinning.clone());
            require_tls(&row.endpoint, "pins")
        });
        changed.await.map(drop)
    }
}

impl PinsInput {
    fn judge(self) -> Result<Pinning, AppError> {
        let mut judge = Judge::new(&[]);
        if self.pins.len() > PINS_MAX {
            judge.note("pins", format!("must be at most {PINS_MAX}"));
        }
        if self.pins.is_empty() && self.mode != PinningMode::FirstUse {
            judge.note("pins", "must be at least one, but for the mode `firstUse`");
        }
        let mut pins = Vec::with_capacity(self.pins.len());
        for text in &self.pins {
            match text.parse() {
                Ok(pin) if pins.contains(&pin) => judge.note("pins", "must differ"),
                Ok(pin) => pins.push(pin),
                Err(error) => {
                    judge.note("pins", format!("{error}"));
                    break;
                }
            }
        }
        judge.finish()?;
        Ok(Pinning {
            pins,
            mode: self.mode,
        })
    }
}

/// A backup is a pin that the receiver does not show yet; as long as nothing was seen, a second
/// one.
fn advice(pins: &[Pin], seen: Option<&SeenChain>) -> Option<&'static str> {
    let is_seen = |pin: &&Pin| {
        let mut seen = seen.iter().flat_map(|seen| &seen.certificates);
        seen.any(|one| one.pin == **pin)
    };
    let shown = pins.iter().filter(is_seen).count();
    (!pins.is_empty() && pins.len() - shown.max(1) == 0).then_some(NO_BACKUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;
    use model::chain_seen::SeenCertificate;

    #[test]
    fn a_backup_is_a_pin_that_is_not_shown() {
        let pin = |number| Pin::new([number; 32]);
        let chain = |pins: &[u8]| SeenChain {
            origin: String::new(),
            at: Timestamp::default(),
            certificates: pins
                .iter()
                .map(|number| SeenCertificate {
                    pin: pin(*number),
                    subject: String::new(),
                    issuer: String::new(),
                    not_after: None,
                })
                .collect(),
        };
        for (pins, seen, is_advised) in [
            (&[][..], None, false),
            (&[1][..], None, true),
            (&[1, 2], None, false),
            (&[1], Some(&[1, 7][..]), true),
            (&[1, 2], Some(&[1, 7]), false),
            (&[1, 7], Some(&[1, 7]), true),
            (&[2, 3], Some(&[1, 7]), false),
        ] {
            let pins: Vec<Pin> = pins.iter().map(|number| pin(*number)).collect();
            let seen = seen.map(chain);
            assert_eq!(
                advice(&pins, seen.as_ref()).is_some(),
                is_advised,
                "{pins:?}"
            );
        }
    }
}
