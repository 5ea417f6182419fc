//! The example of `docs/certificates.md` in Rust, word for word: a receiver of a private authority,
//! that asks for client certificates.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub fn acceptor(home: &Path) -> Result<TlsAcceptor, Box<dyn Error>> {
    let mut clients = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(home.join("clients.pem"))? {
        clients.add(authority?)?;
    }
    let clients = WebPkiClientVerifier::builder(Arc::new(clients)).build()?;
    let own = CertificateDer::pem_file_iter(home.join("receiver.pem"))?;
    let own = own.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(home.join("receiver.key"))?;
    let config = ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(own, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
