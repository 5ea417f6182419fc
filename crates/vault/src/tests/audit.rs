//! Claims about the key of the audit log.

use super::*;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

fn is_signed_by(key: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(bytes, signature).is_ok()
}

#[test]
fn what_the_kept_key_signs_is_its_own_and_nothing_else_is() {
    let vault = vault(1);
    let sealed = vault.new_audit_key(&*seeded(2));
    let key = vault.audit_key(&sealed).expect("it was just sealed");
    let again = vault.audit_key(&sealed).expect("it was just sealed");
    let (public, signature) = (key.public_key(), again.sign(b"head"));
    assert!(is_signed_by(&public, b"head", &signature));
    assert!(!is_signed_by(&public, b"heap", &signature));
    assert!(!is_signed_by(&public, b"head", &[0; 64]));
    let other = vault.new_audit_key(&*seeded(3));
    let other = vault.audit_key(&other).expect("it was just sealed");
    assert!(!is_signed_by(&other.public_key(), b"head", &signature));
}

#[test]
fn another_installation_s_key_does_not_open() {
    let sealed = vault(1).new_audit_key(&*seeded(2));
    let refused = vault(7).audit_key(&sealed);
    assert!(matches!(refused, Err(VaultError::UnknownDataKey(_))));
}
