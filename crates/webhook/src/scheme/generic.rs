//! A scheme that people describe themselves, for a sender that nothing here knows.

use std::str::FromStr;

use super::template::{Template, TemplateError};
use super::{Encoding, Hash, HmacScheme, Layout};
use crate::freshness::Written;

/// The longest prefix of a signature, and the longest name of its headers, in bytes.
const SHORT_TEXT_BYTES_MAX: usize = 128;
/// Where a signed id travels, and a signed time that has no header of its own.
pub(crate) const ID_HEADER: &str = "webhook-id";
const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// What such a scheme consists of, as it is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GenericScheme<'a> {
    /// The header that carries the signature.
    pub header: &'a str,
    /// `sha256`, `sha512` or `sha1`.
    pub hash: &'a str,
    /// `hex` or `base64`.
    pub encoding: &'a str,
    /// What stands before the digest in the header, such as `sha256=`. Mostly nothing.
    pub prefix: &'a str,
    /// What is signed: `{body}`, or more with `{id}` and `{timestamp}`. The id is that of the
    /// header `webhook-id`.
    pub template: &'a str,
    /// The header that carries a signed time; otherwise it is `webhook-timestamp`.
    pub timestamp_header: Option<&'a str>,
}

/// Why such a description is none. Each knows which part it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GenericError {
    /// [`GenericScheme::header`].
    #[error("the signature's header has to be a header's name of 1 to 128 characters")]
    Header,
    /// [`GenericScheme::hash`].
    #[error("the hash has to be `sha256`, `sha512` or `sha1`")]
    Hash,
    /// [`GenericScheme::encoding`].
    #[error("the encoding has to be `hex` or `base64`")]
    Encoding,
    /// [`GenericScheme::prefix`].
    #[error("the prefix has to be at most 128 visible ASCII characters")]
    Prefix,
    /// [`GenericScheme::template`].
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// [`GenericScheme::timestamp_header`].
    #[error("the time's header has to be a header's name, and not the signature's")]
    TimestampHeader,
    /// A time beside a signature that does not cover it: receivers would trust what anybody can
    /// change.
    #[error("a header for the time is only of use where the template holds `{{timestamp}}`")]
    UnsignedTime,
}

/// The part of a description that an error is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GenericPart {
    /// [`GenericScheme::header`].
    Header,
    /// [`GenericScheme::hash`].
    Hash,
    /// [`GenericScheme::encoding`].
    Encoding,
    /// [`GenericScheme::prefix`].
    Prefix,
    /// [`GenericScheme::template`].
    Template,
    /// [`GenericScheme::timestamp_header`].
    TimestampHeader,
}

impl GenericError {
    /// Which part it is about.
    pub fn part(self) -> GenericPart {
        match self {
            Self::Header => GenericPart::Header,
            Self::Hash => GenericPart::Hash,
            Self::Encoding => GenericPart::Encoding,
            Self::Prefix => GenericPart::Prefix,
            Self::Template(_) => GenericPart::Template,
            Self::TimestampHeader | Self::UnsignedTime => GenericPart::TimestampHeader,
        }
    }
}

impl HmacScheme {
    /// The scheme that is described so.
    pub fn generic(described: GenericScheme<'_>) -> Result<Self, GenericError> {
        let signed = Template::parse(described.template)?;
        if !is_header_name(described.header) {
            return Err(GenericError::Header);
        }
        if !is_prefix(described.prefix) {
            return Err(GenericError::Prefix);
        }
        let timestamp_header = described.timestamp_header;
        if timestamp_header.is_some() && !signed.has_timestamp() {
            return Err(GenericError::UnsignedTime);
        }
        let timestamp_header =
            timestamp_header.or(signed.has_timestamp().then_some(TIMESTAMP_HEADER));
        let is_usable =
            |name: &str| is_header_name(name) && !name.eq_ignore_ascii_case(described.header);
        if timestamp_header.is_some_and(|name| !is_usable(name)) {
            return Err(GenericError::TimestampHeader);
        }
        if signed.has_id() && described.header.eq_ignore_ascii_case(ID_HEADER) {
            return Err(GenericError::Header);
        }
        if signed.has_id()
            && timestamp_header.is_some_and(|name| name.eq_ignore_ascii_case(ID_HEADER))
        {
            return Err(GenericError::TimestampHeader);
        }
        Ok(Self {
            time: Written::Seconds,
            hash: described.hash.parse()?,
            encoding: described.encoding.parse()?,
            header: described.header.to_owned().into(),
            layout: Layout::Whole {
                prefix: described.prefix.to_owned().into(),
            },
            id_header: signed.has_id().then_some(ID_HEADER.into()),
            timestamp_header: timestamp_header.map(|name| name.to_owned().into()),
            signed,
        })
    }
}

impl FromStr for Hash {
    type Err = GenericError;

    fn from_str(text: &str) -> Result<Self, GenericError> {
        match text {
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(GenericError::Hash),
        }
    }
}

impl FromStr for Encoding {
    type Err = GenericError;

    fn from_str(text: &str) -> Result<Self, GenericError> {
        match text {
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err(GenericError::Encoding),
        }
    }
}

/// A token of RFC 9110, 5.6.2.
fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=SHORT_TEXT_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_token)
}

/// What a header's value may begin with, and still does when spaces around it are taken off.
fn is_prefix(prefix: &str) -> bool {
    let is_visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    prefix.len() <= SHORT_TEXT_BYTES_MAX
        && !prefix.starts_with(' ')
        && prefix.bytes().all(is_visible)
}
