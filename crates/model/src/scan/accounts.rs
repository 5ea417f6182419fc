//! International bank account numbers (ISO 13616): a country's letters and length, and the check
//! digits (modulo 97). Written in one, or in groups of four with a space.

/// How long a number is, by country: the registry's, and those of countries that use the form.
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 \
    DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 \
    HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 \
    MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 \
    RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 \
    VA22 VG24 XK20 YE30";

const GROUP: usize = 4;

pub(super) fn is_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !before.is_some_and(u8::is_ascii_alphanumeric)
    };
    (0..bytes.len())
        .filter(begins)
        .any(|at| begins_at(&bytes[at..]))
}

fn begins_at(bytes: &[u8]) -> bool {
    let [first, second, tens, ones, ..] = bytes else {
        return false;
    };
    if !(tens.is_ascii_digit() && ones.is_ascii_digit()) {
        return false;
    }
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let mut countries = LENGTHS.split(' ').map(|country| country.split_at(2));
    let Some((_, length)) = countries.find(|(code, _)| code.as_bytes() == country) else {
        return false;
    };
    let length = length.parse().expect("each country has a number");
    in_one(bytes, length) || in_groups(bytes, length)
}

fn in_one(bytes: &[u8], length: usize) -> bool {
    bytes.get(..length).is_some_and(is_account)
        && !bytes.get(length).is_some_and(u8::is_ascii_alphanumeric)
}

fn in_groups(bytes: &[u8], length: usize) -> bool {
    let mut number = Vec::with_capacity(length);
    let mut rest = bytes;
    while number.len() < length {
        let take = GROUP.min(length - number.len());
        let Some((group, after)) = rest.split_at_checked(take) else {
            return false;
        };
        number.extend_from_slice(group);
        rest = match after.strip_prefix(b" ") {
            Some(rest) => rest,
            None if number.len() == length => after,
            None => return false,
        };
    }
    // Behind the last group, a space is as good as the end.
    let ended = bytes.len() - rest.len();
    let is_space = ended > 0 && bytes[ended - 1] == b' ';
    is_account(&number) && (is_space || !rest.first().is_some_and(u8::is_ascii_alphanumeric))
}

fn is_account(number: &[u8]) -> bool {
    let (head, tail) = number.split_at(GROUP);
    let mut rest = 0_u32;
    for byte in tail.iter().chain(head) {
        let value = match char::from(*byte).to_digit(36) {
            Some(value) => value,
            None => return false,
        };
        rest = (if value < 10 { rest * 10 } else { rest * 100 } + value) % 97;
    }
    rest == 1
}
