//! The identity provider (OpenID Connect) that people sign in to the operator's pages by: options,
//! and in the file `[oidc.roles]` and `[oidc.emails]`, which say who may do what. Nobody may
//! anything without them, and so they have to be there.

use super::checked::{ConfigError, wrong};
use super::file::{nearest, wrong_type};
use super::options::{Options, Written};
use dashboard::{CALLBACK, RoleRule, place_of};
use model::address::{AddressPolicy, AllowRule};
use model::role::Role;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toml::Value;
use transport::fetch_target;
use url::Url;

/// The key of the file under which the rule is.
pub(super) const KEY: &str = "oidc";
const ROLES: &str = "roles";
const EMAILS: &str = "emails";
const CLAIM: &str = "claim";
/// What is asked for unless something else is said.
const SCOPE: &str = "email";
/// Claims that say who somebody is, not what they belong to.
const NAMING: [&str; 6] = [
    "sub",
    "email",
    "email_verified",
    "name",
    "preferred_username",
    "nickname",
];

/// The provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oidc {
    /// As it calls itself.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    /// As they were given.
    pub(crate) hosts: Vec<String>,
    /// Where people are sent back to, where it is not below the public URL.
    pub(crate) redirect_url: Option<String>,
    /// Of the file alone.
    pub(crate) rule: RoleRule,
    /// The issuer's host, and those that are listed.
    urls: Vec<Url>,
}

impl Oidc {
    /// Checks the options. `has_secret`: there is one, somewhere.
    pub(super) fn from_options(
        options: &Options,
        has_secret: bool,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(issuer) = &options.oidc_issuer else {
            let others = [
                options.oidc_client_id.is_some(),
                options.oidc_scope.is_some(),
                options.oidc_host.is_some(),
                options.oidc_redirect_url.is_some(),
                has_secret,
            ];
            return match others.contains(&true) {
                true => Err(wrong("oidc_issuer")(
                    "it names the identity provider, and other `oidc_…` options are of no use \
                     without it: https://HOST[/PATH], as the provider calls itself",
                )),
                false => Ok(None),
            };
        };
        let Some(client_id) = options.oidc_client_id.clone() else {
            let reason = "`oidc_issuer` is of no use without it: say what this server is called \
                          at the identity provider";
            return Err(wrong("oidc_client_id")(reason));
        };
        let hosts = options.oidc_host.clone().unwrap_or_default();
        let mut urls = vec![issuer_url(issuer).map_err(wrong("oidc_issuer"))?];
        for host in &hosts {
            urls.push(host_url(host).map_err(wrong("oidc_host"))?);
        }
        let scopes = options.oidc_scope.clone();
        let oidc = Self {
            issuer: issuer.clone(),
            client_id,
            scopes: scopes.unwrap_or_else(|| vec![SCOPE.to_owned()]),
            hosts,
            redirect_url: redirect_url(options)?,
            rule: RoleRule::default(),
            urls,
        };
        fetch_target(issuer, &oidc.policy()).map_err(wrong("oidc_issuer"))?;
        Ok(Some(oidc))
    }

    /// With what the file says of who may do what.
    pub(super) fn ruled(oidc: Option<Self>, rule: RoleRule) -> Result<Option<Self>, ConfigError> {
        match oidc {
            Some(_) if rule.is_empty() => Err(wrong("oidc_issuer")(
                "nobody who signs in by it would have a role: say in the configuration file who \
                 is admin, operator or viewer, as [oidc.roles] by a claim or as [oidc.emails] by \
                 their addresses",
            )),
            None if !rule.is_empty() => Err(wrong("oidc_issuer")(
                "[oidc] in the configuration file is of no use without it: name the identity \
                 provider",
            )),
            oidc => Ok(oidc.map(|oidc| Self { rule, ..oidc })),
        }
    }

    /// Who may be asked.
    pub(crate) fn places(&self) -> Vec<String> {
        self.urls.iter().filter_map(place_of).collect()
    }

    /// What may be called: the ports of those who are named, wherever their names lead, since the
    /// operator chose them. Whom a request leads to is looked at before.
    pub(crate) fn policy(&self) -> AddressPolicy {
        let rules = self.urls.iter().flat_map(|url| {
            let port = url.port_or_known_default().unwrap_or_default();
            match url.host() {
                Some(url::Host::Ipv4(address)) => vec![format!("{address}:{port}")],
                Some(url::Host::Ipv6(address)) => vec![format!("[{address}]:{port}")],
                _ => vec![format!("0.0.0.0/0:{port}"), format!("[::/0]:{port}")],
            }
        });
        let rules = rules.map(|rule| rule.parse::<AllowRule>());
        AddressPolicy {
            allow_http: true,
            allow: rules.filter_map(Result::ok).collect(),
            ..AddressPolicy::default()
        }
    }

    /// The rule, as the file has it.
    pub(super) fn shown(&self) -> Map<String, Json> {
        let lists = |lists: &BTreeMap<Role, BTreeSet<String>>| {
            let lists = lists.iter();
            let lists = lists.map(|(role, own)| (role.as_str().to_owned(), json!(own)));
            lists.collect::<Map<_, _>>()
        };
        let mut shown = Map::new();
        if !self.rule.values.is_empty() {
            let mut roles = lists(&self.rule.values);
            roles.insert(CLAIM.to_owned(), json!(self.rule.claim));
            shown.insert(ROLES.to_owned(), Json::Object(roles));
        }
        if !self.rule.emails.is_empty() {
            shown.insert(EMAILS.to_owned(), Json::Object(lists(&self.rule.emails)));
        }
        shown
    }
}

