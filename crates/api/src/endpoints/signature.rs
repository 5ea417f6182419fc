//! By which scheme an endpoint's deliveries are signed: shapes, routes, handlers. Nothing in it is
//! secret: the key is the endpoint's signing secret.

use super::part::{self, At, Part};
use crate::bounds::{SchemeHeader, SchemePrefix, SchemeTemplate, SignatureEncoding, SignatureHash};
use crate::operation::{Routes, application};
use app::AppError;
use app::access::limits::Capability;
use model::protection::{GenericSignature, Sender, Signature};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/signature")
        .get(
            application(
                "v1.endpoint.get-signature",
                "By which scheme its deliveries are signed, if not by Standard Webhooks",
            ),
            part::get::<Signed>,
        )
        .put(
            application("v1.endpoint.set-signature", "Replaces it")
                .needs(Capability::ManageEndpoint),
            part::put::<Signed>,
        )
        .delete(
            application(
                "v1.endpoint.delete-signature",
                "Takes it away: Standard Webhooks holds again",
            )
            .needs(Capability::ManageEndpoint),
            part::delete::<Signed>,
        )
}

struct Signed;

impl Part for Signed {
    type In = Scheme;
    type Out = Scheme;

    async fn get(at: At<'_>) -> Result<Scheme, AppError> {
        Ok(at.app.signature(at.tenant, at.endpoint)?.into())
    }

    async fn put(at: At<'_>, body: Scheme) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_signature(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.app
            .delete_signature(at.caller, at.tenant, at.endpoint)
            .await
    }
}

/// Standard Webhooks, the scheme of a known sender, or an HMAC that is described.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(
    tag = "scheme",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[schemars(inline)]
enum Scheme {
    StandardWebhooks {},
    Github {},
    Stripe {},
    Shopify {},
    Slack {},
    Generic {
        /// What carries the signature.
        #[schemars(with = "SchemeHeader")]
        header: String,
        #[schemars(with = "SignatureHash")]
        hash: String,
        #[schemars(with = "SignatureEncoding")]
        encoding: String,
        /// What stands before the digest, such as `sha256=`.
        #[serde(default)]
        #[schemars(with = "SchemePrefix")]
        prefix: String,
        /// What is signed, of `{id}`, `{timestamp}` and `{body}`.
        #[serde(default = "body_alone")]
        #[schemars(with = "SchemeTemplate")]
        template: String,
        /// What carries a signed time, where it isn't `webhook-timestamp`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<SchemeHeader>")]
        timestamp_header: Option<String>,
    },
}

/// What is signed unless it is said.
pub(crate) fn body_alone() -> String {
    "{body}".to_owned()
}

impl From<Scheme> for Signature {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::StandardWebhooks {} => Self::StandardWebhooks,
            Scheme::Github {} => Self::Of(Sender::Github),
            Scheme::Stripe {} => Self::Of(Sender::Stripe),
            Scheme::Shopify {} => Self::Of(Sender::Shopify),
            Scheme::Slack {} => Self::Of(Sender::Slack),
            Scheme::Generic {
                header,
                hash,
                encoding,
                prefix,
                template,
                timestamp_header,
            } => Self::Generic(GenericSignature {
                header,
                hash,
                encoding,
                prefix,
                template,
                timestamp_header,
            }),
        }
    }
}

impl From<Signature> for Scheme {
    fn from(signature: Signature) -> Self {
        match signature {
            Signature::StandardWebhooks => Self::StandardWebhooks {},
            Signature::Of(Sender::Github) => Self::Github {},
            Signature::Of(Sender::Stripe) => Self::Stripe {},
            Signature::Of(Sender::Shopify) => Self::Shopify {},
            Signature::Of(Sender::Slack) => Self::Slack {},
            Signature::Generic(GenericSignature {
                header,
                hash,
                encoding,
                prefix,
                template,
                timestamp_header,
            }) => Self::Generic {
                header,
                hash,
                encoding,
                prefix,
                template,
                timestamp_header,
            },
        }
    }
}
