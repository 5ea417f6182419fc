//! The settings that there are: what each may be, and what it is where nobody said anything.
//!
//! A map by name rather than a struct: they come and go as one object, of which any part may be
//! given, and only two of them are read by anything here.

use crate::audit::changed;
use crate::rules::{Judge, TEXT_BYTES_MAX};
use crate::{AppError, Violation};
use serde_json::{Map, Value, json};

/// Messages whose payload does not match their event type's JSON Schema are refused.
pub const ENFORCE_SCHEMAS: &str = "enforceEventTypeSchemas";
/// Payloads are looked through for what should not be in them.
pub const SCAN_PAYLOADS: &str = "scanPayloads";
/// What [`SCAN_PAYLOADS`] may be, each where [`Scan`] has it.
const SCANS: &[&str] = &["off", "report", "refuse"];
/// The longest address of a picture or font, in bytes.
pub const URL_BYTES_MAX: usize = 65_536;

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// `true` or `false`; first this.
    Flag(bool),
    /// `false`, for what it would switch on is not built.
    NotBuilt,
    /// An empty list, for what it would list is not built.
    Nothing,
    /// A colour, as `#` and 3, 4, 6 or 8 hexadecimal digits.
    Colour,
    /// The address of a picture or font.
    Url,
    /// A text for people.
    Text,
    /// The name of a font.
    Font,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words; first the first.
    Choice(&'static [&'static str]),
    /// A whole number from 0 on.
    Number(u16),
    /// An object of these.
    Object(&'static [(&'static str, Rule)]),
}

/// All of them, by name.
pub const RULES: &[(&str, Rule)] = &[
    ("advancedEndpointTypes", Rule::Nothing),
    ("colorPaletteDark", Rule::Object(PALETTE)),
    ("colorPaletteLight", Rule::Object(PALETTE)),
    ("customColor", Rule::Colour),
    ("customFontFamily", Rule::Font),
    ("customFontFamilyUrl", Rule::Url),
    ("customLogoUrl", Rule::Url),
    ("customStringsOverride", Rule::Object(STRINGS)),
    ("customThemeOverride", Rule::Object(THEME)),
    ("displayName", Rule::Text),
    ("enableChannels", Rule::Flag(false)),
    ("enableEndpointMtlsConfig", Rule::NotBuilt),
    ("enableEndpointOauthConfig", Rule::NotBuilt),
    ("enableIntegrationManagement", Rule::NotBuilt),
    ("enableMessageStream", Rule::NotBuilt),
    ("enableMessageTags", Rule::Flag(false)),
    ("enableTransformations", Rule::NotBuilt),
    (ENFORCE_SCHEMAS, Rule::Flag(false)),
    ("logoUrl", Rule::Url),
    (SCAN_PAYLOADS, Rule::Choice(SCANS)),
    ("showFeatureTooltips", Rule::Flag(false)),
    ("showSvixBrandFooter", Rule::Flag(false)),
    ("showUseSvixPlay", Rule::Flag(true)),
    ("wipeSuccessfulPayload", Rule::NotBuilt),
];

const PALETTE: &[(&str, Rule)] = &[
    ("backgroundHover", Rule::Colour),
    ("backgroundPrimary", Rule::Colour),
    ("backgroundSecondary", Rule::Colour),
    ("borderPrimary", Rule::Colour),
    ("buttonPrimary", Rule::Colour),
    ("interactiveAccent", Rule::Colour),
    ("navigationAccent", Rule::Colour),
    ("primary", Rule::Colour),
    ("textDanger", Rule::Colour),
    ("textPrimary", Rule::Colour),
    ("textSecondary", Rule::Colour),
];

const STRINGS: &[(&str, Rule)] = &[
    ("channelsHelp", Rule::Text),
    ("channelsMany", Rule::Text),
    ("channelsOne", Rule::Text),
];

