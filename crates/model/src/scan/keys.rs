//! Private keys, keys of known services, and signed tokens: each is known by how it begins, and by
//! what and how much stands behind.

/// What may stand behind a beginning.
#[derive(Clone, Copy)]
enum Of {
    /// `A` to `Z` and digits.
    Upper,
    /// Hexadecimal digits.
    Hex,
    /// Letters and digits.
    Word,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
}

impl Of {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
        }
    }
}

/// The most that is looked at behind a beginning.
const LENGTH_MAX: usize = 512;

/// Beginnings, of what the rest is, and the fewest and most characters of it.
const API_KEYS: &[(&[u8], Of, usize, usize)] = &[
    (b"AIza", Of::Url, 35, 35),          // Google API key
    (b"AKIA", Of::Upper, 16, 16),        // AWS access key
    (b"ASIA", Of::Upper, 16, 16),        // AWS temporary access key
    (b"GOCSPX-", Of::Url, 28, 28),       // Google OAuth client secret
    (b"SG.", Of::Url, 22, 22),           // SendGrid, up to its second dot
    (b"dop_v1_", Of::Hex, 64, 64),       // DigitalOcean
    (b"gho_", Of::Word, 36, LENGTH_MAX), // GitHub: OAuth, personal, refresh, server, user
    (b"ghp_", Of::Word, 36, LENGTH_MAX),
    (b"ghr_", Of::Word, 36, LENGTH_MAX),
    (b"ghs_", Of::Word, 36, LENGTH_MAX),
    (b"ghu_", Of::Word, 36, LENGTH_MAX),
    (b"github_pat_", Of::Url, 22, LENGTH_MAX), // GitHub fine-grained
    (b"glpat-", Of::Url, 20, LENGTH_MAX),      // GitLab
    (b"hf_", Of::Word, 34, 40),                // Hugging Face
    (b"npm_", Of::Word, 36, 36),               // npm
    (b"pypi-AgEI", Of::Url, 50, LENGTH_MAX),   // PyPI
    (b"rk_live_", Of::Word, 16, LENGTH_MAX),   // Stripe restricted keys
    (b"rk_test_", Of::Word, 16, LENGTH_MAX),
    (b"shpat_", Of::Hex, 32, 32), // Shopify
    (b"shpss_", Of::Hex, 32, 32),
    (b"sk-ant-", Of::Url, 32, LENGTH_MAX),   // Anthropic
    (b"sk-proj-", Of::Url, 32, LENGTH_MAX),  // OpenAI
    (b"sk_live_", Of::Word, 16, LENGTH_MAX), // Stripe secret keys
    (b"sk_test_", Of::Word, 16, LENGTH_MAX),
    (b"whsec_", Of::Base64, 24, LENGTH_MAX), // webhook signing secrets
    (b"whsk_", Of::Base64, 43, LENGTH_MAX),
    (b"xapp-", Of::Url, 20, LENGTH_MAX), // Slack: app, bot, configuration, legacy, user
    (b"xoxa-", Of::Url, 20, LENGTH_MAX),
    (b"xoxb-", Of::Url, 20, LENGTH_MAX),
    (b"xoxe-", Of::Url, 20, LENGTH_MAX),
    (b"xoxp-", Of::Url, 20, LENGTH_MAX),
    (b"xoxr-", Of::Url, 20, LENGTH_MAX),
    (b"xoxs-", Of::Url, 20, LENGTH_MAX),
    (b"ya29.", Of::Url, 20, LENGTH_MAX), // Google OAuth access token
];

/// A part of a token is at least this long: `{"a":1}` in base64.
const JWT_PART_MIN: usize = 10;
/// How far behind `-----BEGIN ` the label ends, with its dashes.
const LABEL_MAX: usize = 40;
const DASHES: &[u8] = b"-----";

pub(super) fn private_key_is_in(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|after| {
        let bytes = after.as_bytes();
        let label = &bytes[..bytes.len().min(LABEL_MAX)];
        let end = label.windows(DASHES.len()).position(|part| part == DASHES);
        let label = &label[..end.unwrap_or(0)];
        label.ends_with(b"PRIVATE KEY") || label == b"PGP PRIVATE KEY BLOCK"
    })
}

pub(super) fn api_key_is_in(text: &str) -> bool {
    words(text.as_bytes()).any(|word| {
        API_KEYS.iter().any(|(beginning, of, least, most)| {
            let rest = word.strip_prefix(*beginning);
            rest.is_some_and(|rest| (*least..=*most).contains(&length(rest, *of)))
        })
    })
}

/// Three parts in base64, of which the first two are JSON objects: both begin with `{"`. The third
/// may be empty: it is unsigned.
pub(super) fn jwt_is_in(text: &str) -> bool {
    words(text.as_bytes()).any(|word| {
        let claims = after_object(word).and_then(after_object);
        claims.is_some()
    })
}

/// What stands behind such a part and its dot.
fn after_object(part: &[u8]) -> Option<&[u8]> {
    if !part.starts_with(b"eyJ") {
        return None;
    }
    let of_part = part.iter().take_while(|byte| Of::Url.has(**byte));
    let (part, rest) = part.split_at(of_part.count());
    (part.len() >= JWT_PART_MIN)
        .then_some(rest)?
        .strip_prefix(b".")
}

/// The text from each place on where a key or token could begin: not within a word.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begins = |at: &usize| {
        at.checked_sub(1)
            .is_none_or(|before| !Of::Url.has(text[before]))
    };
    (0..text.len()).filter(begins).map(|at| &text[at..])
}

/// How much of it there is; more than may be is as good as one more.
fn length(text: &[u8], of: Of) -> usize {
    let has = |byte: &&u8| of.has(**byte);
    text.iter().take(LENGTH_MAX).take_while(has).count()
}
