//! What the forms of the parts do: what was typed becomes what a use case takes, which judges it.

use super::{Part, oauth};
use crate::Shared;
use crate::posted::Fields;
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::tenant::place::wrong;
use app::Tenant;
use app::endpoints::{
    AuthInput, CaInput, CredentialInput, EncryptionInput, EndpointView, HeadersPatch,
    HttpSignatureInput, MinTls, MtlsInput, PinsInput, RedactionInput,
};
use app::event_types::RuleInput;
use model::protection::{
    GenericSignature, HttpSignatureAlgorithm, KeyPlace, PayloadMode, PinningMode, Sender, Signature,
};
use model::redaction::Action;
use model::{Secret, Timestamp};
use serde::Deserialize;
use std::time::Duration;

/// How long the one before goes on being used, where somebody wants that.
const BEFORE: Duration = Duration::from_secs(86_400);

/// Sets a part to what its form says.
pub(super) async fn save(
    rooms: &Shared,
    seat: &Seat,
    ((tenant, view), part): ((&Tenant, &EndpointView), Part),
    fields: &Fields,
) -> Answer<()> {
    let id = view.endpoint.id.to_string();
    let (app, by) = (&rooms.app, &seat.caller);
    let previous_expires_at = before(rooms, fields);
    let saved = match part {
        Part::Auth => {
            let input = AuthInput {
                credential: credential(fields)?,
                previous_expires_at,
            };
            app.put_auth(by, tenant, &id, input).await
        }
        Part::Mtls => {
            let input = MtlsInput {
                identity: secret(fields, "identity"),
                password: fields.some("password").map(Secret::from),
                previous_expires_at,
            };
            app.put_mtls(by, tenant, &id, input).await
        }
        Part::Ca => app.put_ca(by, tenant, &id, authorities(fields)).await,
        Part::Pins => app.put_pins(by, tenant, &id, pins(fields)?).await,
        Part::Encryption => app.put_encryption(by, tenant, &id, recipient(fields)).await,
        Part::Redaction => {
            let input = redaction(fields)?;
            app.put_endpoint_redaction(by, tenant, &id, input).await
        }
        Part::Payload => app.put_payload_mode(by, tenant, &id, mode(fields)?).await,
        Part::Signature => app.put_signature(by, tenant, &id, scheme(fields)?).await,
        Part::Headers => {
            let value = fields.text("headers").to_owned();
            let mut patch = HeadersPatch::default();
            patch
                .headers
                .insert(fields.text("name").to_owned(), Some(value));
            app.patch_headers(by, tenant, &id, patch).await
        }
        Part::Oauth => {
            let before = app.oauth(tenant, &id)?;
            let input = oauth::input(fields, (before, previous_expires_at))?;
            app.put_oauth(by, tenant, &id, input).await
        }
    };
    Ok(saved?)
}

/// Takes one header away.
pub(super) async fn remove_header(
    rooms: &Shared,
    seat: &Seat,
    (tenant, view): (&Tenant, &EndpointView),
    name: &str,
) -> Answer<()> {
    let id = view.endpoint.id.to_string();
    let patch = HeadersPatch {
        delete: vec![name.to_owned()],
        ..HeadersPatch::default()
    };
    let removed = rooms.app.patch_headers(&seat.caller, tenant, &id, patch);
    Ok(removed.await?)
}

fn before(rooms: &Shared, fields: &Fields) -> Option<Timestamp> {
    let until = || rooms.app.clock.now().plus(BEFORE);
    fields.is_on("before").then(until)
}

/// As it was typed: white space may be a part of it.
fn secret(fields: &Fields, name: &str) -> Secret {
    Secret::from(fields.raw(name).to_owned())
}

/// What a choice can't have been, unless somebody else made the form.
pub(super) fn no_choice(field: &str) -> Refused {
    wrong(field, "must be one of the choices")
}

