//! What is set of a part, as the fields of its form have it. Secrets are in none.

use super::{Part, oauth};
use crate::posted::Fields;
use crate::problem::Answer;
use crate::seat::Seat;
use crate::tenant::place::set;
use crate::{Shared, rules};
use app::Tenant;
use app::endpoints::{CredentialView, EndpointView, MinTls};
use model::protection::{EncryptionKey, Signature};
use url::form_urlencoded;

pub(super) type Pairs = Vec<(&'static str, String)>;

/// The fields: in the form of a kind that the address names, of that kind.
pub(super) async fn fields(
    rooms: &Shared,
    seat: &Seat,
    ((tenant, view), part): ((&Tenant, &EndpointView), Part),
) -> Answer<Fields> {
    let id = view.endpoint.id.to_string();
    let app = &rooms.app;
    let pairs = match part {
        Part::Auth => {
            let auth = set(app.auth(tenant, &id))?;
            of_kind(seat, auth.map(|auth| credential(&auth.credential)))
        }
        Part::Ca => set(app.ca(tenant, &id))?.map_or_else(Vec::new, |ca| {
            let min_tls = match ca.min_tls {
                MinTls::Tls12 => "1.2",
                MinTls::Tls13 => "1.3",
            };
            vec![
                ("cert", ca.cert.unwrap_or_default()),
                ("minTls", min_tls.to_owned()),
            ]
        }),
        Part::Pins => set(app.pins(tenant, &id).await)?.map_or_else(Vec::new, |pins| {
            let texts: Vec<_> = pins.pins.iter().map(ToString::to_string).collect();
            vec![
                ("pins", texts.join("\n")),
                ("mode", pins.mode.as_str().to_owned()),
            ]
        }),
        Part::Encryption => {
            let encryption = set(app.encryption(tenant, &id))?;
            encryption.map_or_else(Vec::new, |one| recipient(one.key, one.algorithm))
        }
        Part::Redaction => {
            let redaction = set(app.endpoint_redaction(tenant, &id))?;
            redaction.map_or_else(Vec::new, |redaction| {
                let allowed: Vec<_> = redaction.allowed.iter().map(|path| path.as_str()).collect();
                vec![
                    ("rules", rules::written(&redaction.rules)),
                    ("allowSensitive", allowed.join("\n")),
                ]
            })
        }
        Part::Payload => set(app.payload_mode(tenant, &id))?
            .map_or_else(Vec::new, |mode| vec![("mode", mode.as_str().to_owned())]),
        Part::Signature => set(app.signature(tenant, &id))?.map_or_else(Vec::new, scheme),
        Part::Oauth => app.oauth(tenant, &id)?.map_or_else(Vec::new, oauth::filled),
        Part::Mtls | Part::Headers => Vec::new(),
    };
    let pairs = pairs.into_iter();
    let pairs: Vec<_> = pairs.map(|(name, text)| (name.to_owned(), text)).collect();
    Ok(pairs.into())
}

/// What is set, unless the form of another kind is asked for.
fn of_kind(seat: &Seat, set: Option<Pairs>) -> Pairs {
    let set = set.unwrap_or_default();
    let query = seat.here.split_once('?').map_or("", |(_, query)| query);
    let mut asked = form_urlencoded::parse(query.as_bytes());
    let Some((_, kind)) = asked.find(|(name, _)| name == "kind") else {
        return set;
    };
    match set
        .iter()
        .any(|(name, text)| *name == "kind" && *text == kind)
    {
        true => set,
        false => vec![("kind", kind.into_owned())],
    }
}

fn credential(credential: &CredentialView) -> Pairs {
    match credential {
        CredentialView::Basic { username, .. } => {
            vec![("kind", "basic".to_owned()), ("username", username.clone())]
        }
        CredentialView::Bearer { .. } => vec![("kind", "bearer".to_owned())],
        CredentialView::ApiKey { place, name, .. } => vec![
            ("kind", "apiKey".to_owned()),
            ("in", place.as_str().to_owned()),
            ("name", name.clone()),
        ],
        CredentialView::HttpSignature(signature) => vec![
            ("kind", "httpSignature".to_owned()),
            ("algorithm", signature.algorithm.as_str().to_owned()),
        ],
    }
}

fn recipient(key: EncryptionKey, algorithm: Option<String>) -> Pairs {
    let mut pairs = match key {
        EncryptionKey::Given(jwk) => vec![("jwk", jwk)],
        EncryptionKey::Published { url, key_id } => {
            vec![("jwksUrl", url), ("kid", key_id.unwrap_or_default())]
        }
    };
    pairs.push(("alg", algorithm.unwrap_or_default()));
    pairs
}

fn scheme(signature: Signature) -> Pairs {
    let mut pairs = vec![("scheme", signature.name().to_owned())];
    if let Signature::Generic(described) = signature {
        pairs.extend([
            ("header", described.header),
            ("hash", described.hash),
            ("encoding", described.encoding),
            ("prefix", described.prefix),
            ("template", described.template),
            (
                "timestampHeader",
                described.timestamp_header.unwrap_or_default(),
            ),
        ]);
    }
    pairs
}
