//! What receivers showed of themselves: what one was last verified by, from its own certificate to
//! the root, and what an attempt's connection showed, as people are told of them. Public, and
//! nothing is decided by it: pins are compared when a connection is made.

use crate::clock::Timestamp;
use crate::endpoint::StoredFormError;
use crate::pin::Pin;
use crate::texts;
use url::Url;

const WRONG: StoredFormError = StoredFormError::new("certificates seen");

/// The form below. Another one would have another number.
const VERSION: &str = "1";

/// A verified path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenChain {
    /// Whose it was: a URL without a path.
    pub origin: String,
    /// When.
    pub at: Timestamp,
    /// First the receiver's own.
    pub certificates: Vec<SeenCertificate>,
}

/// A certificate of it. Its names were chosen by whoever issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCertificate {
    /// Of its key.
    pub pin: Pin,
    /// Whom it is for.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// When it ends, where that is known.
    pub not_after: Option<Timestamp>,
}

impl SeenChain {
    /// Whether it is of whom this URL leads to.
    pub fn is_of(&self, url: &str) -> bool {
        let origin = |text| Url::parse(text).ok().map(|url| url.origin());
        origin(url).is_some_and(|of| origin(&self.origin) == Some(of))
    }

    /// The bytes that are stored.
    pub fn to_stored(&self) -> Vec<u8> {
        let at = texts::of_time(self.at);
        let mut all = vec![VERSION.to_owned(), self.origin.clone(), at];
        all.extend(self.certificates.iter().flat_map(SeenCertificate::texts));
        texts::to_stored(&all)
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let all = texts::from_stored(stored).ok_or(WRONG)?;
        let [VERSION, origin, at, certificates @ ..] = &all[..] else {
            return Err(WRONG);
        };
        Ok(Self {
            origin: (*origin).to_owned(),
            at: texts::time(at).ok_or(WRONG)?,
            certificates: read_all(certificates)?,
        })
    }
}

/// The certificates that a connection showed, ready to be stored: once for all attempts that were
/// made over such connections, which name them by their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownChain {
    /// The begin of the digest of `stored`: equal chains have equal keys.
    pub key: i64,
    /// First the receiver's own, as [`Self::certificates`] reads them.
    pub stored: Vec<u8>,
}

impl ShownChain {
    /// Of certificates, the receiver's own first, with a digest that nobody can find another text
    /// for, such as SHA-256.
    pub fn new(certificates: &[SeenCertificate], digest: impl FnOnce(&[u8]) -> [u8; 32]) -> Self {
        let mut all = vec![VERSION.to_owned()];
        all.extend(certificates.iter().flat_map(SeenCertificate::texts));
        let stored = texts::to_stored(&all);
        let [a, b, c, d, e, f, g, h, ..] = digest(&stored);
        Self {
            key: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            stored,
        }
    }

    /// Reads what is stored of one.
    ///
    /// # Errors
    /// It is something else.
    pub fn certificates(stored: &[u8]) -> Result<Vec<SeenCertificate>, StoredFormError> {
        let all = texts::from_stored(stored).ok_or(WRONG)?;
        match &all[..] {
            [VERSION, certificates @ ..] => read_all(certificates),
            _ => Err(WRONG),
        }
    }
}

impl SeenCertificate {
    fn texts(&self) -> [String; 4] {
        [
            self.pin.to_string(),
            self.subject.clone(),
            self.issuer.clone(),
            self.not_after.map(texts::of_time).unwrap_or_default(),
        ]
    }
}

fn read_all(texts: &[&str]) -> Result<Vec<SeenCertificate>, StoredFormError> {
    texts.chunks(4).map(certificate).collect()
}

fn certificate(texts: &[&str]) -> Result<SeenCertificate, StoredFormError> {
    let [pin, subject, issuer, end] = texts else {
        return Err(WRONG);
    };
    Ok(SeenCertificate {
        pin: pin.parse().map_err(|_| WRONG)?,
        subject: (*subject).to_owned(),
        issuer: (*issuer).to_owned(),
        not_after: Some(end)
            .filter(|end| !end.is_empty())
            .map(|end| texts::time(end).ok_or(WRONG))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Told = ([u8; 32], String, String, Option<i64>);

    fn certificate((digest, subject, issuer, end): Told) -> SeenCertificate {
        SeenCertificate {
            pin: Pin::new(digest),
            subject: subject.replace('\0', " "),
            issuer: issuer.replace('\0', " "),
            not_after: end.map(Timestamp::from_micros),
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(told: Vec<Told>, at: i64) {
            let chain = SeenChain {
                origin: "https://a.example:8443".to_owned(),
                at: Timestamp::from_micros(at),
                certificates: told.into_iter().map(certificate).collect(),
            };
            prop_assert_eq!(SeenChain::from_stored(&chain.to_stored()), Ok(chain));
        }

        #[test]
        fn what_was_shown_is_read_again(told: Vec<Told>) {
            let certificates: Vec<_> = told.into_iter().map(certificate).collect();
            let shown = ShownChain::new(&certificates, |_| [0xff; 32]);
            prop_assert_eq!(shown.key, -1);
            prop_assert_eq!(ShownChain::certificates(&shown.stored), Ok(certificates));
        }

        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            let _ = SeenChain::from_stored(&bytes);
            let _ = ShownChain::certificates(&bytes);
        }
    }

    #[test]
    fn it_is_of_an_origin_whatever_the_path() {
        let chain = SeenChain {
            origin: "https://a.example:443".to_owned(),
            at: Timestamp::default(),
            certificates: Vec::new(),
        };
        for (url, is_of) in [
            ("https://a.example/in?x=1", true),
            ("https://A.example:443", true),
            ("https://a.example:8443/in", false),
            ("http://a.example/in", false),
            ("https://b.example/in", false),
            ("nothing", false),
        ] {
            assert_eq!(chain.is_of(url), is_of, "{url}");
        }
    }

    #[test]
    fn a_name_can_not_pass_for_another_field() {
        let mut chain = SeenChain {
            origin: String::new(),
            at: Timestamp::default(),
            certificates: vec![certificate(Default::default())],
        };
        chain.certificates[0].subject = "CN=a\0b".to_owned();
        let read = SeenChain::from_stored(&chain.to_stored()).expect("its own form");
        assert_eq!(read.certificates[0].subject, "CN=a b");
        for other in [
            &b""[..],
            b"1",
            b"2\0a\x000",
            b"1\0a\x000\0pin",
            b"1\0a\0when",
        ] {
            assert!(SeenChain::from_stored(other).is_err(), "{other:?}");
        }
    }
}