fn credential(fields: &Fields) -> Answer<CredentialInput> {
    Ok(match fields.text("kind") {
        "basic" => CredentialInput::Basic {
            username: fields.text("username").to_owned(),
            password: secret(fields, "password"),
        },
        "bearer" => CredentialInput::Bearer {
            token: secret(fields, "token"),
        },
        "apiKey" => CredentialInput::ApiKey {
            place: match fields.text("in") {
                "header" => KeyPlace::Header,
                "query" => KeyPlace::Query,
                _ => return Err(no_choice("in")),
            },
            name: fields.text("name").to_owned(),
            value: secret(fields, "value"),
        },
        "httpSignature" => CredentialInput::HttpSignature(HttpSignatureInput {
            algorithm: match fields.text("algorithm") {
                "ed25519" => HttpSignatureAlgorithm::Ed25519,
                "hmac-sha256" => HttpSignatureAlgorithm::HmacSha256,
                _ => return Err(no_choice("algorithm")),
            },
            key: fields.some("key").map(Secret::from),
            components: fields.list("components"),
        }),
        _ => return Err(no_choice("kind")),
    })
}

fn authorities(fields: &Fields) -> CaInput {
    CaInput {
        cert: fields.some("cert"),
        min_tls: match fields.text("minTls") {
            "1.3" => MinTls::Tls13,
            _ => MinTls::Tls12,
        },
    }
}

fn pins(fields: &Fields) -> Answer<PinsInput> {
    Ok(PinsInput {
        pins: fields.list("pins"),
        mode: match fields.text("mode") {
            "enforce" => PinningMode::Enforce,
            "report" => PinningMode::Report,
            "firstUse" => PinningMode::FirstUse,
            _ => return Err(no_choice("mode")),
        },
    })
}

fn recipient(fields: &Fields) -> EncryptionInput {
    EncryptionInput {
        jwk: fields.some("jwk"),
        jwks_url: fields.some("jwksUrl"),
        kid: fields.some("kid"),
        alg: fields.some("alg"),
        enc: None,
    }
}

fn mode(fields: &Fields) -> Answer<PayloadMode> {
    match fields.text("mode") {
        "full" => Ok(PayloadMode::Full),
        "thin" => Ok(PayloadMode::Thin),
        _ => Err(no_choice("mode")),
    }
}

fn scheme(fields: &Fields) -> Answer<Signature> {
    let text = |name| fields.text(name).to_owned();
    let name = fields.text("scheme");
    if let Some(sender) = Sender::ALL.into_iter().find(|one| one.as_str() == name) {
        return Ok(Signature::Of(sender));
    }
    match name {
        "standard-webhooks" => Ok(Signature::StandardWebhooks),
        "generic" => Ok(Signature::Generic(GenericSignature {
            header: text("header"),
            hash: text("hash"),
            encoding: text("encoding"),
            prefix: text("prefix"),
            template: fields.some("template").unwrap_or("{body}".to_owned()),
            timestamp_header: fields.some("timestampHeader"),
        })),
        _ => Err(no_choice("scheme")),
    }
}

/// A rule as the API takes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TypedRule {
    path: String,
    action: Word,
    keep_last: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Word {
    Drop,
    Mask,
    Hash,
}

fn redaction(fields: &Fields) -> Answer<RedactionInput> {
    Ok(RedactionInput {
        rules: rules(fields.text("rules"))?,
        allow_sensitive: fields.list("allowSensitive"),
    })
}

/// Rules that were typed; none where nothing was.
pub(crate) fn rules(text: &str) -> Answer<Vec<RuleInput>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let typed: Vec<TypedRule> = serde_json::from_str(text)
        .map_err(|error| wrong("rules", format!("must be a list of rules as JSON: {error}")))?;
    let rules = typed.into_iter().map(|rule| RuleInput {
        path: rule.path,
        action: match rule.action {
            Word::Drop => Action::Drop,
            Word::Hash => Action::Hash,
            Word::Mask => Action::Mask { keep_last: 0 },
        },
        keep_last: rule.keep_last,
    });
    Ok(rules.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::endpoints::protection::current;
    use model::redaction::Rule;

    #[test]
    fn rules_are_read_as_they_are_shown() {
        let shown = current::rules(&[
            Rule {
                path: "/a".parse().expect("a path"),
                action: Action::Mask { keep_last: 4 },
            },
            Rule {
                path: "$.b".parse().expect("a path"),
                action: Action::Drop,
            },
        ]);
        let read = rules(&shown).expect("they are rules");
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].path.as_str(), read[0].keep_last), ("/a", Some(4)));
        assert_eq!(
            (read[1].path.as_str(), read[1].action),
            ("$.b", Action::Drop)
        );
        assert!(rules("").expect("nothing is no rule").is_empty());
        let refused = rules("[{}]").expect_err("it is no rule");
        assert_eq!(refused.violations()[0].0, "rules");
    }
}
