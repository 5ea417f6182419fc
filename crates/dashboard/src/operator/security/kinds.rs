//! What each kind of security event means, and what to do about it: as `docs/security-events.md`
//! has it, which a test holds equal.

use model::security::SecurityKind;

/// What happened, and what to do.
pub(super) fn explained(kind: SecurityKind) -> (&'static str, &'static str) {
    let mut all = EXPLAINED.iter();
    let found = all.find(|(own, _, _)| *own == kind);
    let (_, means, advice) = found.expect("every kind is in the table, which a test holds");
    (means, advice)
}

const EXPLAINED: &[(SecurityKind, &str, &str)] = &[
    (
        SecurityKind::IngestSignatureInvalid,
        "what came to a source was not signed with its secret, or came for a source that \
         isn't there",
        "many from one address: somebody forges or guesses; from the provider itself: its \
         secret was changed there and not here",
    ),
    (
        SecurityKind::IngestTimestampStale,
        "what came to a source was genuine, and signed too long ago or in the future",
        "a clock is wrong, here or there; or somebody sends again what they have seen",
    ),
    (
        SecurityKind::IngestReplayed,
        "what came to a source came before, with another id, or with the same id and other \
         content",
        "somebody sends again what they have seen; with other content, ask the sender",
    ),
    (
        SecurityKind::IngestCredentialsInvalid,
        "what came to a source lacked its credentials, its client certificate, or an address \
         that is allowed",
        "many from one address: somebody guesses; from the provider itself: it may have new \
         addresses",
    ),
    (
        SecurityKind::IngestMalformed,
        "what came to a source can't be read as what it should be",
        "nothing, unless it is your own sender",
    ),
    (
        SecurityKind::IngestTooLarge,
        "what came to a source was longer than payload_bytes_max",
        "raise that, if it was meant",
    ),
    (
        SecurityKind::IngestDecryptionFailed,
        "what came to a source was not encrypted to one of its keys as it should be",
        "the sender has another key, or encrypts nothing",
    ),
    (
        SecurityKind::IngestRateLimited,
        "more came to a source than its rateLimit, or too much from one address was refused",
        "from the sender itself: raise the limit, if it was meant, since refused senders try \
         again; from strangers: nothing, they are kept out; gateway.md says more",
    ),
    (
        SecurityKind::DestinationBlocked,
        "an endpoint's host, or that of its token server, led to an address that is not \
         allowed",
        "an internal host that you meant: --allow-destination; else ask the endpoint's owner, \
         it may be an attempt to reach inside",
    ),
    (
        SecurityKind::CertificateInvalid,
        "an endpoint's certificate, or its token server's, did not verify; nothing was sent",
        "its owner renews it; if they did nothing, somebody may be in between",
    ),
    (
        SecurityKind::PinMismatch,
        "a receiver's certificates verified, and none is pinned; nothing was sent, but with \
         the mode report",
        "its owner says whether the key was changed: pin the new one; if it was not, somebody \
         is in between",
    ),
    (
        SecurityKind::CertificateExpiring,
        "a certificate ends within 30, 7 or 1 days: a receiver's, a client certificate of \
         ours, or the API's",
        "renew it",
    ),
    (
        SecurityKind::EncryptionUnavailable,
        "there was no key to encrypt a payload to: the receiver's key set could not be had, \
         or has none that fits; nothing was sent",
        "its owner mends the key set; if its URL leads elsewhere by now, ask who changed it",
    ),
    (
        SecurityKind::PolicyUnmet,
        "an endpoint lacks what the operator demands, and gets nothing that it is demanded \
         for",
        "its owner sets it; or the policy asks too much: policy.md",
    ),
    (
        SecurityKind::SensitiveData,
        "an accepted payload has what should not be in one, such as a card number, where \
         scanPayloads is report",
        "leave it out where the payload is made, or redact it: redaction.md",
    ),
    (
        SecurityKind::AuthenticationFailed,
        "a request to the API, or an attempt to sign in, had no token or link, or none that is good",
        "many from one address: somebody is guessing, block it; from your own: an old token \
         is still in use",
    ),
    (
        SecurityKind::RevokedKeyUsed,
        "a token or an API key was used that had been revoked, or ended early",
        "whoever has it should not: find out where it leaked, and whether other secrets were \
         there",
    ),
    (
        SecurityKind::ClockSkew,
        "more than half of at least three receivers say by their Date headers that a node's \
         clock runs apart from theirs by over 30 s",
        "look at the node's time synchronisation: receivers refuse signatures that are too \
         old or too new",
    ),
    (
        SecurityKind::SecretRead,
        "a signing secret was shown",
        "if its owner did not ask for it, look at who has the application's tokens",
    ),
    (
        SecurityKind::SecretRotated,
        "a signing secret, or what an endpoint's requests are authenticated with, was \
         replaced",
        "if its owner did not, look at who has the application's tokens",
    ),
    (
        SecurityKind::EndpointCreated,
        "an endpoint was made",
        "if its application does not know of it, look at who has its tokens",
    ),
    (
        SecurityKind::EndpointUrlChanged,
        "an endpoint's URL was changed",
        "if its owner did not, look at who has the application's tokens",
    ),
    (
        SecurityKind::EndpointDisabled,
        "an endpoint kept failing, or answered 410",
        "tell its owner; enable it when it is mended",
    ),
    (
        SecurityKind::TrafficAnomaly,
        "a rule of detection found something far from usual: its description begins with the \
         rule's name",
        "what stands beside the rule in monitoring.md",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A cell's text without its marks.
    fn plain(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, link)) = rest.split_once('[') {
            let (words, behind) = link.split_once("](").expect("brackets are links");
            plain.extend([before, words]);
            rest = behind.split_once(')').expect("links end").1;
        }
        plain.push_str(rest);
        plain.trim().replace('`', "")
    }

    #[test]
    fn every_kind_is_explained_as_the_document_has_it() {
        let document = include_str!("../../../../../docs/security-events.md");
        for kind in SecurityKind::ALL {
            let begin = format!("| `{}` |", kind.as_str());
            let row = document.lines().find(|line| line.starts_with(&begin));
            let row = row.unwrap_or_else(|| panic!("{} is not documented", kind.as_str()));
            let cells: Vec<_> = row.split('|').map(plain).collect();
            let (means, advice) = explained(*kind);
            assert_eq!(cells[2], kind.severity().as_str(), "{row}");
            assert_eq!((cells[3].as_str(), cells[4].as_str()), (means, advice));
        }
    }
}
