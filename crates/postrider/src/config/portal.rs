//! What the portal looks like, and in whose pages it may stand.

use super::checked::{ConfigError, wrong};
use super::options::Options;
use bytes::Bytes;
use dashboard::{Brand, SHEETS};
use std::path::{Path, PathBuf};
use url::{Origin, Url};

/// The longest name.
const NAME_CHARS_MAX: usize = 60;
/// The largest logo, in bytes.
const LOGO_BYTES_MAX: u64 = 256 * 1024;
/// What text needs against what is behind it, by WCAG 2.2, 1.4.3 (AA).
const CONTRAST_MIN: f64 = 4.5;

/// As it is configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Portal {
    pub(crate) brand: Brand,
    /// Where the logo was read from.
    pub(crate) logo: Option<PathBuf>,
    pub(crate) frame_ancestors: Vec<String>,
}

impl Portal {
    pub(super) fn from_options(options: &Options) -> Result<Self, ConfigError> {
        let mut portal = Self::default();
        if let Some(name) = &options.portal_name {
            portal.brand.name = checked_name(name)?;
        }
        if let Some(texts) = &options.portal_colours {
            portal.brand.colours = Some(colours(texts)?);
        }
        if let Some(path) = &options.portal_logo {
            portal.brand.logo = Some(logo(path)?);
            portal.logo = Some(path.clone());
        }
        let origins = options.portal_frame_ancestors.iter().flatten();
        portal.frame_ancestors = origins.map(|text| origin(text)).collect::<Result<_, _>>()?;
        Ok(portal)
    }
}

fn checked_name(text: &str) -> Result<String, ConfigError> {
    let text = text.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&text.chars().count());
    match fits && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(wrong("portal_name")(format!(
            "it must have 1 to {NAME_CHARS_MAX} characters, and none that controls"
        ))),
    }
}

/// One for light pages and one for dark ones, each of which can be read there.
fn colours(texts: &[String]) -> Result<(String, String), ConfigError> {
    let wrong = wrong("portal_colours");
    let [light, dark] = texts else {
        return Err(wrong(
            "give two, for light pages and for dark ones, such as #1d4ed8,#93b4ff".to_owned(),
        ));
    };
    for ((text, sheet), pages) in [light, dark].into_iter().zip(SHEETS).zip(["light", "dark"]) {
        let (Some(own), Some(behind)) = (luminance(text), luminance(sheet)) else {
            return Err(wrong(format!(
                "`{}` is not a colour such as #1d4ed8",
                text.escape_debug()
            )));
        };
        let contrast = (own.max(behind) + 0.05) / (own.min(behind) + 0.05);
        if contrast < CONTRAST_MIN {
            return Err(wrong(format!(
                "{text} can't be read on {pages} pages: its contrast to {sheet} is {contrast:.1}, \
                 and must be {CONTRAST_MIN} at least"
            )));
        }
    }
    Ok((light.to_lowercase(), dark.to_lowercase()))
}

/// Relative luminance, as WCAG 2.2 defines it, of `#rrggbb`.
fn luminance(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('#')?;
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let channel = |at: usize| {
        let value = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        let value = f64::from(value) / 255.0;
        Some(match value <= 0.040_45 {
            true => value / 12.92,
            false => ((value + 0.055) / 1.055).powf(2.4),
        })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}

/// What browsers show of itself, and never run: told by its first bytes, not by its name.
fn logo(path: &Path) -> Result<(String, Bytes), ConfigError> {
    let wrong = |reason: String| wrong("portal_logo")(format!("{}: {reason}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    if size.len() > LOGO_BYTES_MAX {
        return Err(wrong(format!("it has more than {LOGO_BYTES_MAX} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let kind = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => return Err(wrong("it is neither PNG nor JPEG nor WebP".to_owned())),
    };
    Ok((kind.to_owned(), bytes.into()))
}

/// As `frame-ancestors` of a Content-Security-Policy has it.
fn origin(text: &str) -> Result<String, ConfigError> {
    let url: Option<Url> = text.trim().parse().ok();
    let origin = url.as_ref().map(Url::origin);
    match (url, origin) {
        (Some(url), Some(origin @ Origin::Tuple(..)))
            if matches!(url.scheme(), "https" | "http")
                && url.host_str().is_some_and(|host| !host.contains('*'))
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty() =>
        {
            Ok(origin.ascii_serialization())
        }
        _ => Err(wrong("portal_frame_ancestors")(format!(
            "`{}` is not an origin such as https://app.example.com",
            text.escape_debug()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for (text, expected) in [
            ("https://app.example.com", Some("https://app.example.com")),
            ("https://app.example.com/", Some("https://app.example.com")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https://a.example; script-src *", None),
            ("https://a.example/page", None),
            ("https://*.example.com", None),
            ("*", None),
            ("data:text/html,x", None),
            ("https://user@a.example", None),
        ] {
            assert_eq!(origin(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_colour_that_cant_be_read_is_refused() {
        for (light, dark, fine) in [
            ("#1d4ed8", "#93b4ff", true),
            ("#0A6B2D", "#ffffff", true),
            ("#93b4ff", "#93b4ff", false),
            ("#1d4ed8", "#1d4ed8", false),
            ("blue", "#93b4ff", false),
            ("#1d4ed8; }", "#93b4ff", false),
        ] {
            let given = [light, dark].map(str::to_owned);
            assert_eq!(colours(&given).is_ok(), fine, "{light} {dark}");
        }
        assert!(colours(&["#1d4ed8".to_owned()]).is_err());
    }
}
