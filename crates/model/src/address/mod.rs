//! Where Postrider may send: the address policy.
//!
//! A tenant chooses the URLs that Postrider calls, so every URL is an attempt to reach something
//! that only Postrider can reach. [`AddressPolicy`] judges it three times: the text
//! ([`AddressPolicy::check_url`]), each address that the host stands for
//! ([`AddressPolicy::check_address`]), and a resolver's whole answer
//! ([`AddressPolicy::check_answers`]), where one refused address spoils the set.
//!
//! By default only `https`, public names and publicly routable addresses pass. The operator's
//! [`AllowRule`]s open more, by address and never by name: a name of a private network is taken
//! only where every address it stands for is opened by a rule, so that what a rule opens does not
//! depend on who answers for a name.
//!
//! Pure: it resolves nothing and connects to nothing. The `transport` crate asks it before each
//! connection.

mod checked_url;
mod name;
mod network;
mod refusal;
mod rule;
mod special;
mod spelling;

pub use checked_url::{CheckedUrl, Host, credentials};
pub use network::{neighbourhood, network};
pub use refusal::Refusal;
pub use rule::{AllowRule, AllowRuleError};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use name::NameKind;
use url::Url;

/// The longest URL that is accepted, in bytes, as it is written and as it is stored.
pub const URL_BYTES_MAX: usize = 16_384;

/// What the operator allows beyond the public internet over https. The default allows nothing
/// beyond it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Accept `http://` URLs too.
    pub allow_http: bool,
    /// Addresses that are open although the registries of special addresses close them.
    pub allow: Vec<AllowRule>,
    /// This installation's own public addresses, refused so that it never delivers to itself.
    pub own_addresses: Vec<IpAddr>,
}

impl AddressPolicy {
    /// The policy for a developer's machine: plain http and loopback are open, nothing else is.
    pub fn development() -> Self {
        let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        let v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
        let allow = [IpNet::V4(v4), IpNet::V6(v6)];
        Self {
            allow_http: true,
            allow: allow.map(|net| AllowRule { net, port: None }).into(),
            own_addresses: Vec::new(),
        }
    }

    /// Judges a URL by its text alone, as a tenant wrote it.
    ///
    /// # Errors
    /// The first reason found for refusing it. A host that is a name may still be refused later, by
    /// what it resolves to: see [`AddressPolicy::check_answers`].
    pub fn check_url(&self, raw: &str) -> Result<CheckedUrl, Refusal> {
        spelling::check_length(raw)?;
        spelling::check_characters(raw)?;
        let url = Url::parse(raw).map_err(Refusal::NotAUrl)?;
        // It is stored as it was parsed, percent-encoded, and judged again as it is stored.
        spelling::check_length(url.as_str())?;
        self.check_scheme(url.scheme())?;
        spelling::check_host(raw, &url)?;
        let port = url.port_or_known_default().ok_or(Refusal::Port(0))?;
        if special::is_port_of_another_protocol(port) {
            return Err(Refusal::Port(port));
        }
        let host = self.check_host(&url, port)?;
        Ok(CheckedUrl::new(url, host, port))
    }

    /// Judges one address that a connection would be made to. IPv4 inside IPv6 (`::ffff:a.b.c.d`)
    /// is judged as the IPv4 address that it is on the wire.
    ///
    /// # Errors
    /// [`Refusal::Address`], with the block that closes it.
    pub fn check_address(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        let address = address.to_canonical();
        if self.is_opened(address, port) {
            return Ok(());
        }
        let own = self.own_addresses.contains(&address);
        let block = if own {
            Some("an address of this installation")
        } else {
            special::block_of(address)
        };
        match block {
            Some(block) => Err(Refusal::Address { address, block }),
            None => Ok(()),
        }
    }

    /// Judges everything that a resolver answered for the URL's host, as one: a single refused
    /// address refuses the whole, or whoever answers for the name could mix a private address among
    /// public ones.
    ///
    /// # Errors
    /// [`Refusal::Address`] for an address that is closed, [`Refusal::NotOpened`] for one that is
    /// public but stands behind a private name, [`Refusal::NoAnswer`] for none at all.
    pub fn check_answers(&self, url: &CheckedUrl, answers: &[IpAddr]) -> Result<(), Refusal> {
        if answers.is_empty() {
            return Err(Refusal::NoAnswer(url.host_text().to_owned()));
        }
        let by_rule_only = matches!(url.host(), Host::Name { private: true });
        for &address in answers {
            self.check_address(address, url.port())?;
            if by_rule_only && !self.is_opened(address.to_canonical(), url.port()) {
                let name = url.host_text().to_owned();
                return Err(Refusal::NotOpened { name, address });
            }
        }
        Ok(())
    }

    fn check_scheme(&self, scheme: &str) -> Result<(), Refusal> {
        match scheme {
            "https" => Ok(()),
            "http" if self.allow_http => Ok(()),
            "http" => Err(Refusal::PlainHttp),
            other => Err(Refusal::Scheme(other.to_owned())),
        }
    }

    fn check_host(&self, url: &Url, port: u16) -> Result<Host, Refusal> {
        let literal = match url.host() {
            Some(url::Host::Domain(name)) => return self.check_name(name, port),
            Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
            Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
            None => return Err(Refusal::NotAUrl(url::ParseError::EmptyHost)),
        };
        self.check_address(literal, port)?;
        Ok(Host::Address(literal))
    }

    fn check_name(&self, name: &str, port: u16) -> Result<Host, Refusal> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let closed = || Refusal::PrivateName(name.to_owned());
        match name::kind(name).ok_or_else(|| Refusal::HostName(name.to_owned()))? {
            NameKind::Public => Ok(Host::Name { private: false }),
            NameKind::Loopback => {
                let opened = self.opened_loopback(port);
                if opened.is_empty() {
                    Err(closed())
                } else {
                    Ok(Host::Loopback(opened))
                }
            }
            NameKind::Private if self.allow.is_empty() => Err(closed()),
            NameKind::Private => Ok(Host::Name { private: true }),
            NameKind::Never => Err(closed()),
        }
    }

    /// `localhost` means these two by definition (RFC 6761), so no resolver is asked, and where
    /// only one of them is open, it means that one.
    fn opened_loopback(&self, port: u16) -> Vec<IpAddr> {
        [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]
        .into_iter()
        .filter(|&address| self.is_opened(address, port))
        .collect()
    }

    /// Whether a rule opens this address. What a wide rule must not open by accident (metadata
    /// services, link-local, this installation itself) is opened by a rule for that one address
    /// only.
    fn is_opened(&self, address: IpAddr, port: u16) -> bool {
        let one_by_one =
            special::opens_one_by_one(address) || self.own_addresses.contains(&address);
        let opens =
            |rule: &AllowRule| rule.covers(address, port) && (!one_by_one || rule.is_exact());
        self.allow.iter().any(opens)
    }
}

#[cfg(test)]
mod tests;