fn issuer_url(text: &str) -> Result<Url, String> {
    let no_url = "it is an https URL without query or fragment, letter by letter as the provider \
                  calls itself, such as https://id.example.com/realms/staff";
    let url = Url::parse(text).map_err(|_| no_url)?;
    let is_http = matches!(url.scheme(), "https" | "http");
    match is_http && url.query().is_none() && url.fragment().is_none() {
        true => Ok(url),
        false => Err(no_url.to_owned()),
    }
}

fn host_url(text: &str) -> Result<Url, String> {
    let no_host = || format!("`{text}` is not HOST or HOST:PORT, such as keys.example.com");
    let url = Url::parse(&format!("https://{text}")).map_err(|_| no_host())?;
    let is_bare = url.path() == "/" && url.username().is_empty() && url.password().is_none();
    let ends = !text.contains(['/', '?', '#', '@', '\\']);
    match is_bare && ends && url.host_str().is_some() {
        true => Ok(url),
        false => Err(no_host()),
    }
}

/// Where browsers find the pages is known where they share the API's listener.
fn redirect_url(options: &Options) -> Result<Option<String>, ConfigError> {
    let Some(text) = &options.oidc_redirect_url else {
        return match options.admin_listen {
            Some(_) => Err(wrong("oidc_redirect_url")(format!(
                "`admin_listen` is set, and so where browsers find the pages is not known: say \
                 it, such as https://admin.example.com{CALLBACK}"
            ))),
            None => Ok(None),
        };
    };
    let url = Url::parse(text).ok().filter(|url| {
        let is_http = matches!(url.scheme(), "https" | "http");
        is_http && url.path() == CALLBACK && url.query().is_none() && url.fragment().is_none()
    });
    let no_url = || format!("`{text}` is not an https URL that ends with {CALLBACK}");
    let url = url.ok_or_else(|| wrong("oidc_redirect_url")(no_url()))?;
    Ok(Some(url.into()))
}

/// Reads `[oidc]`.
pub(super) fn read(value: Value) -> Result<RoleRule, String> {
    let mut rule = RoleRule::default();
    for (name, value) in table(KEY, value)? {
        let key = format!("{KEY}.{name}");
        match name.as_str() {
            ROLES => {
                let mut roles = table(&key, value)?;
                if let Some(claim) = roles.remove(CLAIM) {
                    rule.claim = claim_of(&claim)?;
                }
                rule.values = lists(&key, roles)?;
            }
            EMAILS => {
                let lower = |(role, own): (Role, BTreeSet<String>)| {
                    let own = own.iter().map(|email| email.to_ascii_lowercase());
                    (role, own.collect())
                };
                rule.emails = lists(&key, table(&key, value)?)?
                    .into_iter()
                    .map(lower)
                    .collect();
                addresses(&key, &rule.emails)?;
            }
            other => return Err(unknown(KEY, other, &[ROLES, EMAILS])),
        }
    }
    match (rule.claim.is_empty(), rule.values.is_empty()) {
        (true, false) => Err(format!(
            "`{KEY}.{ROLES}.{CLAIM}` is missing: name the claim whose values are listed, such as \
             \"groups\""
        )),
        (false, true) => Err(format!(
            "`{KEY}.{ROLES}` names a claim, and no values of it: list those of admin, operator or \
             viewer"
        )),
        _ => Ok(rule),
    }
}

fn claim_of(value: &Value) -> Result<String, String> {
    let key = format!("{KEY}.{ROLES}.{CLAIM}");
    let text = value.as_str();
    let text = text.ok_or_else(|| wrong_type(&key, value, String::WRITTEN_AS))?;
    match text {
        "" => Err(format!(
            "`{key}` is empty: name a claim, such as \"groups\""
        )),
        naming if NAMING.contains(&naming) => Err(format!(
            "`{key}` is `{naming}`, which says who somebody is: name one that says what they \
             belong to, or list people's addresses in [{KEY}.{EMAILS}]"
        )),
        text => Ok(text.to_owned()),
    }
}

/// What gives which role.
fn lists(key: &str, table: toml::Table) -> Result<BTreeMap<Role, BTreeSet<String>>, String> {
    let lists = table.into_iter().map(|(name, value)| {
        let role: Role = name.parse().map_err(|_| {
            let roles = Role::ALL.map(Role::as_str);
            unknown(key, &name, &roles)
        })?;
        let wrong = || wrong_type(&format!("{key}.{name}"), &value, Vec::<String>::WRITTEN_AS);
        let list = value.as_array().ok_or_else(wrong)?;
        let texts = list
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong));
        Ok((role, texts.collect::<Result<BTreeSet<_>, String>>()?))
    });
    let lists = lists.collect::<Result<BTreeMap<_, _>, String>>()?;
    let full = lists.into_iter().filter(|(_, own)| !own.is_empty());
    Ok(full.collect())
}

fn addresses(key: &str, emails: &BTreeMap<Role, BTreeSet<String>>) -> Result<(), String> {
    let is_address = |email: &str| {
        let parts = email.split_once('@');
        parts.is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains(['@', '*'])
        })
    };
    match emails.values().flatten().find(|email| !is_address(email)) {
        Some(email) => Err(format!(
            "`{key}` has `{}`, which is no whole address, such as ada@example.com",
            email.escape_debug()
        )),
        None => Ok(()),
    }
}

fn table(key: &str, value: Value) -> Result<toml::Table, String> {
    match value {
        Value::Table(table) => Ok(table),
        value => Err(wrong_type(key, &value, "a table, such as [oidc.roles]")),
    }
}

fn unknown(key: &str, name: &str, known: &[&str]) -> String {
    let nearest = nearest(name, known.iter());
    let name = name.escape_debug();
    format!("`{key}` has no `{name}`; did you mean `{nearest}`?")
}

#[cfg(test)]
mod tests;
