//! What is hashed and what is signed, byte for byte. Numbers are eight bytes, the highest first.

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use store::audit::{AuditStart, Checkpoint, Hash, Signature};

/// Each kind of text that is hashed or signed begins with its own: none can be taken for another.
const LOG: &[u8] = b"postrider audit log 1\n";
const ENTRY: &[u8] = b"postrider audit entry 1\n";
const CHECKPOINT: &[u8] = b"postrider audit checkpoint 1\n";
const START: &[u8] = b"postrider audit start 1\n";

/// What stands before the first entry: the log belongs to the key that signs it.
pub fn genesis(public_key: &[u8; 32]) -> Hash {
    hash(&[LOG, public_key])
}

/// The hash of an entry at a position, behind what has this hash.
pub fn link(before: &Hash, position: u64, entry: &str) -> Hash {
    hash(&[ENTRY, before, &position.to_be_bytes(), entry.as_bytes()])
}

/// What a checkpoint's signature is over.
pub fn checkpoint_bytes(checkpoint: &Checkpoint) -> Vec<u8> {
    [
        CHECKPOINT,
        &checkpoint.position.to_be_bytes(),
        &checkpoint.hash,
        &checkpoint.count.to_be_bytes(),
        &checkpoint.start.to_be_bytes(),
        &checkpoint.at.micros().to_be_bytes(),
    ]
    .concat()
}

/// What a start's signature is over.
pub fn start_bytes(start: &AuditStart) -> Vec<u8> {
    [
        START,
        &start.position.to_be_bytes(),
        &start.before,
        &start.at.micros().to_be_bytes(),
    ]
    .concat()
}

/// Whether the owner of this key signed these bytes.
pub(super) fn is_signed(public_key: &[u8; 32], bytes: &[u8], signature: &Signature) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    key.verify(bytes, signature).is_ok()
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}
