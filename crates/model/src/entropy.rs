//! Where random bytes come from. Only the trait: the binary gives the system's generator, the
//! simulation a seeded one.

/// A source of random bytes that is good enough for keys.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes. A source that cannot give any must end the process: there
    /// is nothing safe to go on with.
    fn fill(&self, bytes: &mut [u8]);
}

/// An array of random bytes: `let tail: [u8; 12] = random(entropy);`
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A number drawn evenly from `0.0..1.0`, with 53 bits.
pub fn fraction(entropy: &dyn Entropy) -> f64 {
    let bits = u64::from_le_bytes(random(entropy)) >> 11;
    bits as f64 / (1u64 << 53) as f64
}
