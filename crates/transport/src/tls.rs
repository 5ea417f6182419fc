//! TLS as every connection uses it: who is trusted, what we show of ourselves, which provider
//! computes, which protocols are offered.
//!
//! There is an ordinary way, and a [`TlsProfile`] for each endpoint that wants another. A profile
//! shares no connection with anybody, and no session to resume: each has a pool key and a session
//! cache of its own. With pins, no session is resumed at all, so that each new connection shows its
//! certificates. Path validation, the host's name included, can't be turned off.
//!
//! The provider is passed explicitly, so that a second one somewhere in the tree can't make the
//! choice ambiguous at run time.

pub(crate) mod identity;
pub(crate) mod pins;
pub(crate) mod pkcs12;
mod seen;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, HandshakeKind};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::identity::ClientIdentity;
use self::pins::{ChainVerifier, Handshake, PinMode, Pins};
use self::seen::Seen;
use crate::certificate::{ChainCertificate, shown};
use crate::progress::Progress;
use crate::trust::{Authorities, AuthoritiesError, Roots};
use crate::{SendError, Stage};

/// Sessions that a profile can resume. It mostly speaks to one host, where the ordinary way has
/// all others.
const SESSIONS_OF_A_PROFILE: usize = 8;

/// What one endpoint's connections are made with. What is not set is as everywhere.
#[derive(Clone, Default)]
pub struct TlsSettings {
    /// Whom to trust in place of the system's roots.
    pub authorities: Option<Authorities>,
    /// What to show a receiver that asks for a client certificate.
    pub identity: Option<ClientIdentity>,
    /// Keys that the receiver's chain must have one of, besides being valid.
    pub pins: Option<Pins>,
    /// TLS 1.3 at the least, rather than 1.2.
    pub tls13_only: bool,
}

/// Settings with the connections that were made by them: cheap to clone, to be made once and kept
/// for as long as the settings hold. It belongs to the transport that first uses it, whose roots it
/// trusts where it names none.
#[derive(Clone)]
pub struct TlsProfile(Arc<Profile>);

struct Profile {
    number: u64,
    settings: TlsSettings,
    prepared: OnceLock<Prepared>,
}

/// A transport that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Root certificates that can't be read.
    #[error("the additional root certificates can't be used")]
    Roots(#[from] AuthoritiesError),
    /// A provider that can't do TLS.
    #[error("the TLS client can't be set up")]
    Rustls(#[source] rustls::Error),
}

impl TlsProfile {
    /// A new profile, which shares nothing with any other, whatever its settings are.
    pub fn new(settings: TlsSettings) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self(Arc::new(Profile {
            number: MADE.fetch_add(1, Ordering::Relaxed) + 1,
            settings,
            prepared: OnceLock::new(),
        }))
    }

    /// Its settings.
    pub fn settings(&self) -> &TlsSettings {
        &self.0.settings
    }

    /// Unlike any other's, and never zero, which is the ordinary way's.
    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }
}

impl fmt::Debug for TlsProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsProfile({})", self.0.number)
    }
}

/// Makes TLS connections, the ordinary way or by a profile.
#[derive(Clone)]
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    roots: Roots,
    ordinary: Prepared,
}

/// Settings as the library takes them.
#[derive(Clone)]
struct Prepared {
    config: Arc<ClientConfig>,
    verifier: Arc<ChainVerifier>,
}

/// What a receiver shows of itself when a connection is made, and nothing sent.
#[derive(Debug)]
pub struct Peeked {
    /// The verified path; where it was refused, whatever was presented.
    pub certificates: Vec<ChainCertificate>,
    /// Why the connection was refused, if it was. Then nothing is true of the certificates but that
    /// they were presented.
    pub refused: Option<SendError>,
}

impl Tls {
    /// Trusts the system's roots (where it has none, Mozilla's) and those of `extra_roots`, which
    /// is PEM.
    pub(crate) fn new(extra_roots: Option<&[u8]>) -> Result<Self, SetupError> {
        let roots = Roots::platform(extra_roots)?;
        let provider = Arc::new(provider());
        let ordinary = Prepared::new(&TlsSettings::default(), &roots, provider.clone());
        Ok(Self {
            provider,
            roots,
            ordinary: ordinary.map_err(SetupError::Rustls)?,
        })
    }

    /// Shakes hands over a connection and verifies the certificate for this name.
    pub(crate) async fn connect(
        &self,
        profile: Option<&TlsProfile>,
        name: ServerName<'static>,
        stream: TcpStream,
        progress: &mut Progress,
    ) -> Result<TlsStream<TcpStream>, SendError> {
        let prepared = self.prepared(profile)?;
        let shaking = shake_hands(prepared.config.clone(), name, stream);
        let (shaken, seen) = Seen::during(shaking).await;
        match (&shaken, seen.verified()) {
            (Err(_), _) => progress.chain = shown(described(&seen.presented())),
            (Ok(_), Some(verified)) => {
                progress.chain = shown(verified.certificates.iter().cloned());
                progress.handshake = Some(verified);
            }
            (Ok(stream), None) => {
                let (_, connection) = stream.get_ref();
                let presented = connection.peer_certificates().unwrap_or_default();
                progress.chain = shown(described(presented));
                progress.handshake = own_certificate(connection);
            }
        }
        shaken
    }

