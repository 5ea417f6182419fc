//! Tokens for an application's own people: a link into the portal, and what its token is exchanged
//! for. Of the portal itself there is nothing here but where it is.

use crate::Shared;
use crate::applications::ApplicationIn;
use crate::authentication::Authenticated;
use crate::body::{Call, Posted};
use crate::bounds::{Session, Word};
use crate::messages::Addressee;
use crate::operation::{Routes, organisation, public};
use crate::render::Answer;
use app::access::limits::{CAPABILITIES, Capability};
use app::portal::{Exchanged, FLAGS_MAX, PORTAL_LIFETIME_MAX, PortalAccess, PortalInput};
use axum::Json;
use axum::extract::State;
use model::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the portal takes such a link's token, below the public URL.
const PORTAL: &str = "/portal/open/";

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/auth/app-portal-access/{app_id}")
        .post(
            organisation(
                "v1.authentication.app-portal-access",
                "A token for an application's own people, and a link for it",
            ),
            app_portal_access,
        )
        .and_at("/api/v1/auth/dashboard-access/{app_id}")
        .post(
            organisation(
                "v1.authentication.dashboard-access",
                "The same, as clients of old ask for it",
            )
            .hidden(),
            dashboard_access,
        )
        .and_at("/api/v1/auth/one-time-token")
        .post(
            public(
                "v1.authentication.exchange-one-time-token",
                "A token for one that is good once",
            ),
            exchange,
        )
}

/// What a token for an application's own people is to be.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct AppPortalAccessIn {
    /// The feature flags of event types that it sees besides those that all see.
    #[schemars(with = "Vec<Word>", length(max = FLAGS_MAX))]
    feature_flags: Vec<String>,
    /// Makes the application if there is none; its uid is the one in the path then.
    application: Option<ApplicationIn>,
    /// How long it is good, in seconds: at most 28 days, which is also what it is unless given.
    #[schemars(range(min = 1, max = PORTAL_LIFETIME_MAX.as_secs()))]
    expiry: Option<i64>,
    /// What it may do, `ViewBase` always among it; everything unless given.
    #[schemars(extend("contains" = { "const": AppPortalCapability::ViewBase }))]
    capabilities: Option<Vec<AppPortalCapability>>,
    /// It may only look, secrets excepted.
    read_only: Option<bool>,
    /// The session that it belongs to, by which it can be ended with others.
    #[schemars(with = "Option<Session>")]
    session_id: Option<String>,
}

/// What a token for an application's own people may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum AppPortalCapability {
    ViewBase,
    ViewEndpointSecret,
    ManageEndpointSecret,
    ManageTransformations,
    CreateAttempts,
    ManageEndpoint,
}

macro_rules! both_ways {
    ($($capability:ident)*) => {
        impl From<AppPortalCapability> for Capability {
            fn from(word: AppPortalCapability) -> Self {
                match word { $(AppPortalCapability::$capability => Self::$capability,)* }
            }
        }
        impl From<Capability> for AppPortalCapability {
            fn from(capability: Capability) -> Self {
                match capability { $(Capability::$capability => Self::$capability,)* }
            }
        }
    };
}

both_ways! {
    ViewBase ViewEndpointSecret ManageEndpointSecret ManageTransformations CreateAttempts
    ManageEndpoint
}

impl From<AppPortalAccessIn> for PortalInput {
    fn from(body: AppPortalAccessIn) -> Self {
        let capabilities = body.capabilities;
        Self {
            feature_flags: body.feature_flags,
            application: body.application.map(Into::into),
            expiry: body.expiry,
            capabilities: capabilities.map(|all| all.into_iter().map(Into::into).collect()),
            read_only: body.read_only.unwrap_or_default(),
            session: body.session_id,
        }
    }
}

/// A way into the portal.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AppPortalAccessOut {
    /// Where to send them. It lets in once, within 15 minutes.
    url: String,
    /// The application's token.
    token: String,
}

impl AppPortalAccessOut {
    /// Following it takes nothing yet: only the button on its page does.
    pub(crate) fn new(public_url: &str, access: &PortalAccess) -> Self {
        let once = text(&access.one_time_token);
        Self {
            url: format!("{public_url}{PORTAL}{once}"),
            token: text(&access.token),
        }
    }
}

/// A token that is good once.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OneTimeTokenIn {
    /// It is not good any more then.
    one_time_token: String,
}

/// What it was exchanged for.
#[derive(Serialize, JsonSchema)]
struct OneTimeTokenOut {
    /// The application's token.
    token: String,
    /// What it may do.
    capabilities: Vec<AppPortalCapability>,
}

impl From<Exchanged> for OneTimeTokenOut {
    fn from(exchanged: Exchanged) -> Self {
        let all = || CAPABILITIES.into_iter().collect();
        let capabilities = exchanged.capabilities.unwrap_or_else(all);
        Self {
            token: text(&exchanged.token),
            capabilities: capabilities.into_iter().map(Into::into).collect(),
        }
    }
}

/// A token, which is shown here on purpose.
pub(crate) fn text(token: &Secret) -> String {
    String::from_utf8_lossy(token.expose()).into_owned()
}

async fn app_portal_access(
    State(api): State<Shared>,
    Addressee(path): Addressee,
    call: Call<AppPortalAccessIn>,
) -> Answer<Json<AppPortalAccessOut>> {
    let recipient = api.app.recipient(&call.caller, path).await?;
    let body = call.json()?;
    let access = api
        .app
        .portal_access(&call.caller, recipient, body.into())
        .await?;
    let url = &api.config.public_url;
    Ok(Json(AppPortalAccessOut::new(url, &access)))
}

async fn dashboard_access(
    State(api): State<Shared>,
    Addressee(path): Addressee,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AppPortalAccessOut>> {
    let recipient = api.app.recipient(&caller, path).await?;
    let access = api
        .app
        .portal_access(&caller, recipient, PortalInput::default())
        .await?;
    let url = &api.config.public_url;
    Ok(Json(AppPortalAccessOut::new(url, &access)))
}

async fn exchange(
    State(api): State<Shared>,
    posted: Posted<OneTimeTokenIn>,
) -> Answer<Json<OneTimeTokenOut>> {
    let body = posted.json()?;
    let exchanged = api
        .app
        .exchange_one_time_token(&body.one_time_token, posted.remote_address)
        .await?;
    Ok(Json(exchanged.into()))
}
