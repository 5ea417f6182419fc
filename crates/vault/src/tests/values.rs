//! Claims about sealed values: they open in their place, and otherwise never.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::envelope::OVERHEAD_BYTES;

#[test]
fn truncated_foreign_and_unsealed_ones_are_told_apart() {
    let vault = vault(1);
    let (key, other) = (data_key(&vault), data_key(&vault));
    let sealed = key.seal(PLACE, b"");
    assert_eq!(sealed.len(), OVERHEAD_BYTES);
    for length in 0..OVERHEAD_BYTES {
        let expected = Err(VaultError::Truncated(length));
        assert_eq!(key.open(PLACE, &sealed[..length]), expected);
    }
    assert_eq!(
        other.open(PLACE, &sealed),
        Err(VaultError::UnknownDataKey(key.id()))
    );

    let never_sealed = br#"{"type":"payment.succeeded","amount":100}"#;
    assert_eq!(
        key.open(PLACE, never_sealed),
        Err(VaultError::UnknownVersion(b'{'))
    );
    let with_zero = [&[0][..], never_sealed].concat();
    assert_eq!(
        key.open(PLACE, &with_zero),
        Err(VaultError::UnknownVersion(0))
    );
}

#[test]
fn encryption_hides_the_text_and_readable_sealing_does_not() {
    let vault = vault(1);
    let key = data_key(&vault);
    let text = b"payment.succeeded";
    let contains = |sealed: &[u8]| sealed.windows(text.len()).any(|window| window == text);
    assert!(!contains(&key.seal(PLACE, text)));
    assert!(contains(&key.seal_readable(PLACE, text)));
    assert!(!contains(&vault.seal_for_installation(PLACE, text)));
}

#[test]
fn the_same_text_is_never_sealed_alike() {
    let vault = vault(1);
    let key = data_key(&vault);
    assert_ne!(key.seal(PLACE, b"text"), key.seal(PLACE, b"text"));
    assert_ne!(
        key.seal_readable(PLACE, b"text"),
        key.seal_readable(PLACE, b"text")
    );
    assert_ne!(
        vault.seal_for_installation(PLACE, b"text"),
        vault.seal_for_installation(PLACE, b"text")
    );
}

#[test]
fn an_encrypted_value_cannot_be_passed_off_as_readable_nor_the_reverse() {
    let vault = vault(1);
    let key = data_key(&vault);
    for mut sealed in [
        key.seal(PLACE, b""),
        key.seal_readable(PLACE, b""),
        key.seal(PLACE, b"text"),
        key.seal_readable(PLACE, b"text"),
    ] {
        sealed[0] = 3 - sealed[0];
        assert_eq!(key.open(PLACE, &sealed), Err(VaultError::NotAuthentic));
    }
}

/// What lies in a store today must open for ever: master key, layout and additional data are
/// pinned. Another implementation of AES-256-GCM opened these as the envelope is documented.
#[test]
fn stored_values_of_the_first_version_open() {
    let stored = |text| STANDARD.decode(text).expect("well-formed base64");
    let key = SealedDataKey::from_bytes(stored(concat!(
        "ubUB0dhUu3EBufcIN7LmIZqWZ2F0jlxDy2FPVgFCEuR3jbCLzfFDu9y/IxAo",
        "H7b+M2Kijd0tMaPapgNHqMtawel54Tgl6/2Y7441GB+JwDiyesiV0w==",
    )));
    let key = vault(1)
        .data_key(APPLICATION, &key)
        .expect("the stored key opens");
    let encrypted = stored("Abm1AdHYVLtx/ovPFE3U/JrAXapLKnyjRyZOZjhxmarPzJ/7ChQN54Y=");
    assert_eq!(key.open(PLACE, &encrypted), Ok(b"text".to_vec()));
    let readable = stored("Arm1AdHYVLtxiqLXkNZBs4eoV0xvdGV4dDqrcf6oepTqvrEKRs/NEhA=");
    assert_eq!(key.open(PLACE, &readable), Ok(b"text".to_vec()));
}

