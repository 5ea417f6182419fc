//! Claims about keys: which open, which do not, and how their uses are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Entropy;
use model::id::{ApplicationId, ApplicationKey, Tail};

use crate::{DataKey, KeyUses, MasterKey, MasterKeyError, Place, SealedDataKey, Vault, VaultError};

const TAIL: Tail = *b"application1";
const APPLICATION: ApplicationId = ApplicationId::new(ApplicationKey::MIN, TAIL);
const OTHER_APPLICATION: ApplicationId = ApplicationId::new(ApplicationKey::MIN, *b"application2");
const PLACE: Place<'static> = Place {
    table: "message",
    row: b"twelve bytes",
    column: "payload",
};

/// SplitMix64: repeatable, and never the same twice.
pub(crate) struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let step = 0x9e37_79b9_7f4a_7c15_u64;
            let mut mixed = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn seeded(seed: u64) -> Arc<Seeded> {
    Arc::new(Seeded(AtomicU64::new(seed)))
}

/// A vault whose master key follows from the seed.
fn vault(seed: u64) -> Vault {
    let entropy = seeded(seed);
    Vault::new(MasterKey::generate(&*entropy), entropy)
}

fn data_key(vault: &Vault) -> Arc<DataKey> {
    let sealed = vault.new_data_key(TAIL);
    vault
        .data_key(APPLICATION, &sealed)
        .expect("a new key opens")
}

mod audit;
mod tickets;
mod values;

mod master_key {
    use super::*;

    #[test]
    fn is_read_back_from_its_text_with_or_without_a_newline() {
        let key = MasterKey::generate(&*seeded(1));
        let text = String::from_utf8(key.to_text().expose().to_vec()).unwrap();
        for text in [text.clone(), format!("{text}\n"), format!(" {text}\r\n")] {
            let again = MasterKey::parse(&text).expect("the text came from a key");
            assert_eq!(again.to_text().expose(), key.to_text().expose());
            assert_eq!(again.id(), key.id());
        }
    }

    #[test]
    fn broken_texts_are_refused_with_the_reason() {
        for (text, expected) in [
            ("", MasterKeyError::WrongLength(0)),
            ("AAAA", MasterKeyError::WrongLength(3)),
            (&"A".repeat(44), MasterKeyError::WrongLength(33)),
            (&"A".repeat(43), MasterKeyError::NotBase64),
            (
                &format!("{}-_A=", "A".repeat(40)),
                MasterKeyError::NotBase64,
            ),
            ("correct horse battery staple", MasterKeyError::NotBase64),
        ] {
            assert_eq!(MasterKey::parse(text).err(), Some(expected), "{text}");
        }
    }

    /// Stores hold this id: it must never be computed in another way. SHA-256 of the domain and
    /// 32 zero bytes, computed elsewhere.
    #[test]
    fn id_is_pinned() {
        let zeros = MasterKey::parse(&format!("{}=", "A".repeat(43))).expect("32 zero bytes");
        assert_eq!(zeros.id().to_string(), "5f69706fabe81575");
    }
}

mod two_master_keys {
    use super::*;

    /// Both, the first of them sealing, and an installation that the first one's seed made.
    fn both() -> (Vault, [MasterKey; 2]) {
        let keys = [1, 2].map(|seed| MasterKey::generate(&*seeded(seed)));
        let installation = Vault::new_installation_key(&keys[0], &*seeded(3));
        let vault = Vault::open(keys.clone(), &installation, seeded(4));
        (vault.expect("it has the right key"), keys)
    }

    #[test]
    fn a_key_is_sealed_anew_and_opens_with_the_new_one_alone() {
        let (vault, [old, new]) = both();
        let installation = Vault::new_installation_key(&old, &*seeded(5));
        let sealed = vault.new_data_key(TAIL);
        assert_eq!(sealed.sealed_by(), Ok(old.id()));
        assert_eq!(vault.rewrap(TAIL, &sealed), Ok(None));
        assert!(vault.seal_by(new.id()));

        let anew = vault.rewrap(TAIL, &sealed).unwrap().expect("it was old");
        assert_eq!((anew.sealed_by(), anew.id()), (Ok(new.id()), sealed.id()));
        assert_eq!(anew.as_bytes().len(), sealed.as_bytes().len());
        let installation = vault.rewrap_installation(&installation).unwrap().unwrap();
        let alone = Vault::open([new], &installation, seeded(6)).expect("the new key opens it");
        let value = vault
            .data_key(APPLICATION, &sealed)
            .unwrap()
            .seal(PLACE, b"text");
        let key = alone
            .data_key(APPLICATION, &anew)
            .expect("the new key opens it");
        assert_eq!(key.open(PLACE, &value), Ok(b"text".to_vec()));
        assert!(matches!(
            alone.rewrap(TAIL, &sealed),
            Err(VaultError::WrongKey { sealed_by, .. }) if sealed_by == old.id()
        ));
    }

