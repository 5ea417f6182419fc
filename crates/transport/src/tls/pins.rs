//! Pins on top of path validation.
//!
//! A chain is first verified as every chain is. Only then are pins compared, with the path that
//! validation found: the receiver's certificate, the intermediates that were needed, and the root.
//! What else was presented proves nothing: anybody can send along a certificate that is not his.

use std::fmt;
use std::sync::Arc;

use model::Pin;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::seen::Seen;
use crate::certificate::{ChainCertificate, pin_of, pin_of_anchor};
use crate::trust::Roots;

/// Which keys a receiver's chain must have one of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// Of the receiver's certificate, or of an issuer of it.
    pub accepted: Vec<Pin>,
    /// What becomes of a connection without any of them.
    pub mode: PinMode,
}

/// What becomes of a connection that has none of the pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinMode {
    /// It ends before anything is sent.
    Enforce,
    /// It goes on, and its [`Handshake`] says so.
    Watch,
}

/// What a new connection's TLS handshake showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The verified path: first the receiver's certificate, last the root. Without [`Pins`] it is
    /// the receiver's certificate alone.
    pub certificates: Vec<ChainCertificate>,
    /// Where pins are watched: that the path has none of them.
    pub mismatch: Option<PinMismatch>,
}

/// A verified path that has none of the pins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate's chain has none of the expected pins: expected {}; received {}",
    list(.expected), list(.received))]
pub struct PinMismatch {
    /// What was accepted.
    pub expected: Vec<Pin>,
    /// What the verified path has, first the receiver's own.
    pub received: Vec<Pin>,
}

fn list(pins: &[Pin]) -> String {
    let pins: Vec<_> = pins.iter().map(Pin::to_string).collect();
    pins.join(", ")
}

/// Verifies chains, and notes what it sees of each.
#[derive(Clone)]
pub(crate) struct ChainVerifier {
    pub(crate) ordinary: Arc<WebPkiServerVerifier>,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
    pub(crate) roots: Roots,
    /// Without any, all is said once a chain is good, and its path is not looked for again.
    pub(crate) pins: Option<Pins>,
}

/// Whether a path that is good in all else is taken.
type Accept<'a> = &'a dyn Fn(&VerifiedPath<'_>) -> Result<(), webpki::Error>;

impl ChainVerifier {
    /// Compares pins with what validation verifies. There may be several paths to a root: one
    /// with a pin is looked for.
    fn compare(
        &self,
        pins: &Pins,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Handshake, Error> {
        let leaf = EndEntityCert::try_from(end_entity).map_err(other)?;
        let path = |accept: Option<Accept<'_>>| {
            leaf.verify_for_usage(
                self.algorithms.all,
                &self.roots.store.roots,
                intermediates,
                now,
                KeyUsage::server_auth(),
                None,
                accept,
            )
        };
        let pinned = |path: &VerifiedPath<'_>| match pins.has_one_of(path) {
            true => Ok(()),
            false => Err(webpki::Error::UnknownIssuer),
        };
        if let Ok(path) = path(Some(&pinned)) {
            return Ok(self.handshake(end_entity, &path, None));
        }
        let path = path(None).map_err(other)?;
        let mismatch = PinMismatch {
            expected: pins.accepted.clone(),
            received: pins_of(&path).collect(),
        };
        match pins.mode {
            PinMode::Watch => Ok(self.handshake(end_entity, &path, Some(mismatch))),
            PinMode::Enforce => Err(other(mismatch)),
        }
    }

    fn handshake(
        &self,
        end_entity: &CertificateDer<'_>,
        path: &VerifiedPath<'_>,
        mismatch: Option<PinMismatch>,
    ) -> Handshake {
        let mut certificates: Vec<_> = ChainCertificate::of(end_entity).into_iter().collect();
        let issuers = path.intermediate_certificates();
        certificates.extend(issuers.filter_map(|issuer| ChainCertificate::of(&issuer.der())));
        certificates.push(self.roots.describe(path.anchor()));
        Handshake {
            certificates,
            mismatch: mismatch.filter(|mismatch| !mismatch.expected.is_empty()),
        }
    }
}

impl Pins {
    fn has_one_of(&self, path: &VerifiedPath<'_>) -> bool {
        pins_of(path).any(|pin| self.accepted.contains(&pin))
    }
}

fn pins_of<'p>(path: &'p VerifiedPath<'p>) -> impl Iterator<Item = Pin> + 'p {
    let own = path.end_entity().subject_public_key_info();
    let issuers = path.intermediate_certificates();
    let issuers = issuers.map(|issuer| issuer.subject_public_key_info());
    let keys = std::iter::once(own).chain(issuers);
    keys.map(|key| pin_of(&key))
        .chain(std::iter::once_with(|| pin_of_anchor(path.anchor())))
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    CertificateError::Other(OtherError(Arc::new(error))).into()
}

impl ServerCertVerifier for ChainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Seen::note_presented(end_entity, intermediates);
        let verified = self.ordinary.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        if let Some(pins) = &self.pins {
            let handshake = self.compare(pins, end_entity, intermediates, now)?;
            Seen::note_verified(handshake);
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.ordinary.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.ordinary.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.ordinary.supported_verify_schemes()
    }
}

impl fmt::Debug for ChainVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainVerifier")
            .field("pins", &self.pins)
            .finish_non_exhaustive()
    }
}
