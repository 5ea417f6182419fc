//! What is signed: the body, and what stands before and behind it.
//!
//! Nothing is escaped, so what is put together must come apart in one way only: else a signature of
//! one message would be good for another, whose id ends or whose body begins elsewhere.

use std::borrow::Cow;

use super::Text;

/// One part of what is signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Id,
    /// When it was signed, as it is written.
    Timestamp,
    Body,
    /// The request's method, in upper case. People's own templates don't know it.
    Method,
    /// The URL that the sender has. People's own templates don't know it.
    Url,
    Text(Text),
}

/// The parts, in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Template(Cow<'static, [Part]>);

/// What is asked for, and where. Schemes that endpoints sign with cover neither.
#[derive(Clone, Copy, Default)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
}

/// The values of one request.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) timestamp: &'a [u8],
    pub(crate) target: Target<'a>,
    pub(crate) body: &'a [u8],
}

/// Why a text is no template.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// The body is what has to be signed.
    #[error("it has to hold `{{body}}`: what is not signed can be changed by anybody")]
    NoBody,
    /// One of the three names is there more than once.
    #[error("`{{id}}`, `{{timestamp}}` and `{{body}}` may be there once each")]
    Twice,
    /// A brace, and not one of the three names.
    #[error("in braces there can only be `{{id}}`, `{{timestamp}}` and `{{body}}`")]
    UnknownName,
    /// Two values that could be cut elsewhere.
    #[error(
        "between two values there has to be a text that tells where one ends: a full stop after \
         or before `{{id}}`, something that is no digit after or before `{{timestamp}}`"
    )]
    Ambiguous,
    /// Longer than [`TEMPLATE_BYTES_MAX`](crate::TEMPLATE_BYTES_MAX).
    #[error("it may be {} bytes long at the most", TEMPLATE_BYTES_MAX)]
    TooLong,
}

/// The longest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 256;

impl Template {
    pub(crate) const fn known(parts: &'static [Part]) -> Self {
        Self(Cow::Borrowed(parts))
    }

    /// Reads a text like `v0:{timestamp}:{body}`.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, behind) = first_part(rest)?;
            let is_value = !matches!(part, Part::Text(_));
            if is_value && parts.contains(&part) {
                return Err(TemplateError::Twice);
            }
            parts.push(part);
            rest = behind;
        }
        let body = parts.iter().position(|part| *part == Part::Body);
        let body = body.ok_or(TemplateError::NoBody)?;
        let before = parts[..=body].windows(2);
        let before = before.map(|pair| (&pair[0], &pair[1]));
        let behind = parts[body..].windows(2);
        let behind = behind.map(|pair| (&pair[1], &pair[0]));
        match before
            .chain(behind)
            .all(|(part, beside)| ends(part, beside))
        {
            true => Ok(Self(parts.into())),
            false => Err(TemplateError::Ambiguous),
        }
    }

    /// Whether it can be told where the id ends, whatever it is made of.
    pub(super) fn separates_id(&self) -> bool {
        let id = self.0.iter().position(|part| *part == Part::Id);
        let behind = id.and_then(|place| self.0.get(place + 1));
        behind.is_none_or(|behind| matches!(behind, Part::Text(_)))
    }

    pub(crate) fn has_url(&self) -> bool {
        self.0.contains(&Part::Url)
    }

    pub(crate) fn has_id(&self) -> bool {
        self.0.contains(&Part::Id)
    }

    pub(super) fn has_timestamp(&self) -> bool {
        self.0.contains(&Part::Timestamp)
    }

    /// What is signed, piece by piece.
    pub(crate) fn pieces<'a>(&'a self, values: Values<'a>) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(move |part| match part {
            Part::Id => values.id,
            Part::Timestamp => values.timestamp,
            Part::Body => values.body,
            Part::Method => values.target.method.as_bytes(),
            Part::Url => values.target.url.as_bytes(),
            Part::Text(text) => text.as_bytes(),
        })
    }
}

fn first_part(text: &str) -> Result<(Part, &str), TemplateError> {
    for (name, part) in [
        ("{id}", Part::Id),
        ("{timestamp}", Part::Timestamp),
        ("{body}", Part::Body),
    ] {
        if let Some(behind) = text.strip_prefix(name) {
            return Ok((part, behind));
        }
    }
    let end = text.find(['{', '}']).unwrap_or(text.len());
    match end {
        0 => Err(TemplateError::UnknownName),
        _ => Ok((Part::Text(text[..end].to_owned().into()), &text[end..])),
    }
}

/// Whether it can be told where a value ends towards the body: at the first character, seen from
/// outside, that can't be part of it. So the text beside it must hold one.
fn ends(part: &Part, beside: &Part) -> bool {
    let Part::Text(text) = beside else {
        return matches!(part, Part::Text(_));
    };
    match part {
        Part::Id => text.bytes().any(|byte| !is_of_an_id(byte)),
        Part::Timestamp => text.bytes().any(|byte| !byte.is_ascii_digit()),
        Part::Body | Part::Method | Part::Url | Part::Text(_) => true,
    }
}

fn is_of_an_id(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'.'
}