    #[test]
    fn one_that_it_does_not_have_seals_only_once_it_has_it() {
        let (vault, [old, _]) = both();
        let third = MasterKey::generate(&*seeded(7));
        assert!(!vault.seal_by(third.id()));
        assert_eq!(vault.master_key_id(), old.id());
        vault.learn(&third);
        vault.learn(&third);
        assert_eq!(vault.master_key_ids().len(), 3);
        assert!(vault.seal_by(third.id()));
        assert_eq!(vault.new_data_key(TAIL).sealed_by(), Ok(third.id()));
    }

    #[test]
    fn an_installation_does_not_open_with_another_key_or_when_damaged() {
        let [right, wrong] = [1, 2].map(|seed| MasterKey::generate(&*seeded(seed)));
        let installation = Vault::new_installation_key(&right, &*seeded(3));
        let expected = VaultError::WrongKey {
            sealed_by: right.id(),
            given: wrong.id(),
        };
        let refused = Vault::open([wrong], &installation, seeded(4)).err();
        assert_eq!(refused, Some(expected));
        let mut bytes = installation.into_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        let damaged = SealedDataKey::from_bytes(bytes);
        let refused = Vault::open([right], &damaged, seeded(4)).err();
        assert_eq!(refused, Some(VaultError::NotAuthentic));
        assert_eq!(
            Vault::open([], &damaged, seeded(4)).err(),
            Some(VaultError::NoMasterKey)
        );
    }
}

mod data_keys {
    use super::*;

    #[test]
    fn open_after_a_restart() {
        let sealed_key = vault(1).new_data_key(TAIL);
        let open = || {
            vault(1)
                .data_key(APPLICATION, &sealed_key)
                .expect("the same master key")
        };
        let sealed = open().seal(PLACE, b"text");
        assert_eq!(open().open(PLACE, &sealed), Ok(b"text".to_vec()));
        let stored = SealedDataKey::from_bytes(sealed_key.as_bytes());
        assert_eq!(stored.id(), Ok(open().id()));
    }

    #[test]
    fn do_not_open_with_another_master_key_or_for_another_application() {
        let (right, wrong) = (vault(1), vault(2));
        let sealed = right.new_data_key(TAIL);
        let refused = right.data_key(OTHER_APPLICATION, &sealed).err();
        assert_eq!(refused, Some(VaultError::NotAuthentic));
        let expected = VaultError::WrongKey {
            sealed_by: right.master_key_id(),
            given: wrong.master_key_id(),
        };
        assert_eq!(wrong.data_key(APPLICATION, &sealed).err(), Some(expected));
    }

    #[test]
    fn truncated_ones_do_not_open() {
        let vault = vault(1);
        let whole = vault.new_data_key(TAIL).into_bytes();
        for length in 0..whole.len() {
            let cut = SealedDataKey::from_bytes(&whole[..length]);
            assert!(vault.data_key(APPLICATION, &cut).is_err(), "{length}");
        }
    }

