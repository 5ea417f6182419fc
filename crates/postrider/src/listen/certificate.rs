//! The listener's certificate and its key, as two PEM files have them: read, held against each
//! other, and how long they are good for. Whether clients trust it is not asked.

use super::possession::Possession;
use crate::config::TlsFiles;
use anyhow::{Context as _, anyhow, bail};
use model::{Secret, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoClientAuth;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use x509_cert::der::Decode as _;

const DAY: Duration = Duration::from_secs(86_400);
/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A certificate with its key, ready for handshakes.
pub(super) struct Certificate {
    /// What a handshake is made with. Sessions can be resumed only with what began them: a new one
    /// has none.
    pub(super) config: Arc<ServerConfig>,
    /// The same, with which clients are asked for a certificate.
    pub(super) asking: Arc<ServerConfig>,
    /// When the first of the certificate and those with it ends.
    pub(super) ends: Timestamp,
}

/// How near a certificate's end is, from the moment on at which something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nearing {
    /// 30 days.
    Month,
    /// 7 days.
    Week,
    /// A day.
    Day,
    /// It is over.
    Ended,
}

impl Certificate {
    /// Reads both files.
    pub(super) fn read(files: &TlsFiles) -> anyhow::Result<Self> {
        let of_certificate = || format!("tls_cert {}", files.certificate.display());
        let of_key = || format!("tls_key {}", files.key.display());
        let chain = chain(&files.certificate).with_context(of_certificate)?;
        let ends = ends(&chain).with_context(of_certificate)?;
        let key = key(&files.key).with_context(of_key)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = |verifier: Arc<dyn ClientCertVerifier>| {
            let mut config = ServerConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()?
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain.clone(), key.clone_key())
                .with_context(|| format!("{} with {}", of_certificate(), of_key()))?;
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            anyhow::Ok(Arc::new(config))
        };
        Ok(Self {
            config: config(Arc::new(NoClientAuth))?,
            asking: config(Arc::new(Possession::new(&provider)))?,
            ends,
        })
    }
}

impl Nearing {
    /// How near this end is; `None`: far away.
    pub(super) fn to(ends: Timestamp, now: Timestamp) -> Option<Self> {
        if ends <= now {
            return Some(Self::Ended);
        }
        let left = ends.since(now);
        let steps = [
            (DAY, Self::Day),
            (7 * DAY, Self::Week),
            (30 * DAY, Self::Month),
        ];
        let step = steps.into_iter().find(|(most, _)| left <= *most);
        step.map(|(_, nearing)| nearing)
    }
}

/// The certificate, and those that lead to its root.
fn chain(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose()).collect();
    let chain = chain.context("it is not PEM")?;
    if chain.is_empty() {
        bail!("it holds no `BEGIN CERTIFICATE`: name a PEM file");
    }
    Ok(chain)
}

fn key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    let pem = read(path)?;
    PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|error| match error {
        PemError::NoItemsFound => anyhow!(
            "it holds no `BEGIN PRIVATE KEY`: name a PEM file with the key as it is, not encrypted"
        ),
        // What the library found there may be a part of the key.
        _ => anyhow!("it is not PEM"),
    })
}

fn read(path: &Path) -> anyhow::Result<Secret> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes > FILE_BYTES_MAX {
        bail!("it has {bytes} bytes: {FILE_BYTES_MAX} are the most");
    }
    Ok(Secret::new(std::fs::read(path)?))
}

fn ends(chain: &[CertificateDer<'_>]) -> anyhow::Result<Timestamp> {
    let mut first = Timestamp::MAX;
    for certificate in chain {
        let read = x509_cert::Certificate::from_der(certificate)
            .map_err(|error| anyhow!("it holds what is no certificate: {error}"))?;
        let ends = read.tbs_certificate.validity.not_after.to_unix_duration();
        first = first.min(Timestamp::default().plus(ends));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed,
    };
    use std::fs::write;

    #[test]
    fn an_end_is_near_from_thirty_days_before_it_on() {
        let ends = Timestamp::from_seconds(1_800_000_000);
        let hour = Duration::from_secs(3_600);
        for (left, expected) in [
            (31 * DAY, None),
            (30 * DAY, Some(Nearing::Month)),
            (7 * DAY + hour, Some(Nearing::Month)),
            (7 * DAY, Some(Nearing::Week)),
            (DAY + hour, Some(Nearing::Week)),
            (DAY, Some(Nearing::Day)),
            (hour, Some(Nearing::Day)),
            (Duration::ZERO, Some(Nearing::Ended)),
        ] {
            assert_eq!(Nearing::to(ends, ends.minus(left)), expected, "{left:?}");
        }
        assert_eq!(Nearing::to(ends, ends.plus(DAY)), Some(Nearing::Ended));
    }

    /// What is refused, with what is told; `None` for what is there.
    fn told(certificate: &str, key: &str) -> Option<String> {
        let home = tempfile::tempdir().expect("a directory");
        let files = TlsFiles {
            certificate: home.path().join("c.pem"),
            key: home.path().join("k.pem"),
        };
        write(&files.certificate, certificate).expect("it can be written");
        write(&files.key, key).expect("it can be written");
        let refused = Certificate::read(&files).err()?;
        Some(format!("{refused:#}"))
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said_and_nothing_of_the_key() {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (cert, key) = (cert.pem(), signing_key.serialize_pem());
        let other = KeyPair::generate().expect("a key").serialize_pem();
        assert_eq!(told(&cert, &key), None);
        let sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VzYW1l\n\
                      -----END ENCRYPTED PRIVATE KEY-----\n";
        for (cert, key, expected) in [
            ("", &*key, "tls_cert"),
            (&*key, &*key, "BEGIN CERTIFICATE"),
            (&*cert, "", "BEGIN PRIVATE KEY"),
            (&*cert, &*cert, "BEGIN PRIVATE KEY"),
            (&*cert, sealed, "not encrypted"),
            (&*cert, "-----BEGIN PRIVATE KEY-----\nsesame", "tls_key"),
            (&*cert, &*other, "tls_cert"),
            (
                "-----BEGIN CERTIFICATE-----\nc2VzYW1l\n-----END CERTIFICATE-----\n",
                &*key,
                "no certificate",
            ),
        ] {
            let told = told(cert, key).expect("it is refused");
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("sesame"), "{told}");
        }
    }

    #[test]
    fn the_end_is_that_of_whatever_of_the_chain_ends_first() {
        let ending = |year| {
            let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
            params.not_after = date_time_ymd(year, 1, 1);
            let key = KeyPair::generate().expect("a key");
            params
                .self_signed(&key)
                .expect("a certificate")
                .der()
                .clone()
        };
        let chain = [ending(2031), ending(2030), ending(2055)];
        let expected = Timestamp::from_seconds(1_893_456_000);
        assert_eq!(ends(&chain).expect("they are certificates"), expected);
    }
}
