//! What ids and keys promise.

use super::*;
use proptest::prelude::*;

/// A known KSUID of the format's authors, with their own decoding of it.
#[test]
fn a_published_ksuid_decodes_to_its_published_bytes() {
    let id: MessageId = "msg_0ujtsYcgvSTl8PAuAdqWYSMnLOv".parse().unwrap();
    assert_eq!(id.to_string(), "msg_0ujtsYcgvSTl8PAuAdqWYSMnLOv");
    assert_eq!(id.key().integer() as u64 >> 32, 107_608_047);
    let mut published = [0u8; 16];
    published.copy_from_slice(&0xB5A1_CD34_B5F9_9D11_54FB_6853_345C_9735u128.to_be_bytes());
    assert_eq!(
        id.key().integer() as u32,
        u32::from_be_bytes(published[..4].try_into().unwrap())
    );
    assert_eq!(id.tail(), published[4..]);
}

#[test]
fn malformed_ids_are_refused_with_what_would_be_right() {
    let cases = [
        (
            "app_0ujtsYcgvSTl8PAuAdqWYSMnLOv",
            ParseIdError::Prefix("msg_"),
        ),
        ("", ParseIdError::Prefix("msg_")),
        ("msg_", ParseIdError::Text("msg_")),
        ("msg_0ujtsYcgvSTl8PAuAdqWYSMnLO", ParseIdError::Text("msg_")),
        (
            "msg_0ujtsYcgvSTl8PAuAdqWYSMnLO-",
            ParseIdError::Text("msg_"),
        ),
        // 62^27 - 1 needs 161 bits.
        (
            "msg_zzzzzzzzzzzzzzzzzzzzzzzzzzz",
            ParseIdError::Text("msg_"),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<MessageId>().unwrap_err(), expected, "{text}");
    }
}

#[test]
fn a_clock_set_back_repeats_no_key() {
    let mut sequence = KeySequence::after(0, 0);
    let late: MessageKey = sequence.next(Timestamp::from_seconds(1_800_000_000));
    let early: MessageKey = sequence.next(Timestamp::from_seconds(1_700_000_000));
    assert!(early > late);
    let ahead = sequence.ahead_of(Timestamp::from_seconds(1_700_000_000));
    assert_eq!(ahead.as_secs(), 100_000_000);
}

#[test]
fn the_ends_of_time_have_keys_within_the_ends_of_keys() {
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    assert_eq!(MessageKey::first_at(first), MessageKey::MIN);
    assert!(MessageKey::first_at(last) < MessageKey::MAX);
    let mut sequence = KeySequence::after(0, 0);
    let mut before: MessageKey = sequence.next(last);
    for _ in 0..20_000 {
        let next = sequence.next(last);
        assert!(next > before);
        before = next;
    }
}

#[test]
fn a_full_counter_moves_on_to_the_next_step_and_keeps_the_slot() {
    let now = Timestamp::from_seconds(1_800_000_000);
    let mut sequence = KeySequence::after(5, 0);
    let mut last = MessageKey::MIN;
    for _ in 0..40_000 {
        let next = sequence.next(now);
        assert!(next > last);
        assert_eq!((next.integer() >> 14) & 0x3ff, 5);
        last = next;
    }
}

/// Any number, the ends of the range as often as not.
fn any_integer() -> impl Strategy<Value = i64> {
    let near_an_end = prop_oneof![
        (0i64..1_000).prop_map(|n| i64::MAX - n),
        (0i64..1_000).prop_map(|n| i64::MIN + n),
    ];
    prop_oneof![any::<i64>(), near_an_end]
}

proptest! {
    #[test]
    fn ids_survive_their_text(key in 0i64.., tail: [u8; 12]) {
        let id = MessageId::new(Key::from_integer(key), tail);
        prop_assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
    }

    #[test]
    fn no_number_is_too_far_out_for_a_key(
        last in any_integer(),
        slot: u16,
        micros in any_integer(),
    ) {
        let now = Timestamp::from_micros(micros);
        let first = MessageKey::first_at(now);
        prop_assert!(first >= MessageKey::MIN && first < MessageKey::MAX);
        prop_assert!(first.time() <= now || first == MessageKey::MIN);
        let _ = MessageKey::from_integer(last).time();

        let mut sequence = KeySequence::after(slot, last);
        let _ = sequence.ahead_of(now);
        let next: MessageKey = sequence.next(now);
        let after: MessageKey = sequence.next(now);
        if last < i64::MAX - (2 << 32) {
            prop_assert!(after > next && next >= MessageKey::MIN);
        } else {
            let today = Timestamp::from_seconds(1_800_000_000);
            prop_assert!(KeySequence::after(slot, last).ahead_of(today).as_secs() > 60);
        }
    }

    #[test]
    fn text_order_is_key_order(a in 0i64.., b in 0i64.., tail: [u8; 12]) {
        let text = |key| MessageId::new(Key::from_integer(key), tail).to_string();
        prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
    }

    #[test]
    fn keys_only_grow_whatever_the_clock_does(
        seconds in prop::collection::vec(1_500_000_000i64..2_000_000_000, 1..50),
    ) {
        let mut sequence = KeySequence::after(0, 0);
        let mut last = MessageKey::MIN;
        for second in seconds {
            let next = sequence.next(Timestamp::from_seconds(second));
            prop_assert!(next > last);
            last = KeySequence::after(0, next.integer()).next(Timestamp::MIN);
            prop_assert!(last > next);
            sequence = KeySequence::after(0, last.integer());
        }
    }

    #[test]
    fn a_key_tells_its_time_to_four_milliseconds(
        micros in 1_400_000_000_000_000i64..3_000_000_000_000_000,
    ) {
        let time = Timestamp::from_micros(micros);
        let key = MessageKey::first_at(time);
        prop_assert!(time.since(key.time()).as_micros() < 4_000);
        prop_assert!(KeySequence::after(0, 0).next::<MessageKind>(time) >= key);
    }
}
