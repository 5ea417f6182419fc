//! Claims about tickets: only an application's own keys make them, and nothing in them can be
//! changed.

use super::*;
use crate::{KeyRing, ShownTicket, Ticket};
use model::Timestamp;
use model::id::{Key, MessageId};
use proptest::prelude::*;

fn ring(vault: &Vault, keys: &[SealedDataKey]) -> KeyRing {
    vault.key_ring(APPLICATION, keys).expect("they open")
}

fn ticket(numbers: [i64; 4], tail: Tail) -> Ticket {
    let [application, endpoint, message, until] = numbers;
    Ticket {
        application: Key::from_integer(application),
        endpoint: Key::from_integer(endpoint),
        message: MessageId::new(Key::from_integer(message), tail),
        until: Timestamp::from_micros(until),
    }
}

fn check(ring: &KeyRing, text: &str) -> Option<Ticket> {
    ring.check(&ShownTicket::parse(text)?)
}

proptest! {
    #[test]
    fn what_was_issued_is_read_again(numbers: [i64; 4], tail: Tail) {
        let vault = vault(1);
        let ring = ring(&vault, &[vault.new_data_key(TAIL)]);
        let issued = ticket(numbers, tail);
        let text = ring.issue(&issued);
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let shown = ShownTicket::parse(&text).expect("a ticket");
        prop_assert_eq!(shown.application(), issued.application);
        prop_assert_eq!(ring.check(&shown), Some(issued));
    }

    #[test]
    fn what_is_no_ticket_is_refused(text: String) {
        let vault = vault(1);
        let ring = ring(&vault, &[vault.new_data_key(TAIL)]);
        prop_assert_eq!(check(&ring, &text), None);
    }
}

#[test]
fn a_ticket_with_any_character_changed_is_refused() {
    let vault = vault(1);
    let ring = ring(&vault, &[vault.new_data_key(TAIL)]);
    let text = ring.issue(&ticket([1, 2, 3, 4], TAIL));
    assert!(check(&ring, &text).is_some());
    for place in 0..text.len() {
        for other in *b"AQgw-_09" {
            let mut changed = text.clone().into_bytes();
            if changed[place] == other {
                continue;
            }
            changed[place] = other;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(check(&ring, &changed), None, "{place}");
        }
    }
    for wrong in [&text[1..], &text[..text.len() - 1], &format!("{text}A")] {
        assert_eq!(check(&ring, wrong), None);
    }
}

#[test]
fn another_key_s_ticket_is_refused_and_a_new_key_changes_nothing() {
    let vault = vault(1);
    let sealed = [vault.new_data_key(TAIL), vault.new_data_key(TAIL)];
    let (first, both) = (ring(&vault, &sealed[..1]), ring(&vault, &sealed));
    let other = ring(&vault, &sealed[1..]);
    let issued = ticket([1, 2, 3, 4], TAIL);
    let before = first.issue(&issued);
    let after = both.issue(&issued);
    for ring in [&first, &both] {
        assert_eq!(check(ring, &before), Some(issued));
        assert_eq!(check(ring, &after), Some(issued));
    }
    assert_eq!(check(&other, &before), None);
    assert_eq!(check(&both, &other.issue(&issued)), Some(issued));
}

#[test]
fn a_ticket_s_key_makes_nothing_else() {
    let vault = vault(1);
    let key = data_key(&vault);
    let contents = b"some contents";
    let tag = key.ticket_tag(contents);
    assert_ne!(tag.as_ref(), &key.pseudonym(contents)[..]);
}

#[test]
fn a_ticket_is_not_printed() {
    let vault = vault(1);
    let ring = ring(&vault, &[vault.new_data_key(TAIL)]);
    let shown = ShownTicket::parse(&ring.issue(&ticket([1, 2, 3, 4], TAIL)));
    assert_eq!(format!("{:?}", shown.expect("a ticket")), "ShownTicket");
}