const THEME: &[(&str, Rule)] = &[
    ("borderRadius", Rule::Object(RADIUS)),
    (
        "fontSize",
        Rule::Object(&[("base", Rule::Number(u16::MAX))]),
    ),
];

const RADIUS: &[(&str, Rule)] = &[
    ("button", Rule::Word(RADII)),
    ("card", Rule::Word(RADII)),
    ("input", Rule::Word(RADII)),
];

const RADII: &[&str] = &["none", "lg", "md", "sm", "full"];

/// What is done about what should not be in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scan {
    /// It is not looked for.
    #[default]
    Off,
    /// It is a security event.
    Report,
    /// The message is refused.
    Refuse,
}

/// What is set. Only what somebody gave a value is in it, or `null` where it was to be as at first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings(Map<String, Value>);

impl Settings {
    /// The settings of an input, if each keeps its rule; else every rule that is broken, at its
    /// place within this one.
    pub(super) fn judge(input: Map<String, Value>, within: &[&str]) -> Result<Self, AppError> {
        let mut broken = Vec::new();
        judge_object(&mut broken, (within, RULES), &input);
        match broken.is_empty() {
            true => Ok(Self(input)),
            false => Err(AppError::Invalid(broken)),
        }
    }

    /// As they are kept.
    pub(super) fn read(written: Option<&[u8]>) -> Result<Self, AppError> {
        let Some(written) = written else {
            return Ok(Self::default());
        };
        serde_json::from_slice(written)
            .map(Self)
            .map_err(AppError::internal)
    }

    /// To be kept: what has a value.
    pub(super) fn written(&self) -> Vec<u8> {
        let members = self.0.iter().filter(|(_, value)| !value.is_null());
        let members: Map<_, _> = members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Value::Object(members).to_string().into_bytes()
    }

    /// With others over them.
    pub(super) fn with(mut self, others: &Self) -> Self {
        self.0.extend(others.0.clone());
        self
    }

    /// The names of those that mean something else in the other, for the audit log.
    pub(super) fn differing(&self, other: &Self) -> String {
        let (before, after) = (self.all(), other.all());
        changed(
            before
                .iter()
                .map(|(name, value)| (name.as_str(), after.get(name) != Some(value))),
        )
    }

    /// Whether a flag is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// What is done about what should not be in a payload.
    pub fn scan(&self) -> Scan {
        match self.0.get(SCAN_PAYLOADS).and_then(Value::as_str) {
            Some("report") => Scan::Report,
            Some("refuse") => Scan::Refuse,
            _ => Scan::Off,
        }
    }

    /// All that there are, by name.
    pub fn all(&self) -> Map<String, Value> {
        let value = |name: &str, rule: &Rule| {
            let set = self.0.get(name).filter(|value| !value.is_null());
            set.cloned().unwrap_or_else(|| rule.at_first())
        };
        let all = RULES
            .iter()
            .map(|(name, rule)| ((*name).to_owned(), value(name, rule)));
        all.collect()
    }
}

impl Rule {
    /// What it is where nobody said anything.
    fn at_first(self) -> Value {
        match self {
            Self::Flag(on) => json!(on),
            Self::NotBuilt => json!(false),
            Self::Nothing => json!([]),
            Self::Choice(words) => json!(words.first()),
            _ => Value::Null,
        }
    }

    /// What would be right, unless the value is.
    fn refuses(self, value: &Value) -> Option<String> {
        let text = value.as_str();
        let fine = match self {
            Self::Flag(_) => value.is_boolean(),
            Self::NotBuilt => value == &json!(false),
            Self::Nothing => value == &json!([]),
            Self::Colour => text.is_some_and(is_colour),
            Self::Url => text.is_some_and(is_web_address),
            Self::Font => text.is_some_and(is_font),
            Self::Word(words) | Self::Choice(words) => {
                text.is_some_and(|text| words.contains(&text))
            }
            Self::Number(most) => value.as_u64().is_some_and(|number| number <= most.into()),
            Self::Text | Self::Object(_) => true,
        };
        (!fine).then(|| self.wanted())
    }

