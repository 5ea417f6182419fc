//! What texts, lists and numbers of requests may be, as the document says it: the domain's own
//! bounds. Nothing is refused here: use cases judge, and know more rules than a document can say.

use app::access::SESSION_BYTES_MAX;
use app::endpoints::{
    AUTHORITIES_BYTES_MAX, COMPONENT_BYTES_MAX, COMPONENTS_MAX, CREDENTIAL_NAME_MAX,
    CREDENTIAL_SECRET_MAX, HEADER_NAME_BYTES_MAX, HEADER_VALUE_BYTES_MAX, HEADERS_MAX,
    IDENTITY_BYTES_MAX, PINS_MAX, TEXT_SECRET_BYTES_MAX, TOKEN_HEADERS_MAX, UNSIGNABLE,
    WRITTEN_LATER,
};
use app::environment::settings::URL_BYTES_MAX;
use app::filter::WORDS_MAX;
use app::messages::{RETENTION_HOURS, TAGS_MAX};
use app::sources::{NAME_LENGTH, SECRET_BYTES_MAX};
use model::alerts::{
    AT_ONCE, DEDUP_SECONDS, DIGEST_SECONDS, MAIL_ADDRESS_BYTES_MAX, MAIL_ADDRESS_PATTERN,
    RECIPIENTS_MAX,
};
use model::id::{Kind, TEXT_LENGTH};
use model::message::RETENTION_DAYS;
use model::name::{NAME_BYTES_MAX, NAME_PATTERN};
use model::policy::{Demand, EVENT_TYPES_MAX as POLICY_EVENT_TYPES_MAX};
use model::security::{SecurityKind, Severity};
use model::source::SOURCE_UID_BYTES_MAX;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// Shapes that stand in for what a field is parsed as: `#[schemars(with = "Option<Word>")]`.
macro_rules! shapes {
    ($($(#[$doc:meta])* $shape:ident: $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $shape {}

        impl JsonSchema for $shape {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($shape).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

shapes! {
    /// A word of the domain: a name, a uid, a channel.
    Word: word();
    /// A text for people.
    Text: text(0);
    /// A text for people that is not empty.
    SomeText: text(1);
    /// Notes beside a thing.
    Notes: json_schema!({
        "type": "object",
        "propertyNames": { "pattern": WITHOUT_NUL },
        "additionalProperties": { "type": "string", "pattern": WITHOUT_NUL },
    });
    /// Attempts per second.
    Rate: json_schema!({ "type": "integer", "minimum": 1, "maximum": u16::MAX });
    /// What is counted from 1 on.
    Ordinal: json_schema!({ "type": "integer", "minimum": 1, "maximum": u16::MAX });
    /// Headers with their values.
    Headers: headers(HEADERS_MAX, json!("string"));
    /// Headers of a request for a token.
    TokenHeaders: headers(TOKEN_HEADERS_MAX, json!("string"));
    /// Headers with their new values, or with null: those are taken away.
    HeaderChanges: headers(HEADERS_MAX, json!(["string", "null"]));
    /// A URL that is called with HTTP.
    WebUrl: json_schema!({ "type": "string", "format": "uri", "pattern": web_url() });
    /// Where access tokens are asked for.
    TokenUrl: json_schema!({
        "type": "string", "format": "uri", "pattern": fetched_url(),
    });
    /// Parameters of a form.
    Params: json_schema!({
        "type": "object",
        "propertyNames": { "minLength": 1 },
        "additionalProperties": { "type": "string" },
    });
    /// JSON Schemas by version.
    Schemas: json_schema!({
        "type": "object", "additionalProperties": { "type": ["object", "boolean"] },
    });
    /// A list that is empty: what would be in it is not built.
    Nothing: json_schema!({ "type": "array", "items": {}, "maxItems": 0 });
    /// A flag that is off: what it would switch on is not built.
    Off: json_schema!({ "type": "boolean", "enum": [false] });
    /// A colour.
    Colour: json_schema!({
        "type": "string", "format": "color",
        "pattern": "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$",
    });
    /// What is done about what should not be in payloads.
    ScanPayloads: json_schema!({ "type": "string", "enum": ["off", "report", "refuse"] });
    /// What endpoints must have.
    Demands: demands();
    /// The same, by event type.
    DemandsByType: json_schema!({
        "type": "object", "maxProperties": POLICY_EVENT_TYPES_MAX,
        "propertyNames": word(), "additionalProperties": demands(),
    });
    /// For how long the same is not told of again.
    AlertsDedup: seconds(&DEDUP_SECONDS);
    /// How much time is between digests of alerts.
    AlertsDigest: seconds(&DIGEST_SECONDS);
    /// How many alerts go out at once.
    AlertsAtOnce: json_schema!({
        "type": "integer", "minimum": AT_ONCE.start(), "maximum": AT_ONCE.end(),
    });
    /// Whom letters go to.
    MailAddresses: json_schema!({
        "type": "array", "minItems": 1, "maxItems": RECIPIENTS_MAX,
        "items": {
            "type": "string", "format": "email", "pattern": MAIL_ADDRESS_PATTERN,
            "maxLength": MAIL_ADDRESS_BYTES_MAX,
        },
    });
    /// How bad something is.
    Severities: json_schema!({ "type": "string", "enum": (Severity::ALL.map(Severity::as_str)) });
    /// Kinds of security events.
    SecurityKinds: security_kinds();
    /// The address of a picture or font.
    PictureUrl: json_schema!({
        "type": "string", "format": "uri", "maxLength": URL_BYTES_MAX,
        "pattern": PICTURE_URL,
    });
    /// The name of a font.
    Font: json_schema!({
        "type": "string", "pattern": "^[a-zA-Z0-9_ -]+$", "maxLength": app::TEXT_BYTES_MAX,
    });
    /// The name of a session.
    Session: json_schema!({
        "type": "string", "pattern": "^[a-zA-Z0-9@_-]+$",
        "minLength": 1, "maxLength": SESSION_BYTES_MAX,
    });
    /// A user name of HTTP Basic.
    UserName: json_schema!({
        "type": "string", "pattern": r"^[^:\u0000-\u001f\u007f]*$",
        "minLength": 1, "maxLength": CREDENTIAL_NAME_MAX,
    });
    /// A password of HTTP Basic.
    Password: json_schema!({
        "type": "string", "pattern": r"^[^\u0000-\u001f\u007f]*$",
        "minLength": 1, "maxLength": CREDENTIAL_SECRET_MAX,
    });
    /// A token, or the value of a key.
    Token: json_schema!({
        "type": "string", "pattern": "^[!-~]*$", "minLength": 1, "maxLength": CREDENTIAL_SECRET_MAX,
    });
    /// The name of a header or parameter that has a key.
    KeyName: json_schema!({
        "type": "string", "pattern": "^[A-Za-z0-9._~-]*$",
        "minLength": 1, "maxLength": CREDENTIAL_NAME_MAX,
    });
    /// Certificates of authorities.
    Authorities: json_schema!({
        "type": "string", "minLength": 1, "maxLength": AUTHORITIES_BYTES_MAX,
    });
    /// A client certificate with its key.
    Identity: json_schema!({ "type": "string", "minLength": 1, "maxLength": IDENTITY_BYTES_MAX });
    /// Pins of certificates' keys.
    SomePins: pins(1);
    /// The same, or none.
    AnyPins: pins(0);
    /// A pin of a certificate's key.
    PinText: json_schema!({ "type": "string", "pattern": PIN });
    /// A signing secret.
    Secret: json_schema!({ "type": "string", "pattern": SECRET });
    /// A signing secret for whatever scheme: any text for those of other senders.
    AnySecret: json_schema!({ "type": "string", "anyOf": [
        { "pattern": SECRET },
        {
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$", "not": { "pattern": "^wh[sp]k_" },
            "minLength": 1, "maxLength": TEXT_SECRET_BYTES_MAX,
        },
    ]});
    /// A key that signs HTTP messages.
    HttpSignatureKey: json_schema!({ "type": "string", "pattern": SECRET });
    /// What a signature over a request covers besides what it always does.
    Components: json_schema!({
        "type": "array", "maxItems": COMPONENTS_MAX,
        "items": {
            "type": "string", "pattern": COMPONENT,
            "not": { "enum": ([&UNSIGNABLE[..], &WRITTEN_LATER].concat()) },
            "maxLength": COMPONENT_BYTES_MAX,
        },
    });
    /// A header that a signature scheme writes.
    SchemeHeader: json_schema!({
        "type": "string", "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", "maxLength": 128,
    });
    /// What stands before a digest.
    SchemePrefix: json_schema!({
        "type": "string", "pattern": "^([!-~][ -~]*)?$", "maxLength": 128,
    });
    /// What is signed.
    SchemeTemplate: json_schema!({
        "type": "string", "pattern": TEMPLATE, "maxLength": 256,
    });
    /// What an HMAC is made with.
    SignatureHash: json_schema!({ "type": "string", "enum": ["sha256", "sha512", "sha1"] });
    /// How a digest is written.
    SignatureEncoding: json_schema!({ "type": "string", "enum": ["hex", "base64"] });
    /// The words of a filter.
    FilterWords: json_schema!({ "type": "array", "items": word(), "maxItems": WORDS_MAX });
    /// Tags of a message.
    Tags: json_schema!({ "type": "array", "items": word(), "maxItems": TAGS_MAX });
    /// The name of a source.
    SourceName: json_schema!({
        "type": "string", "pattern": r"^[^\u0000-\u0008]*$",
        "minLength": NAME_LENGTH.start(), "maxLength": NAME_LENGTH.end(),
    });
    /// A source's uid.
    SourceUid: json_schema!({
        "type": "string", "pattern": "^[a-zA-Z0-9_-]+$",
        // Of what is no text, a pattern says nothing: null is none of these.
        "not": { "type": "string", "pattern": "^src_" },
        "minLength": 1, "maxLength": SOURCE_UID_BYTES_MAX,
    });
    /// What a source's requests are signed with, or the public key of it.
    SourceSecret: json_schema!({
        "type": "string", "minLength": 1, "maxLength": SECRET_BYTES_MAX,
    });
    /// A network, or an address.
    Network: json_schema!({
        "type": "string",
        "pattern": "^([0-9]+(\\.[0-9]+){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(/[0-9]+)?$",
    });
    /// What an ed25519 signature, or a MAC, over a whole request is verified with.
    VerifyingKey: json_schema!({
        "type": "string", "pattern": "^wh(pk|sec)_[A-Za-z0-9+/]+=*$",
    });
    /// For how many days a payload is kept.
    RetentionDays: json_schema!({
        "type": "integer", "minimum": RETENTION_DAYS.start(), "maximum": RETENTION_DAYS.end(),
    });
    /// For how many hours a payload is kept.
    RetentionHours: json_schema!({
        "type": "integer", "minimum": RETENTION_HOURS.start(), "maximum": RETENTION_HOURS.end(),
    });
}

fn seconds(bounds: &RangeInclusive<u64>) -> Schema {
    json_schema!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() })
}

fn security_kinds() -> Schema {
    let kinds: Vec<_> = SecurityKind::ALL.iter().map(|kind| kind.as_str()).collect();
    json_schema!({
        "type": "array", "minItems": 1, "items": { "type": "string", "enum": kinds },
    })
}

/// A host is a name, whose last part is no number, or an address in its usual form.
const WEB_HOST: &str = concat!(
    r"(([A-Za-z0-9_-]+\.)*[A-Za-z_][A-Za-z0-9_-]*\.?",
    r"|([0-9]+\.){3}[0-9]+|\[[0-9A-Fa-f:]+\])(:[0-9]*)?([/?#]|$)",
);

fn web_url() -> String {
    format!("^https?://([^/?#@]*@)?{WEB_HOST}")
}

/// Where keys or tokens are fetched: without a user name, and over TLS. That plain HTTP does to
/// this machine is left out.
pub(crate) fn fetched_url() -> String {
    format!("^https://{WEB_HOST}")
}

/// Nothing that could end the text or address that it is put into.
const PICTURE_URL: &str = concat!(
    r"^https?://[A-Za-z0-9._~-]+(:[0-9]+)?",
    r"([/?]([A-Za-z0-9._~!$&*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    r"(#([A-Za-z0-9._~!$&*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$",
);

/// No U+0000, which no store keeps in a text.
const WITHOUT_NUL: &str = r"^[^\u0000]*$";

/// Base64 of 24 to 75 bytes, or of the 64 of an ed25519 key with its public half.
const SECRET: &str = concat!(
    "^(whsec_([A-Za-z0-9+/]{4}){8,24}([A-Za-z0-9+/]{4}",
    "|[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?",
    "|whsk_[A-Za-z0-9+/]{85}[AQgw]==)$",
);

/// A header's name in lower case, or a part of the target.
const COMPONENT: &str = concat!(
    "^([a-z0-9!#$%&'*+.^_`|~-]+",
    "|@(method|target-uri|authority|scheme|request-target|path|query))$",
);

/// What `{body}` is in once, and other braces only around the two other names.
const TEMPLATE: &str = r"^([^{}]|\{(id|timestamp)\})*\{body\}([^{}]|\{(id|timestamp)\})*$";

/// Base64 of 32 bytes.
const PIN: &str = "^sha256/[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$";

fn pins(least: usize) -> Schema {
    json_schema!({
        "type": "array", "items": { "type": "string", "pattern": PIN },
        "minItems": least, "maxItems": PINS_MAX, "uniqueItems": true,
    })
}

/// At least one word, and at most so many.
pub(crate) enum Words<const MOST: usize> {}

impl<const MOST: usize> JsonSchema for Words<MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Words{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let items = word();
        json_schema!({ "type": "array", "items": items, "minItems": 1, "maxItems": MOST })
    }
}

fn demands() -> Schema {
    let words = Demand::ALL.map(Demand::as_str);
    json_schema!({ "type": "array", "items": { "type": "string", "enum": words } })
}

/// What a word may be.
pub(crate) fn word() -> Schema {
    json_schema!({
        "type": "string", "pattern": NAME_PATTERN, "minLength": 1, "maxLength": NAME_BYTES_MAX,
    })
}

/// Where to go on in a list by id: an id, with a `-` before it to go back. The first digit is as
/// low as that of every time before June 2081.
pub(crate) fn iterator<K: Kind>() -> Value {
    let pattern = format!("^-?{}$", id::<K>());
    json!({ "type": "string", "pattern": pattern })
}

/// The same in a list that has no way back.
pub(crate) fn forward_iterator<K: Kind>() -> Value {
    let pattern = format!("^{}$", id::<K>());
    json!({ "type": "string", "pattern": pattern })
}

/// The same as the shape of a field.
pub(crate) struct ForwardIterator<K>(PhantomData<K>);

impl<K: Kind> JsonSchema for ForwardIterator<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ForwardIterator{}", K::PREFIX).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(forward_iterator::<K>()).expect("an object is a schema")
    }
}

fn id<K: Kind>() -> String {
    let (prefix, rest) = (K::PREFIX, TEXT_LENGTH - 1);
    format!("{prefix}[0-9A-H][0-9A-Za-z]{{{rest}}}")
}

/// The same as the shape of a field.
pub(crate) struct IteratorOf<K>(PhantomData<K>);

impl<K: Kind> JsonSchema for IteratorOf<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Iterator{}", K::PREFIX).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(iterator::<K>()).expect("an object is a schema")
    }
}

/// The same in a list by name.
pub(crate) fn iterator_by_name() -> Value {
    let length = NAME_BYTES_MAX + 1;
    json!({ "type": "string", "pattern": r"^-?[a-zA-Z0-9\-_.]+$", "maxLength": length })
}

fn text(least: usize) -> Schema {
    json_schema!({
        "type": "string", "pattern": r"^[^\u0000-\u0008]*$",
        "minLength": least, "maxLength": app::TEXT_BYTES_MAX,
    })
}

/// RFC 9110, 5.6.2 and 5.5.
fn headers(most: usize, kind: Value) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": most,
        "propertyNames": {
            "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", "maxLength": HEADER_NAME_BYTES_MAX,
        },
        "additionalProperties": {
            "type": kind, "pattern": r"^[\t -~]*$", "maxLength": HEADER_VALUE_BYTES_MAX,
        },
    })
}
