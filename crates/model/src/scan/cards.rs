//! Numbers of payment cards: 12 to 19 digits with a known beginning and the length that goes with
//! it, whose check digit is right (Luhn). Written in one, or in groups with a space or hyphen.

/// The longest number.
const DIGITS_MAX: usize = 19;
/// The longest group of a number that is written in groups, and of how many the first has.
const GROUP_MAX: usize = 7;
const FIRST_GROUP: usize = 4;

/// Beginnings, as a range of numbers of the same length, and how long the whole is.
const NETWORKS: &[(u32, u32, &[usize])] = &[
    (2_221, 2_720, &[16]),                             // Mastercard
    (300, 305, &[14, 16]),                             // Diners Club
    (34, 34, &[15]),                                   // American Express
    (3_528, 3_589, &[16, 17, 18, 19]),                 // JCB
    (36, 36, &[14, 16]),                               // Diners Club
    (37, 37, &[15]),                                   // American Express
    (38, 39, &[14, 16]),                               // Diners Club
    (4, 4, &[13, 16, 19]),                             // Visa
    (5_018, 5_018, &[12, 13, 14, 15, 16, 17, 18, 19]), // Maestro
    (5_020, 5_020, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5_038, 5_038, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (51, 55, &[16]),                                   // Mastercard
    (6_011, 6_011, &[16, 19]),                         // Discover
    (62, 62, &[16, 17, 18, 19]),                       // UnionPay
    (6_304, 6_304, &[12, 13, 14, 15, 16, 17, 18, 19]), // Maestro
    (644, 649, &[16, 19]),                             // Discover
    (65, 65, &[16, 19]),
    (6_759, 6_763, &[12, 13, 14, 15, 16, 17, 18, 19]), // Maestro
];

pub(super) fn is_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = group_end(bytes, at);
        if end == at {
            at += 1;
            continue;
        }
        // A number stands by itself: within a word or a fraction it is something else.
        if stands_before(bytes, at) && begins_at(bytes, at, end) {
            return true;
        }
        at = end;
    }
    false
}

fn group_end(bytes: &[u8], start: usize) -> usize {
    let digits = bytes[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    start + digits.count()
}

fn stands_before(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
}

fn stands_behind(bytes: &[u8], end: usize) -> bool {
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b'.'), Some(digit)) => !digit.is_ascii_digit(),
        (Some(byte), _) => !(byte.is_ascii_alphanumeric() || *byte == b'_'),
        (None, _) => true,
    }
}

/// Whether the group, alone or with those behind it, is a card's number.
fn begins_at(bytes: &[u8], start: usize, end: usize) -> bool {
    let first = end - start;
    if first > DIGITS_MAX {
        return false;
    }
    let mut digits = bytes[start..end].to_vec();
    if is_card(&digits) && stands_behind(bytes, end) {
        return true;
    }
    let separator = bytes.get(end).copied();
    if first != FIRST_GROUP || !matches!(separator, Some(b' ' | b'-')) {
        return false;
    }
    let mut at = end;
    while bytes.get(at).copied() == separator {
        let next = group_end(bytes, at + 1);
        digits.extend_from_slice(&bytes[at + 1..next.min(at + 1 + DIGITS_MAX)]);
        if !(1..=GROUP_MAX).contains(&(next - at - 1)) || digits.len() > DIGITS_MAX {
            return false;
        }
        if is_card(&digits) && stands_behind(bytes, next) {
            return true;
        }
        at = next;
    }
    false
}

fn is_card(digits: &[u8]) -> bool {
    NETWORKS.iter().any(|(from, to, lengths)| {
        let beginning = from.to_string().len();
        let number = digits.iter().take(beginning);
        let number = number.fold(0, |sum, digit| 10 * sum + u32::from(digit - b'0'));
        lengths.contains(&digits.len()) && (*from..=*to).contains(&number)
    }) && passes_luhn(digits)
        && digits.windows(2).any(|pair| pair[0] != pair[1])
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |sum, (place, digit)| {
            let digit = u32::from(digit - b'0');
            let doubled = if place % 2 == 1 { 2 * digit } else { digit };
            sum + doubled / 10 + doubled % 10
        });
    sum.is_multiple_of(10)
}
