//! Which mail server, as the operator writes it. What can't be meant is refused here, once.

use model::Secret;
use model::address::credentials;
use model::alerts::MailAddress;
use url::Url;

/// Where letters are handed over, and as whom.
#[derive(Clone)]
pub struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    /// The user's name and password, where it wants to know who comes.
    pub(super) login: Option<(String, Secret)>,
    pub(super) from: MailAddress,
}

/// How the conversation is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte on.
    Tls,
    /// TLS before anything is said, or nothing is said.
    StartTls,
    /// Not at all.
    None,
}

/// A server that can't be meant. The texts repeat no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailServerError {
    /// Not such a URL.
    #[error("it must be smtps://[USER@]HOST[:PORT], or smtp:// for STARTTLS")]
    Url,
    /// The password is in it.
    #[error("a password has no place in it: give it as `smtp_password_file`")]
    PasswordInUrl,
    /// A user without a password.
    #[error("it names a user, and there is no password: give `smtp_password_file`")]
    NoPassword,
    /// The other way round.
    #[error("there is a password, and no user is named: write smtps://USER@HOST")]
    NoUser,
    /// What must not go in clear.
    #[error("with `smtp_insecure`, there can be no user: a password never goes in clear")]
    InsecureLogin,
    /// TLS and none.
    #[error("smtps:// is TLS: leave out `smtp_insecure`, or write smtp://")]
    InsecureTls,
}

impl MailServer {
    /// The server of `smtps://[USER@]HOST[:PORT]`, with TLS from the start, or `smtp://…`, with
    /// STARTTLS; or in clear, where `insecure` says so.
    ///
    /// # Errors
    /// What is wrong.
    pub fn new(
        url: &str,
        insecure: bool,
        password: Option<Secret>,
        from: MailAddress,
    ) -> Result<Self, MailServerError> {
        let url = Url::parse(url).map_err(|_| MailServerError::Url)?;
        let (security, port) = match (url.scheme(), insecure) {
            ("smtps", false) => (Security::Tls, 465),
            ("smtps", true) => return Err(MailServerError::InsecureTls),
            ("smtp", false) => (Security::StartTls, 587),
            ("smtp", true) => (Security::None, 25),
            _ => return Err(MailServerError::Url),
        };
        let is_bare = matches!(url.path(), "" | "/");
        let host = url.host_str().filter(|host| !host.is_empty() && is_bare);
        let host = host.ok_or(MailServerError::Url)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(MailServerError::Url);
        }
        if url.password().is_some() {
            return Err(MailServerError::PasswordInUrl);
        }
        let login = match (user(&url), password) {
            (Some(_), _) if insecure => return Err(MailServerError::InsecureLogin),
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => return Err(MailServerError::NoPassword),
            (None, Some(_)) => return Err(MailServerError::NoUser),
            (None, None) => None,
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            security,
            login,
            from,
        })
    }
}

fn user(url: &Url) -> Option<String> {
    let pair = credentials(url)?;
    let (user, _) = pair.expose().split_at(pair.expose().len() - 1);
    Some(String::from_utf8_lossy(user).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, insecure: bool, password: bool) -> Result<MailServer, MailServerError> {
        let password = password.then(|| Secret::from("sesame".to_owned()));
        let from = "postrider@example.com".parse().expect("an address");
        MailServer::new(url, insecure, password, from)
    }

    #[test]
    fn a_server_is_read_from_its_url() {
        for (url, insecure, host, port, security, user) in [
            (
                "smtps://mail.example.com",
                false,
                "mail.example.com",
                465,
                Security::Tls,
                None,
            ),
            (
                "smtp://me%40example.com@mail.example.com:2525",
                false,
                "mail.example.com",
                2_525,
                Security::StartTls,
                Some("me@example.com"),
            ),
            (
                "smtp://127.0.0.1",
                true,
                "127.0.0.1",
                25,
                Security::None,
                None,
            ),
            ("smtp://[::1]:25/", true, "::1", 25, Security::None, None),
        ] {
            let read = server(url, insecure, user.is_some()).map_err(|error| error.to_string());
            let read = read.expect(url);
            assert_eq!(
                (&*read.host, read.port, read.security),
                (host, port, security)
            );
            let known = read.login.as_ref().map(|(user, _)| user.as_str());
            assert_eq!(known, user, "{url}");
        }
    }

    #[test]
    fn what_can_t_be_meant_is_refused_with_what_would_be_right() {
        use MailServerError::*;
        for (url, insecure, password, expected) in [
            ("mail.example.com", false, false, Url),
            ("https://mail.example.com", false, false, Url),
            ("smtps://", false, false, Url),
            ("smtps://mail.example.com/inbox", false, false, Url),
            ("smtps://mail.example.com?tls=no", false, false, Url),
            (
                "smtps://me:sesame@mail.example.com",
                false,
                true,
                PasswordInUrl,
            ),
            ("smtps://me@mail.example.com", false, false, NoPassword),
            ("smtps://mail.example.com", false, true, NoUser),
            ("smtp://me@mail.example.com", true, true, InsecureLogin),
            ("smtps://mail.example.com", true, false, InsecureTls),
        ] {
            let refused = server(url, insecure, password).map(|_| ());
            assert_eq!(refused, Err(expected), "{url}");
            assert!(!expected.to_string().contains("sesame"));
        }
    }
}
