//! Host names that lead into private networks.
//!
//! A name is judged whatever it resolves to: these never name a host of the public internet, so a
//! query for them only tells a stranger's resolver about the network inside. Lists by RFC 6761,
//! 6762 (appendix G), 7686, 8375 and ICANN's reservation of `internal`.

/// What a name can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    /// A name of the public DNS.
    Public,
    /// `localhost` and below.
    Loopback,
    /// One label, or below a suffix that private networks use.
    Private,
    /// Must not be looked up at all.
    Never,
}

const PRIVATE_SUFFIXES: [&str; 14] = [
    "local",
    "localdomain",
    "internal",
    "home.arpa",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "svc",
    "test",
    "invalid",
    "in-addr.arpa",
    "ip6.arpa",
];

/// The kind of a name in lower case without the root's dot; none where it can't be a DNS name.
pub(super) fn kind(name: &str) -> Option<NameKind> {
    if name.len() > 253 || !name.split('.').all(is_label) {
        return None;
    }
    Some(if is_below(name, "localhost") {
        NameKind::Loopback
    } else if is_below(name, "onion") {
        NameKind::Never
    } else if !name.contains('.') || PRIVATE_SUFFIXES.iter().any(|suffix| is_below(name, suffix)) {
        NameKind::Private
    } else {
        NameKind::Public
    })
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let inside = !label.starts_with('-') && !label.ends_with('-');
    inside && (1..=63).contains(&label.len()) && label.bytes().all(allowed)
}

fn is_below(name: &str, suffix: &str) -> bool {
    let before = name.strip_suffix(suffix);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