    /// What it has to be, in a few words.
    pub fn wanted(self) -> String {
        match self {
            Self::Flag(_) => "must be `true` or `false`".to_owned(),
            Self::NotBuilt => "must be `false`: what it would switch on is not built".to_owned(),
            Self::Nothing => "must be empty: endpoints are called with HTTP, and what would be \
                              listed is not built"
                .to_owned(),
            Self::Colour => "must be a colour such as `#1a2b3c`".to_owned(),
            Self::Url => format!(
                "must be an `https://` or `http://` address of at most {URL_BYTES_MAX} bytes"
            ),
            Self::Font => {
                "must be the name of a font: letters, digits, spaces, `-` and `_`".to_owned()
            }
            Self::Word(words) | Self::Choice(words) => {
                format!("must be one of `{}`", words.join("`, `"))
            }
            Self::Number(most) => format!("must be a whole number from 0 to {most}"),
            Self::Text => "must be a text".to_owned(),
            Self::Object(_) => "must be an object".to_owned(),
        }
    }
}

/// What is null is as it was at first, whatever it is.
fn judge_object(
    broken: &mut Vec<Violation>,
    (within, rules): (&[&str], &[(&str, Rule)]),
    input: &Map<String, Value>,
) {
    for (name, value) in input {
        let place = [within, &[name.as_str()]].concat();
        let rule = rules.iter().find(|(known, _)| known == name);
        match (rule, value) {
            (None, _) => {
                let names: Vec<_> = rules.iter().map(|(name, _)| *name).collect();
                let text = format!("is no setting; there are {}", names.join(", "));
                broken.push(Violation::body(&place, text));
            }
            (Some(_), Value::Null) => {}
            (Some((_, Rule::Object(rules))), Value::Object(inner)) => {
                judge_object(broken, (&place, rules), inner);
            }
            (Some((_, Rule::Text)), Value::String(text)) => {
                let mut judge = Judge::new(within);
                judge.text(name, text);
                if let Err(AppError::Invalid(more)) = judge.finish() {
                    broken.extend(more);
                }
            }
            (Some((_, rule @ (Rule::Object(_) | Rule::Text))), _) => {
                broken.push(Violation::body(&place, rule.wanted()).unreadable());
            }
            (Some((_, rule)), value) => {
                broken.extend(
                    rule.refuses(value)
                        .map(|text| Violation::body(&place, text)),
                );
            }
        }
    }
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Nothing that runs, or breaks out of the page that it is put into.
fn is_web_address(text: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.unwrap_or_default();
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (host_and_port, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = host_and_port
        .split_once(':')
        .unwrap_or((host_and_port, "443"));
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.len() <= URL_BYTES_MAX
        && !host.is_empty()
        && host.bytes().all(of_host)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && is_plain(path)
        && is_plain(fragment)
}

/// The rest of an address, of what RFC 3986 allows there.
fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&*+,;=:@/?".contains(&byte);
    let mut parts = text.split('%');
    let before = parts.next().unwrap_or_default();
    let encoded = |part: &str| {
        let digits = part.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            && part.bytes().all(allowed)
    };
    before.bytes().all(allowed) && parts.all(encoded)
}

fn is_font(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_ ".contains(&byte);
    (1..=TEXT_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(input: Value) -> Result<Settings, Vec<String>> {
        let Value::Object(input) = input else {
            panic!("settings are an object");
        };
        match Settings::judge(input, &["settings"]) {
            Ok(settings) => Ok(settings),
            Err(AppError::Invalid(broken)) => {
                let told = |v: &Violation| format!("{}: {}", v.location.join("."), v.message);
                Err(broken.iter().map(told).collect())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn rules_are_sorted_as_they_are_told() {
        assert!(RULES.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn what_would_switch_on_what_is_not_built_is_refused() {
        for name in [
            "enableEndpointMtlsConfig",
            "enableEndpointOauthConfig",
            "enableIntegrationManagement",
            "enableMessageStream",
            "enableTransformations",
            "wipeSuccessfulPayload",
        ] {
            let told = judged(json!({ name: true })).expect_err("it is not built");
            assert!(told[0].contains("not built"), "{told:?}");
            judged(json!({ name: false })).expect("it is off");
        }
        let told = judged(json!({ "advancedEndpointTypes": ["sqs"] })).expect_err("not built");
        assert!(told[0].contains("not built"), "{told:?}");
        judged(json!({ "advancedEndpointTypes": [] })).expect("there are none");
    }

    #[test]
    fn what_is_no_setting_or_not_as_it_should_be_is_refused() {
        for (input, expected) in [
            (
                json!({ "enforceEventTypeSchema": true }),
                "is no setting; there are advanced",
            ),
            (
                json!({ "enforceEventTypeSchemas": "yes" }),
                "must be `true` or `false`",
            ),
            (json!({ "customColor": "red" }), "must be a colour"),
            (json!({ "customColor": "#12345" }), "must be a colour"),
            (
                json!({ "colorPaletteDark": { "primary": 1 } }),
                "colorPaletteDark.primary: must be",
            ),
            (
                json!({ "colorPaletteDark": { "other": "#fff" } }),
                "is no setting",
            ),
            (json!({ "colorPaletteDark": "#fff" }), "must be an object"),
            (
                json!({ "logoUrl": "javascript:alert(1)" }),
                "must be an `https://`",
            ),
            (json!({ "logoUrl": "https://" }), "must be an `https://`"),
            (
                json!({ "logoUrl": "https://a/\"><script>" }),
                "must be an `https://`",
            ),
            (
                json!({ "customFontFamily": "a;b" }),
                "must be the name of a font",
            ),
            (json!({ "displayName": 7 }), "must be a text"),
            (json!({ "displayName": "a\u{0}" }), "Control characters"),
            (
                json!({ "customThemeOverride": { "borderRadius": { "card": "xl" } } }),
                "must be one of `none`",
            ),
            (
                json!({ "customThemeOverride": { "fontSize": { "base": -1 } } }),
                "from 0 to 65535",
            ),
        ] {
            let told = judged(input.clone()).expect_err("it breaks a rule");
            assert!(told[0].starts_with("body.settings."), "{told:?}");
            assert!(told[0].contains(expected), "{input}: {told:?}");
        }
    }

    #[test]
    fn what_nobody_set_is_as_at_first_and_so_is_null() {
        let first = Settings::default().all();
        assert_eq!(first.len(), RULES.len());
        assert_eq!(first["showUseSvixPlay"], json!(true));
        assert_eq!(first["enforceEventTypeSchemas"], json!(false));
        assert_eq!(first["advancedEndpointTypes"], json!([]));
        assert_eq!(first["customColor"], json!(null));
        let set = judged(json!({ "customColor": "#fff", "enforceEventTypeSchemas": true }));
        let set = set.expect("they keep the rules");
        let read = Settings::read(Some(&set.written())).expect("it was written");
        assert_eq!(read, set);
        assert!(read.is_on(ENFORCE_SCHEMAS));
        let off = judged(json!({ "enforceEventTypeSchemas": null })).expect("null is fine");
        let after = read.with(&off);
        assert!(!after.is_on(ENFORCE_SCHEMAS));
        assert_eq!(after.all()["customColor"], json!("#fff"));
        assert_eq!(after.written(), br##"{"customColor":"#fff"}"##);
    }

    #[test]
    fn all_settings_can_be_given_back_as_they_are_told() {
        let all = Settings::default().all();
        let back = judged(Value::Object(all.clone())).expect("they are as at first");
        assert_eq!(back.all(), all);
    }
}