proptest! {
    #[test]
    fn what_was_sealed_opens_in_its_place(seed: u64, text: Vec<u8>, row: Vec<u8>) {
        let vault = vault(seed);
        let key = data_key(&vault);
        let place = Place { row: &row, ..PLACE };
        for sealed in [key.seal(place, &text), key.seal_readable(place, &text)] {
            prop_assert_eq!(sealed.len(), text.len() + OVERHEAD_BYTES);
            prop_assert_eq!(key.open(place, &sealed), Ok(text.clone()));
        }
        let sealed = vault.seal_for_installation(place, &text);
        prop_assert_eq!(vault.open_for_installation(place, &sealed), Ok(text));
    }

    #[test]
    fn with_any_bit_flipped_nothing_opens(seed: u64, text: Vec<u8>, byte: Index, bit in 0u32..8) {
        let vault = vault(seed);
        let key = data_key(&vault);
        for mut sealed in [key.seal(PLACE, &text), key.seal_readable(PLACE, &text)] {
            flip(&mut sealed, byte, bit);
            prop_assert!(key.open(PLACE, &sealed).is_err());
        }
        let mut sealed = vault.seal_for_installation(PLACE, &text);
        flip(&mut sealed, byte, bit);
        prop_assert!(vault.open_for_installation(PLACE, &sealed).is_err());

        let mut sealed_key = vault.new_data_key(TAIL).into_bytes();
        flip(&mut sealed_key, byte, bit);
        let sealed_key = SealedDataKey::from_bytes(sealed_key);
        prop_assert!(vault.data_key(APPLICATION, &sealed_key).is_err());
    }

    /// Including places whose parts only join to the same text.
    #[test]
    fn in_another_place_nothing_opens(
        names in prop::array::uniform4(prop::sample::select(vec!["", "a", "aa"])),
        rows in prop::array::uniform2("a{0,2}"),
    ) {
        let place = |table, row, column| Place { table, row, column };
        let here = place(names[0], rows[0].as_bytes(), names[1]);
        let elsewhere = place(names[2], rows[1].as_bytes(), names[3]);
        prop_assume!(here != elsewhere);
        let vault = vault(1);
        let key = data_key(&vault);
        let refused = Err(VaultError::NotAuthentic);
        prop_assert_eq!(&key.open(elsewhere, &key.seal(here, b"text")), &refused);
        prop_assert_eq!(&key.open(elsewhere, &key.seal_readable(here, b"text")), &refused);
        let sealed = vault.seal_for_installation(here, b"text");
        prop_assert_eq!(&vault.open_for_installation(elsewhere, &sealed), &refused);
    }

    #[test]
    fn no_bytes_make_opening_panic(bytes: Vec<u8>, version in 0u8..4) {
        let vault = vault(1);
        let key = data_key(&vault);
        let bytes = [&[version][..], &key.id().0, &bytes].concat();
        prop_assert!(key.open(PLACE, &bytes).is_err());
        prop_assert!(vault.open_for_installation(PLACE, &bytes).is_err());
        prop_assert!(vault.data_key(APPLICATION, &SealedDataKey::from_bytes(&bytes[..])).is_err());
    }
}

fn flip(bytes: &mut [u8], byte: Index, bit: u32) {
    bytes[byte.index(bytes.len())] ^= 1 << bit;
}

#[test]
fn a_pseudonym_is_the_same_for_as_long_as_the_first_key_is_there() {
    let vault = vault(1);
    let sealed = [vault.new_data_key(TAIL), vault.new_data_key(TAIL)];
    let ring = |keys: &[SealedDataKey]| vault.key_ring(APPLICATION, keys).expect("they open");
    let (first, both) = (ring(&sealed[..1]), ring(&sealed));
    assert_eq!(first.pseudonym(b"ada"), both.pseudonym(b"ada"));
    assert_ne!(first.pseudonym(b"ada"), first.pseudonym(b"bob"));
    let other = ring(&sealed[1..]);
    assert_ne!(first.pseudonym(b"ada"), other.pseudonym(b"ada"));
}

/// Receivers keep what they got: it must never be computed in another way.
#[test]
fn a_pseudonym_is_pinned() {
    let key = DataKey::new(TAIL, crate::DataKeyId([1; 8]), &[7; 32], seeded(1));
    let digits = key
        .pseudonym(b"ada@example.com")
        .map(|byte| format!("{byte:02x}"));
    assert_eq!(
        digits.concat(),
        "8d62336b0f0e1c2e31c5cd2cf6f610b03dfd6d9dac06a6dddcd48569f028ff60"
    );
}
