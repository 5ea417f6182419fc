//! Names to addresses.
//!
//! A trait, so that simulation and tests answer as they like. The real one asks the system's hosts
//! file and its name servers through hickory, without the blocking thread pool that `getaddrinfo`
//! needs. What comes out is only a claim: [`Guard`](crate::Guard) judges it.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup_ip::LookupIp;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
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

/// The system's resolver: `/etc/hosts`, then the name servers of `/etc/resolv.conf`. A name that is
/// in the hosts file stands for what it says there and for nothing else.
#[derive(Clone)]
pub struct SystemResolver {
    hosts: Arc<Hosts>,
    name_servers: TokioResolver,
}

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
        // hickory would look there for each family alone, and ask the servers for the other one.
        options.use_hosts_file = ResolveHosts::Never;
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider).with_options(options);
        let hosts = Hosts::from_system().unwrap_or_else(|error| {
            tracing::warn!(%error, "the hosts file can't be read and is left out");
            Hosts::default()
        });
        Ok(Self {
            hosts: hosts.into(),
            name_servers: builder.build().map_err(failed)?,
        })
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let query = query_name(name)?;
        let pinned = pinned(&self.hosts, &query);
        if !pinned.is_empty() {
            return Ok(pinned);
        }
        let looked_up = self.name_servers.lookup_ip(query).await.map_err(|error| {
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

/// What the hosts file says, of both families.
fn pinned(hosts: &Hosts, name: &Name) -> Vec<IpAddr> {
    [RecordType::A, RecordType::AAAA]
        .into_iter()
        .filter_map(|family| hosts.lookup_static_host(&Query::query(name.clone(), family)))
        .flat_map(LookupIp::from)
        .collect()
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

    #[test]
    fn name_in_the_hosts_file_has_no_other_addresses() {
        let file = "10.0.0.7 pinned.example.com alias\nfd00::7 both\n10.0.0.8 both # and more";
        let mut hosts = Hosts::default();
        hosts.read_hosts_conf(file.as_bytes()).expect("text");
        let table = [
            ("pinned.example.com", &["10.0.0.7"][..]),
            ("alias", &["10.0.0.7"]),
            ("both", &["10.0.0.8", "fd00::7"]),
            ("example.com", &[]),
        ];
        for (name, expected) in table {
            let found = pinned(&hosts, &query_name(name).expect(name));
            let found: Vec<String> = found.iter().map(IpAddr::to_string).collect();
            assert_eq!(found, expected, "{name}");
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
