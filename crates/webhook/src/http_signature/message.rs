//! The message that is signed, and the values of its components (RFC 9421 section 2). A component
//! that is not there, or not just once, has no value, and then nothing is signed or verified.

use super::fields::{Bare, Item};
use super::target::Target;

/// A request, as it goes on the wire or came from there.
#[derive(Clone, Copy)]
pub struct Request<'m> {
    /// The method, as it was sent.
    pub method: &'m str,
    /// The absolute URI: scheme, host, port where it is not the scheme's own, path and query. A
    /// receiver behind a proxy takes scheme and host from what it is configured to be called.
    pub target_uri: &'m str,
    /// The headers. One name may be there several times.
    pub headers: &'m [(&'m str, &'m [u8])],
}

/// A response, and the request that it answers where its signature covers something of that.
#[derive(Clone, Copy)]
pub struct Response<'m> {
    /// The status code.
    pub status: u16,
    /// The headers. One name may be there several times.
    pub headers: &'m [(&'m str, &'m [u8])],
    /// The request.
    pub request: Option<Request<'m>>,
}

/// What is signed.
#[derive(Clone, Copy)]
pub enum Message<'m> {
    /// A request.
    Request(Request<'m>),
    /// A response.
    Response(Response<'m>),
}

impl<'m> Message<'m> {
    pub(super) fn headers(&self) -> &'m [(&'m str, &'m [u8])] {
        match self {
            Self::Request(request) => request.headers,
            Self::Response(response) => response.headers,
        }
    }

    /// The value of a component.
    pub(super) fn component(&self, item: &Item) -> Option<String> {
        let mut of_request = false;
        let mut name = None;
        for (parameter, value) in item.parameters.iter() {
            match (parameter, value) {
                ("req", Bare::Boolean(true)) => of_request = true,
                ("name", Bare::Text(text)) => name = Some(text.as_str()),
                _ => return None,
            }
        }
        let text = item.text.as_str();
        match (self, of_request) {
            (Self::Request(request), false) => request.component(text, name),
            (Self::Response(response), true) => response.request?.component(text, name),
            (Self::Response(response), false) if name.is_none() => response.component(text),
            _ => None,
        }
    }
}

impl Request<'_> {
    fn component(&self, text: &str, name: Option<&str>) -> Option<String> {
        match (text, name) {
            ("@query-param", Some(name)) => Target::parse(self.target_uri)?.query_parameter(name),
            (_, Some(_)) => None,
            ("@method", None) => is_method(self.method).then(|| self.method.to_owned()),
            _ if text.starts_with('@') => Target::parse(self.target_uri)?.component(text),
            _ => field(self.headers, text),
        }
    }
}

impl Response<'_> {
    fn component(&self, text: &str) -> Option<String> {
        match text {
            "@status" => Some(format!("{:03}", self.status)),
            _ if text.starts_with('@') => None,
            _ => field(self.headers, text),
        }
    }
}

fn is_method(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a text names a field as signatures do: a token in lower case.
pub(super) fn is_field_name(name: &str) -> bool {
    let is_of_token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !name.is_empty() && name.bytes().all(is_of_token)
}

/// All values of a field, trimmed and joined; nothing where there is none, or one that is not
/// plain ASCII in one line.
pub(super) fn field(headers: &[(&str, &[u8])], name: &str) -> Option<String> {
    if !is_field_name(name) {
        return None;
    }
    let mut joined: Option<String> = None;
    for (_, value) in headers
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
    {
        let value = str::from_utf8(value).ok()?;
        if !value
            .bytes()
            .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
        {
            return None;
        }
        let value = value.trim_matches([' ', '\t']);
        joined = Some(match joined {
            Some(before) => before + ", " + value,
            None => value.to_owned(),
        });
    }
    joined
}