    /// The same for what is not HTTP, the ordinary way: no protocol is offered.
    pub(crate) async fn connect_bare(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, SendError> {
        let mut config = (*self.ordinary.config).clone();
        config.alpn_protocols = Vec::new();
        config.resumption = Resumption::disabled();
        shake_hands(Arc::new(config), name, stream).await
    }

    /// Shakes hands to see the certificates. Pins are not compared.
    pub(crate) async fn peek(
        &self,
        profile: Option<&TlsProfile>,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<Peeked, SendError> {
        let config = self.prepared(profile)?.watching();
        let (shaken, seen) = Seen::during(shake_hands(config, name, stream)).await;
        let refused = shaken.err();
        let verified = seen.verified().filter(|_| refused.is_none());
        let certificates = match verified {
            Some(handshake) => handshake.certificates,
            None => described(&seen.presented()).collect(),
        };
        match refused {
            Some(error) if certificates.is_empty() => Err(error),
            refused => Ok(Peeked {
                certificates,
                refused,
            }),
        }
    }

    fn prepared<'a>(&'a self, profile: Option<&'a TlsProfile>) -> Result<&'a Prepared, SendError> {
        let Some(TlsProfile(profile)) = profile else {
            return Ok(&self.ordinary);
        };
        if let Some(prepared) = profile.prepared.get() {
            return Ok(prepared);
        }
        let prepared = Prepared::new(&profile.settings, &self.roots, self.provider.clone());
        let prepared = prepared.map_err(|error| SendError::new(Stage::Tls, error))?;
        Ok(profile.prepared.get_or_init(|| prepared))
    }
}

impl Prepared {
    fn new(
        settings: &TlsSettings,
        roots: &Roots,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::Error> {
        let roots = settings
            .authorities
            .as_ref()
            .map_or(roots, Authorities::roots);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.store.clone(), provider.clone());
        let verifier = verifier
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let verifier = Arc::new(ChainVerifier {
            ordinary: verifier,
            algorithms: provider.signature_verification_algorithms,
            roots: roots.clone(),
            pins: settings.pins.clone(),
        });
        let versions = match settings.tls13_only {
            true => &[&rustls::version::TLS13],
            false => ALL_VERSIONS,
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let mut config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified()))),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = match &settings.pins {
            Some(_) => Resumption::disabled(),
            None => Resumption::in_memory_sessions(SESSIONS_OF_A_PROFILE),
        };
        Ok(Self {
            config: Arc::new(config),
            verifier,
        })
    }

    /// The same for one connection, of which the verified path is looked at, whatever it is.
    fn watching(&self) -> Arc<ClientConfig> {
        let mut config = (*self.config).clone();
        config.resumption = Resumption::disabled();
        let verifier = ChainVerifier {
            pins: Some(Pins {
                accepted: Vec::new(),
                mode: PinMode::Watch,
            }),
            ..(*self.verifier).clone()
        };
        let mut dangerous = config.dangerous();
        dangerous.set_certificate_verifier(Arc::new(verifier));
        Arc::new(config)
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

async fn shake_hands(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, SendError> {
    let shaken = TlsConnector::from(config).connect(name, stream).await;
    shaken.map_err(|error| SendError::new(Stage::Tls, error))
}

/// What people are told of certificates, as far as they can be read.
fn described(certificates: &[CertificateDer<'_>]) -> impl Iterator<Item = ChainCertificate> {
    certificates.iter().filter_map(ChainCertificate::of)
}

/// The certificate that the handshake was verified with, which is in any verified path.
fn own_certificate(connection: &ClientConnection) -> Option<Handshake> {
    if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
        return None;
    }
    let own = ChainCertificate::of(connection.peer_certificates()?.first()?)?;
    Some(Handshake {
        certificates: vec![own],
        mismatch: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_quantum_key_exchange_is_offered_first() {
        let tls = Tls::new(None).expect("a client");
        let profile = TlsProfile::new(TlsSettings::default());
        for profile in [None, Some(&profile)] {
            let prepared = tls.prepared(profile).expect("a profile");
            let groups = &prepared.config.crypto_provider().kx_groups;
            let first = groups.first().expect("a group").name();
            assert_eq!(first, rustls::NamedGroup::X25519MLKEM768);
        }
    }

    #[test]
    fn no_two_profiles_have_the_same_number_and_none_has_that_of_the_ordinary_way() {
        let [one, two] = [(); 2].map(|()| TlsProfile::new(TlsSettings::default()));
        assert_ne!(one.number(), two.number());
        assert_ne!(one.number(), 0);
        assert_eq!(one.number(), one.clone().number());
    }
}
