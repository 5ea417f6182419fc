//! The headers that an endpoint's owner adds to its requests. They are kept sealed; the values of
//! those that usually hold credentials are never shown again.
//!
//! Names are compared without regard to case. What a request needs for itself can't be set.

use super::Replacement;
use crate::audit::changed;
use crate::change::until_current;
use crate::find::Tenant;
use crate::patch::Patch;
use crate::rules::Judge;
use crate::sealing::{open_headers, seal_headers};
use crate::{App, AppError, Caller};
use model::Secret;
use model::audit::AuditAction;
use model::endpoint::CustomHeaders;
use model::protection::Withdrawn;
use std::collections::{BTreeMap, BTreeSet};

/// The most headers an endpoint may have.
pub const HEADERS_MAX: usize = 100;
/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 4_096;

/// Names whose values are never shown.
const SENSITIVE: [&str; 6] = [
    "x-auth-token",
    "x-api-key",
    "www-authenticate",
    "authorization",
    "proxy-authenticate",
    "proxy-authorization",
];

/// Names that a request needs for itself.
const FORBIDDEN: [&str; 20] = [
    "host",
    "user-agent",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "age",
    "cache-control",
    "clear-site-data",
    "expires",
    "pragma",
    "warning",
    "content-length",
    "content-type",
    "content-encoding",
    "content-language",
    "content-location",
];

/// Beginnings of names that belong to Postrider, and to the clouds that receivers run in.
const FORBIDDEN_PREFIXES: [&str; 10] = [
    "webhook-", "svix-", "x-svix-", "x-amz-", "x-amzn-", "x-google", "x-goog-", "x-gfe",
    "x-azure-", "x-fd-",
];

/// All headers that an endpoint is to have.
#[derive(Clone, Default)]
pub struct HeadersInput(pub BTreeMap<String, String>);

/// What is to be changed of an endpoint's headers: first these are deleted, then the others set.
#[derive(Clone, Default)]
pub struct HeadersPatch {
    /// Set; without a value, deleted.
    pub headers: BTreeMap<String, Option<String>>,
    /// Deleted.
    pub delete: Vec<String>,
}

/// An endpoint's headers as they are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HeadersView {
    /// Names and values.
    pub headers: BTreeMap<String, String>,
    /// The names of those whose values are not shown.
    pub sensitive: BTreeSet<String>,
}

impl HeadersInput {
    /// The headers, which hold only if `judge` found no broken rule.
    pub(super) fn judge(self, judge: &mut Judge<'_>) -> CustomHeaders {
        let patch = HeadersPatch {
            headers: self
                .0
                .into_iter()
                .map(|(name, value)| (name, Some(value)))
                .collect(),
            delete: Vec::new(),
        };
        let mut headers = CustomHeaders::default();
        patch.judge(judge).apply(&mut headers);
        judge_count(judge, &headers);
        headers
    }
}

/// A patch that keeps all rules about single headers.
struct HeadersDraft {
    set: Vec<(String, Patch<Secret>)>,
    delete: Vec<String>,
}

impl HeadersPatch {
    fn judge(self, judge: &mut Judge<'_>) -> HeadersDraft {
        let mut seen = BTreeSet::new();
        let mut set = Vec::with_capacity(self.headers.len());
        for (name, value) in self.headers {
            let wrong = wrong_name(&name).or_else(|| wrong_value(value.as_deref()?));
            if let Some(wrong) = wrong {
                judge.note_unreadable("headers", format!("`{}`: {wrong}", shown(&name)));
            } else if !seen.insert(name.to_ascii_lowercase()) {
                judge.note_unreadable("headers", format!("`{name}` is there more than once"));
            }
            set.push((
                name,
                value.map_or(Patch::Keep, |value| Patch::Set(value.into())),
            ));
        }
        HeadersDraft {
            set,
            delete: self.delete,
        }
    }
}

impl HeadersDraft {
    fn apply(&self, headers: &mut CustomHeaders) {
        for name in &self.delete {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            match value {
                Patch::Set(value) => headers.set(name.clone(), value.clone()),
                Patch::Keep => headers.remove(name),
            }
        }
    }
}

