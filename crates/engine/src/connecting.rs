//! What an endpoint's connections are verified by and show of us, made ready once for each revision
//! of the endpoint, so that revisions share no connection and no TLS session.
//!
//! Verifying is the transport's. Here are only the settings, and which client certificate is tried
//! next where one is refused.

use crate::authenticate::is_refused;
use crate::ready::Unsound;
use crate::verdict::Happened;
use model::Timestamp;
use model::protection::{Identity, Pinning, PinningMode, Protection, Trust};
use transport::{Authorities, ClientIdentity, PinMode, Pins, Stage, TlsProfile, TlsSettings};

/// How an endpoint's connections are made.
pub(crate) struct Connecting {
    /// With the current client certificate first, each with the time until which it is tried.
    /// `None`: the ordinary way.
    profiles: Vec<(Timestamp, Option<TlsProfile>)>,
    pinning: Option<Pinning>,
}

impl Connecting {
    /// Makes ready what is set.
    pub(crate) fn new(protection: &Protection) -> Result<Self, Unsound> {
        let pinning = protection.pins.clone();
        let settings = settings(protection.ca.as_ref(), pinning.as_ref())?;
        let mut profiles = Vec::new();
        match &protection.mtls {
            None => {
                let is_ordinary = protection.ca.is_none() && pinning.is_none();
                let profile = (!is_ordinary).then(|| TlsProfile::new(settings));
                profiles.push((Timestamp::MAX, profile));
            }
            Some(mtls) => {
                for (until, one) in mtls.tries() {
                    let profile = TlsProfile::new(TlsSettings {
                        identity: Some(identity(one)?),
                        ..settings.clone()
                    });
                    profiles.push((until, Some(profile)));
                }
            }
        }
        Ok(Self { profiles, pinning })
    }

    /// What is tried at `now`, one after the other; at least one.
    pub(crate) fn profiles_at(&self, now: Timestamp) -> Vec<Option<&TlsProfile>> {
        let valid = self.profiles.iter().filter(|(until, _)| *until > now);
        valid.map(|(_, profile)| profile.as_ref()).collect()
    }

    /// Whether there are pins, or are to be some.
    pub(crate) fn is_pinned(&self) -> bool {
        self.pinning.is_some()
    }

    /// Whether the receiver's pin is still to be taken.
    pub(crate) fn awaits_first_use(&self) -> bool {
        self.pinning.as_ref().is_some_and(Pinning::awaits_first_use)
    }

    /// The client certificates that connections show.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &ClientIdentity> {
        let profiles = self.profiles.iter().flat_map(|(_, profile)| profile);
        profiles.flat_map(|profile| &profile.settings().identity)
    }
}

/// Whether the client certificate may be why: the receiver refuses the handshake, or lets it pass
/// and ends the connection (TLS 1.3 has no other way), or says so in its answer.
pub(crate) fn may_refuse_identity(happened: &Happened) -> bool {
    match happened {
        Happened::Answered(_) => is_refused(happened),
        Happened::NoAnswer(error) => match error.stage() {
            Stage::Tls => !error.is_certificate_refused(),
            Stage::Write | Stage::Read => error.handshake().is_some(),
            Stage::Guard | Stage::Resolve | Stage::Connect | Stage::Timeout => false,
        },
        Happened::NotEchoed(_)
        | Happened::NoToken(_)
        | Happened::NoKey(_)
        | Happened::Unsound(_)
        | Happened::Held(_)
        | Happened::Withheld(_)
        | Happened::Ended(_) => false,
    }
}

fn settings(trust: Option<&Trust>, pinning: Option<&Pinning>) -> Result<TlsSettings, Unsound> {
    let authorities = trust.and_then(|trust| trust.authorities.as_ref());
    let authorities = authorities.map(|pem| Authorities::from_pem(pem.as_bytes()));
    let pins = pinning.filter(|pinning| !pinning.pins.is_empty());
    Ok(TlsSettings {
        authorities: authorities.transpose()?,
        identity: None,
        pins: pins.map(|pinning| Pins {
            accepted: pinning.pins.clone(),
            mode: match pinning.mode {
                PinningMode::Enforce | PinningMode::FirstUse => PinMode::Enforce,
                PinningMode::Report => PinMode::Watch,
            },
        }),
        tls13_only: trust.is_some_and(|trust| trust.tls13_only),
    })
}

fn identity(identity: &Identity) -> Result<ClientIdentity, Unsound> {
    let Identity { certificates, key } = identity;
    Ok(ClientIdentity::from_pem(
        certificates.as_bytes(),
        key.expose(),
    )?)
}
