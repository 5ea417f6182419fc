//! What the forms of the parts do: what was typed becomes what a use case takes, which judges it.

use super::{Part, oauth};
use crate::posted::Fields;
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::tenant::place::wrong;
use crate::{Shared, rules};
use app::Tenant;
use app::endpoints::{
    AuthInput, CaInput, CredentialInput, EncryptionInput, EndpointView, HeadersPatch,
    HttpSignatureInput, MinTls, MtlsInput, PinsInput, RedactionInput,
};
use model::protection::{
    GenericSignature, HttpSignatureAlgorithm, KeyPlace, PayloadMode, PinningMode, Sender, Signature,
};
use model::{Secret, Timestamp};
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

fn redaction(fields: &Fields) -> Answer<RedactionInput> {
    Ok(RedactionInput {
        rules: rules::read(fields.text("rules"))?,
        allow_sensitive: fields.list("allowSensitive"),
    })
}
