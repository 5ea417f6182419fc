//! The parts of a request's target URI, as signatures cover them. It reads what an HTTP client
//! sends, an absolute `http` or `https` URI without user information or fragment, and repairs
//! nothing.

use std::fmt::Write;

/// A target URI, taken apart.
pub(super) struct Target<'u> {
    whole: &'u str,
    scheme: &'u str,
    authority: &'u str,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> Target<'u> {
    pub(super) fn parse(whole: &'u str) -> Option<Self> {
        if !whole.bytes().all(|byte| byte.is_ascii_graphic()) || whole.contains('#') {
            return None;
        }
        let (scheme, rest) = whole.split_once("://")?;
        if !["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return None;
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() || authority.starts_with(':') || authority.contains('@') {
            return None;
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Some(Self {
            whole,
            scheme,
            authority,
            path: if path.is_empty() { "/" } else { path },
            query,
        })
    }

    /// The value of a component that is taken from the target, if there is one of this name.
    pub(super) fn component(&self, name: &str) -> Option<String> {
        Some(match name {
            "@target-uri" => self.whole.to_owned(),
            "@scheme" => self.scheme.to_ascii_lowercase(),
            "@authority" => self.normal_authority(),
            "@path" => self.path.to_owned(),
            "@query" => format!("?{}", self.query.unwrap_or_default()),
            "@request-target" => match self.query {
                Some(query) => format!("{}?{query}", self.path),
                None => self.path.to_owned(),
            },
            _ => return None,
        })
    }

    /// In lower case, and without the scheme's own port.
    fn normal_authority(&self) -> String {
        let authority = self.authority.to_ascii_lowercase();
        let port = match self.scheme.eq_ignore_ascii_case("https") {
            true => ":443",
            false => ":80",
        };
        let without = authority.strip_suffix(port).or(authority.strip_suffix(':'));
        without.map_or(authority.clone(), str::to_owned)
    }

    /// The value of the one query parameter of this name; both are compared and given as the
    /// standard encodes them. Nothing where there is none or more than one.
    pub(super) fn query_parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query?.split('&').filter(|pair| !pair.is_empty());
        let mut found = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .filter(|(other, _)| encoded_anew(other) == name);
        let (_, value) = found.next()?;
        match found.next() {
            Some(_) => None,
            None => Some(encoded_anew(value)),
        }
    }
}

/// Decoded as a form is (`+` is a space), and encoded as RFC 9421 section 2.2.8 says.
fn encoded_anew(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| behind.get(..2).and_then(hexadecimal))
            .flatten();
        decoded.push(match first {
            b'+' => b' ',
            _ => escaped.unwrap_or(first),
        });
        rest = if escaped.is_some() {
            &behind[2..]
        } else {
            behind
        };
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in String::from_utf8_lossy(&decoded).bytes() {
        match byte {
            b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => write!(encoded, "%{byte:02X}").expect("a string takes all that is written"),
        }
    }
    encoded
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digit = |place: usize| char::from(digits[place]).to_digit(16);
    u8::try_from(16 * digit(0)? + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_taken_as_the_standard_says() {
        for (uri, expected) in [
            (
                "https://EXAMPLE.com:443/Foo?param=Value&Pet=dog",
                [
                    "https",
                    "example.com",
                    "/Foo",
                    "?param=Value&Pet=dog",
                    "/Foo?param=Value&Pet=dog",
                ],
            ),
            (
                "HTTP://example.com:80",
                ["http", "example.com", "/", "?", "/"],
            ),
            (
                "https://example.com:80?",
                ["https", "example.com:80", "/", "?", "/?"],
            ),
            (
                "https://[2001:DB8::1]:",
                ["https", "[2001:db8::1]", "/", "?", "/"],
            ),
            (
                "https://[::1]:8443/a//b/",
                ["https", "[::1]:8443", "/a//b/", "?", "/a//b/"],
            ),
        ] {
            let target = Target::parse(uri).unwrap();
            let names = [
                "@scheme",
                "@authority",
                "@path",
                "@query",
                "@request-target",
            ];
            assert_eq!(
                names.map(|name| target.component(name).unwrap()),
                expected,
                "{uri}"
            );
            assert_eq!(target.component("@target-uri").unwrap(), uri);
            assert_eq!(target.component("@status"), None);
        }
    }

    #[test]
    fn what_no_client_sends_is_refused() {
        for uri in [
            "",
            "/path",
            "example.com/path",
            "ftp://example.com/",
            "https://",
            "https:///path",
            "https://:443/",
            "https://user@example.com/",
            "https://example.com/#top",
            "https://example.com/a b",
            "https://example.com/\u{e9}",
            "https://example.com/\n",
        ] {
            assert!(Target::parse(uri).is_none(), "{uri:?}");
        }
    }

    /// RFC 9421 section 2.2.8.
    #[test]
    fn query_parameters_are_encoded_anew() {
        let uri = "https://example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&\
                   bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&baz=batman&twice=1&\
                   twice=2&&bare&odd=%&odder=%zz";
        let target = Target::parse(uri).unwrap();
        for (name, expected) in [
            ("var", Some("this%20is%20a%20big%0Amultiline%20value")),
            ("bar", Some("with%20plus%20whitespace")),
            ("fa%C3%A7ade%22%3A%20", Some("something")),
            ("bare", Some("")),
            ("odd", Some("%25")),
            ("odder", Some("%25zz")),
            ("twice", None),
            ("none", None),
            ("", None),
        ] {
            assert_eq!(target.query_parameter(name).as_deref(), expected, "{name}");
        }
        let bare = Target::parse("https://example.com/").unwrap();
        assert_eq!(bare.query_parameter("a"), None);
    }
}
