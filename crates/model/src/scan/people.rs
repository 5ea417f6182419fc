//! Addresses of people: electronic mail, as it is written in practice.

/// The longest part before the `@`, and behind it (RFC 5321).
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

pub(super) fn address_is_in(text: &str) -> bool {
    let mut sides = text.match_indices('@');
    sides.any(|(at, _)| is_around(&text.as_bytes()[..at], &text.as_bytes()[at + 1..]))
}

/// Whether what is around an `@` can be an address.
fn is_around(before: &[u8], after: &[u8]) -> bool {
    let of_local =
        |byte: &&u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte);
    let local = before.iter().rev().take(LOCAL_MAX).take_while(of_local);
    let local = &before[before.len() - local.count()..];
    let of_domain = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let domain = after.iter().take(DOMAIN_MAX).take_while(of_domain);
    let domain = &after[..domain.count()];
    local.iter().any(u8::is_ascii_alphanumeric) && is_domain(domain)
}

fn is_domain(domain: &[u8]) -> bool {
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    let mut labels = domain.split(|byte| *byte == b'.').rev();
    let top = labels.next().unwrap_or_default();
    let is_label =
        |label: &[u8]| !label.is_empty() && !label.starts_with(b"-") && !label.ends_with(b"-");
    let mut others = labels.peekable();
    !is_of_picture(domain)
        && top.len() >= 2
        && top.iter().all(u8::is_ascii_alphabetic)
        && others.peek().is_some()
        && others.all(is_label)
}

/// Pictures for finer screens are called `name@2x.png`.
fn is_of_picture(domain: &[u8]) -> bool {
    matches!(domain, [digit, b'x', b'.', ..] if digit.is_ascii_digit())
}
