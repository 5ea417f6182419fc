//! Names to addresses.
//!
//! A trait, so that simulation and tests answer as they like. The real one asks the system's name
//! servers and its hosts file through hickory, without the blocking thread pool that `getaddrinfo`
//! needs. What comes out is only a claim: [`Guard`](crate::Guard) judges it.

use std::error::Error;
use std::net::IpAddr;

use async_trait::async_trait;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, TokioResolver};

/// Finds the addresses of a host.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of a name in lower case, punycode and without the root's dot.
    ///
    /// # Errors
    /// [`ResolveError::NotFound`] if there is no such name or it has no address; the others may
    /// pass.
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError>;
}

/// A name that could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The name servers know no address for it.
    #[error("`{0}` has no address; check its spelling and its DNS records")]
    NotFound(String),
    /// The name servers could not be asked, or failed.
    #[error("the name servers gave no answer for `{name}`")]
    Failed {
        /// The name.
        name: String,
        /// What they said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("the name servers gave no answer for `{0}` in time")]
    TimedOut(String),
}

/// The system's resolver: `/etc/hosts`, then the name servers of `/etc/resolv.conf`.
#[derive(Debug, Clone)]
pub struct SystemResolver(TokioResolver);

impl SystemResolver {
    /// Reads the system's configuration, once. Without `/etc/resolv.conf` it asks a name server on
    /// this machine, as the C library does.
    ///
    /// # Errors
    /// The configuration is there and can't be used.
    pub fn from_system() -> Result<Self, ResolveError> {
        let failed = |cause: NetError| ResolveError::Failed {
            name: "/etc/resolv.conf".to_owned(),
            cause: cause.into(),
        };
        let (config, mut options) = match read_system_conf() {
            Err(NetError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                let local = NameServerConfig::udp_and_tcp(std::net::Ipv4Addr::LOCALHOST.into());
                (
                    ResolverConfig::from_parts(None, vec![], vec![local]),
                    ResolverOpts::default(),
                )
            }
            read => read.map_err(failed)?,
        };
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider).with_options(options);
        let mut resolver = builder.build().map_err(failed)?;
        match Hosts::from_system() {
            Ok(hosts) => resolver.set_hosts(hosts.into()),
            Err(error) => tracing::warn!(%error, "the hosts file can't be read and is left out"),
        }
        Ok(Self(resolver))
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let looked_up = self.0.lookup_ip(query_name(name)?).await.map_err(|error| {
            if error.is_no_records_found() {
                ResolveError::NotFound(name.to_owned())
            } else {
                ResolveError::Failed {
                    name: name.to_owned(),
                    cause: error.into(),
                }
            }
        })?;
        Ok(looked_up.iter().collect())
    }
}

/// A name with a dot is asked for as it is, never below a search domain: `hooks.example.com` must
/// not become `hooks.example.com.cluster.local`. A single label, which the policy lets through only
/// under a rule, may.
fn query_name(name: &str) -> Result<Name, ResolveError> {
    let mut query = Name::from_ascii(name).map_err(|error| ResolveError::Failed {
        name: name.to_owned(),
        cause: error.into(),
    })?;
    query.set_fqdn(name.contains('.'));
    Ok(query)
}

/// Answers every name with the same addresses: for explaining a verdict, and for tests.
#[derive(Debug, Clone)]
pub struct FixedResolver(pub Vec<IpAddr>);

#[async_trait]
impl Resolver for FixedResolver {
    async fn resolve(&self, _name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_labels_are_searched_for() {
        for (name, fqdn) in [
            ("hooks.example.com", true),
            ("my_hook_.example.com", true),
            ("receiver", false),
        ] {
            assert_eq!(query_name(name).expect(name).is_fqdn(), fqdn, "{name}");
        }
    }

    #[tokio::test]
    async fn hosts_file_is_read() {
        let resolver = SystemResolver::from_system().expect("the system's configuration");
        let addresses = resolver.resolve("localhost").await.expect("localhost");
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
        assert!(!addresses.is_empty());
    }
}