    #[test]
    fn are_opened_once_and_shared() {
        let vault = vault(1);
        let sealed = vault.new_data_key(TAIL);
        let first = vault
            .data_key(APPLICATION, &sealed)
            .expect("a new key opens");
        let second = vault
            .data_key(APPLICATION, &sealed)
            .expect("a new key opens");
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn their_recorded_uses_add_up_and_survive_a_restart() {
        let sealed = vault(1).new_data_key(TAIL);
        let (sealed, total) = vault(1)
            .add_uses(APPLICATION, &sealed, 5)
            .expect("it opens");
        assert_eq!(total, 5);
        let (sealed, total) = vault(1)
            .add_uses(APPLICATION, &sealed, 7)
            .expect("it opens");
        assert_eq!(total, 12);
        let (again, total) = vault(1)
            .add_uses(APPLICATION, &sealed, u64::MAX)
            .expect("it opens");
        assert_eq!(total, u64::MAX, "a count never wraps");

        let value = vault(1)
            .data_key(APPLICATION, &sealed)
            .expect("it opens")
            .seal(PLACE, b"x");
        let recounted = vault(1).data_key(APPLICATION, &again).expect("it opens");
        assert_eq!(
            recounted.open(PLACE, &value),
            Ok(b"x".to_vec()),
            "it is still the same key"
        );
    }

    #[test]
    fn seals_are_counted_until_they_are_taken_and_opens_are_not() {
        let vault = vault(1);
        let key = data_key(&vault);
        assert_eq!(vault.take_uses(1), []);
        let sealed = key.seal(PLACE, b"one");
        key.seal_readable(PLACE, b"two");
        key.open(PLACE, &sealed).expect("just sealed");
        let uses = KeyUses {
            application: APPLICATION,
            key: key.id(),
            uses: 2,
        };
        assert_eq!(vault.take_uses(1), [uses]);
        assert_eq!(vault.take_uses(1), []);
    }

    #[test]
    fn seals_are_told_of_once_there_are_enough_of_them() {
        let vault = vault(1);
        let key = data_key(&vault);
        key.seal(PLACE, b"one");
        assert_eq!(vault.take_uses(2), []);
        key.seal(PLACE, b"two");
        let told = vault.take_uses(2);
        assert_eq!(told[0].uses, 2);
        vault.put_back(told[0]);
        key.seal(PLACE, b"three");
        assert_eq!(vault.take_uses(2)[0].uses, 3, "what came back counts");
    }
}

mod key_rings {
    use super::*;

    #[test]
    fn seal_with_the_newest_key_and_open_with_all() {
        let vault = vault(1);
        let mut keys = vec![vault.new_data_key(TAIL)];
        let before = vault
            .key_ring(APPLICATION, &keys)
            .expect("one key is enough");
        let old_value = before.seal(PLACE, b"old");
        keys.push(vault.new_data_key(TAIL));
        let after = vault
            .key_ring(APPLICATION, &keys)
            .expect("two keys are fine");
        let new_value = after.seal_readable(PLACE, b"new");

        assert_eq!(Ok(after.newest().id()), keys[1].id());
        assert_eq!(after.open(PLACE, &old_value), Ok(b"old".to_vec()));
        assert_eq!(after.open(PLACE, &new_value), Ok(b"new".to_vec()));
        let unknown = VaultError::UnknownDataKey(after.newest().id());
        assert_eq!(before.open(PLACE, &new_value), Err(unknown));
    }

    #[test]
    fn need_a_key() {
        let none: [SealedDataKey; 0] = [];
        assert_eq!(
            vault(1).key_ring(APPLICATION, &none).err(),
            Some(VaultError::NoDataKey)
        );
    }
}

#[test]
fn a_full_cache_drops_keys_that_nobody_holds_and_loses_no_count() {
    let vault = vault(1);
    let held = data_key(&vault);
    held.seal(PLACE, b"x");
    let count = 3 * crate::DATA_KEYS_CACHED;
    for _ in 0..count {
        data_key(&vault).seal(PLACE, b"x");
    }
    held.seal(PLACE, b"x");
    let uses = vault.take_uses(1);
    assert_eq!(uses.len(), count + 1);
    let of_held = uses
        .iter()
        .find(|uses| uses.key == held.id())
        .expect("it is still cached");
    assert_eq!(of_held.uses, 2);
    assert!(
        uses.iter()
            .all(|uses| uses.uses == 1 || uses.key == held.id())
    );
    assert_eq!(vault.take_uses(1), []);
}

/// Compiles only while none of the named types implements `Debug` or `Display`: if one did, the
/// choice of `A` would be ambiguous.
mod keys_do_not_print {
    use std::fmt;

    trait Printless<A> {
        const CHECKED: () = ();
    }
    struct ByDebug;
    struct ByDisplay;
    impl<T> Printless<()> for T {}
    impl<T: fmt::Debug> Printless<ByDebug> for T {}
    impl<T: fmt::Display> Printless<ByDisplay> for T {}

    const _: () = <crate::MasterKey as Printless<_>>::CHECKED;
    const _: () = <crate::Vault as Printless<_>>::CHECKED;
    const _: () = <crate::DataKey as Printless<_>>::CHECKED;
    const _: () = <crate::KeyRing as Printless<_>>::CHECKED;
    const _: () = <crate::envelope::Cipher as Printless<_>>::CHECKED;
}
