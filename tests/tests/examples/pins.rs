//! The example of `docs/certificates.md` in Rust, word for word: the pin of a key.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{KeyPair, PublicKeyData as _};

pub fn pin(key_pem: &str) -> Result<String, rcgen::Error> {
    let der = KeyPair::from_pem(key_pem)?.subject_public_key_info();
    let digest = digest(&SHA256, &der);
    Ok(format!("sha256/{}", BASE64_STANDARD.encode(digest)))
}