impl App {
    /// An endpoint's headers.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn headers(&self, tenant: &Tenant, path: &str) -> Result<HeadersView, AppError> {
        let row = tenant.endpoint(path)?;
        let headers = open_headers(&self.keys(&tenant.row().application)?, row)?;
        let mut view = HeadersView {
            headers: BTreeMap::new(),
            sensitive: BTreeSet::new(),
        };
        for (name, value) in headers.iter() {
            if is_sensitive(name) {
                view.sensitive.insert(name.to_owned());
            } else {
                let value = String::from_utf8_lossy(value.expose()).into_owned();
                view.headers.insert(name.to_owned(), value);
            }
        }
        Ok(view)
    }

    /// Replaces all of an endpoint's headers.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`].
    pub async fn put_headers(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: HeadersInput,
    ) -> Result<(), AppError> {
        let mut judge = Judge::new(&[]);
        let headers = input.judge(&mut judge);
        judge.finish()?;
        self.change_headers(caller, tenant, path, |before| {
            let mut headers = headers.clone();
            headers.url_credentials = before.url_credentials;
            Ok(headers)
        })
        .await
    }

    /// Sets and deletes some of an endpoint's headers.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`].
    pub async fn patch_headers(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        patch: HeadersPatch,
    ) -> Result<(), AppError> {
        let mut judge = Judge::new(&[]);
        let draft = patch.judge(&mut judge);
        judge.finish()?;
        self.change_headers(caller, tenant, path, |before| {
            let mut headers = before;
            draft.apply(&mut headers);
            let mut judge = Judge::new(&[]);
            judge_count(&mut judge, &headers);
            judge.finish()?;
            Ok(headers)
        })
        .await
    }

    async fn change_headers(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        decide: impl Fn(CustomHeaders) -> Result<CustomHeaders, AppError>,
    ) -> Result<(), AppError> {
        caller.require_application(tenant.application())?;
        let key = tenant.endpoint(path)?.endpoint.id.key();
        let decide = &decide;
        let changed = until_current(|| async {
            let tenant = self.tenant_again(tenant).await?;
            let row = tenant.endpoint_by_key(key)?;
            let keys = self.keys(&tenant.row().application)?;
            let before = open_headers(&keys, row)?;
            let headers = decide(before.clone())?;
            let entry = self
                .entry_at_endpoint(caller, AuditAction::EndpointHeadersUpdated, &row.endpoint)
                .saying(told(&before, &headers));
            let mut replacement = Replacement::same(row);
            replacement.sealed.headers = seal_headers(&keys, row.endpoint.id.tail(), &headers);
            replacement.keep_again(&keys, row, Withdrawn::Headers)?;
            self.replace_endpoint(entry, &tenant, replacement, None)
                .await
        });
        changed.await?;
        Ok(())
    }
}

/// What the audit log has of a change: the names of the headers that are others, or gone.
fn told(before: &CustomHeaders, after: &CustomHeaders) -> String {
    fn value<'a>(headers: &'a CustomHeaders, name: &str) -> Option<&'a [u8]> {
        let mut all = headers.iter();
        let found = all.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.expose())
    }
    let names = before.iter().chain(after.iter()).map(|(name, _)| name);
    let names: BTreeSet<String> = names.map(str::to_ascii_lowercase).collect();
    let differs = |name: &String| value(before, name) != value(after, name);
    changed(names.iter().map(|name| (name.as_str(), differs(name))))
}

fn judge_count(judge: &mut Judge<'_>, headers: &CustomHeaders) {
    if headers.iter().count() > HEADERS_MAX {
        judge.note(
            "headers",
            format!("an endpoint may have at most {HEADERS_MAX} headers"),
        );
    }
}

/// What is wrong with a name: RFC 9110, 5.6.2, and what a request needs for itself.
pub(super) fn wrong_name(name: &str) -> Option<&'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_token) {
        return Some("is no header name");
    }
    let has_prefix = FORBIDDEN_PREFIXES
        .iter()
        .any(|prefix| lower.starts_with(prefix));
    if has_prefix || is_one_of(name, &FORBIDDEN) {
        return Some("can't be set: requests need it for themselves");
    }
    None
}

/// What is wrong with a value: RFC 9110, 5.5, without bytes that are no ASCII.
fn wrong_value(value: &str) -> Option<&'static str> {
    if value.len() > VALUE_BYTES_MAX {
        return Some("its value has more than 4096 bytes");
    }
    let is_visible = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    (!value.bytes().all(is_visible))
        .then_some("its value may only hold visible ASCII characters, spaces and tabs")
}

/// Takes away the headers that usually hold credentials. Tells whether there were any.
pub(super) fn remove_sensitive(headers: &mut CustomHeaders) -> bool {
    let before = headers.iter().count();
    for name in SENSITIVE {
        headers.remove(name);
    }
    headers.iter().count() < before
}

/// Whether a header of this name usually holds a credential, which is not shown.
pub fn is_sensitive(name: &str) -> bool {
    is_one_of(name, &SENSITIVE)
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// A name as it may be repeated in an error.
fn shown(name: &str) -> String {
    name.chars()
        .take(64)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests;
