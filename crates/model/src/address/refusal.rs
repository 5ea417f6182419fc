//! Why a URL or an address is refused.
//!
//! Two readers: the operator gets the whole reason, from `Display`; the tenant gets
//! [`Refusal::for_tenant`], which helps with what can be read off the URL and says nothing about
//! the network that Postrider stands in.

use std::borrow::Cow;
use std::net::IpAddr;

use super::URL_BYTES_MAX;

/// The reason for refusing a URL or an address, worded for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than [`URL_BYTES_MAX`].
    #[error("the URL is longer than {URL_BYTES_MAX} bytes")]
    TooLong,
    /// A character that parsers treat differently or drop.
    #[error("the URL holds the character {0:?}; percent-encode it, or leave it out")]
    Character(char),
    /// Not a URL by the WHATWG standard.
    #[error("not a valid absolute URL ({0}); write https://HOST/PATH")]
    NotAUrl(url::ParseError),
    /// Neither https nor http.
    #[error("the scheme `{0}` can't be delivered to; use https")]
    Scheme(String),
    /// http, where it isn't enabled.
    #[error("plain http is not enabled here; use https")]
    PlainHttp,
    /// Not exactly `//` after the scheme.
    #[error("write exactly two slashes after the scheme, as in https://HOST/PATH")]
    Slashes,
    /// More than one `@` before the host.
    #[error(
        "the URL has more than one `@` before its host; percent-encode those of the password as %40"
    )]
    Userinfo,
    /// A host in a form that programs read differently.
    #[error(
        "the host is written in an ambiguous form; write it as `{0}`, if that is what is meant"
    )]
    HostSpelling(String),
    /// Not a name that DNS can hold.
    #[error("`{0}` is no host name; labels are 1 to 63 of a-z, 0-9, `_` and, inside, `-`")]
    HostName(String),
    /// A port of another protocol, or zero.
    #[error("port {0} belongs to another protocol; use 443, or one above 1023")]
    Port(u16),
    /// A name that only means something inside a private network.
    #[error(
        "`{0}` is a name of a private network; to open it, allow each address that it stands for"
    )]
    PrivateName(String),
    /// An address that is not publicly routable, or one of this installation's own.
    #[error("{address} is refused: {block}; to open it, allow its address")]
    Address {
        /// The address, IPv4 where it was IPv4 inside IPv6.
        address: IpAddr,
        /// The block that closes it.
        block: &'static str,
    },
    /// A private name that stands for a public address.
    #[error(
        "`{name}` is a name of a private network, and no rule opens {address}, which it stands for"
    )]
    NotOpened {
        /// The name.
        name: String,
        /// The address that no rule opens.
        address: IpAddr,
    },
    /// A name without addresses.
    #[error("`{0}` stands for no address")]
    NoAnswer(String),
}

impl Refusal {
    /// The one text for everything that is refused because of where it leads.
    pub const UNIFORM: &'static str =
        "requests to this IP range are blocked (see the server configuration)";

    /// What a tenant may read. A fault in the URL's own text is explained; whatever depends on
    /// names and addresses gets [`Refusal::UNIFORM`], so that nobody can map a network by
    /// registering endpoints.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        match self {
            Self::PrivateName(_)
            | Self::Address { .. }
            | Self::NotOpened { .. }
            | Self::NoAnswer(_) => Cow::Borrowed(Self::UNIFORM),
            Self::TooLong
            | Self::Character(_)
            | Self::NotAUrl(_)
            | Self::Scheme(_)
            | Self::PlainHttp
            | Self::Slashes
            | Self::Userinfo
            | Self::HostSpelling(_)
            | Self::HostName(_)
            | Self::Port(_) => Cow::Owned(self.to_string()),
        }
    }
}
