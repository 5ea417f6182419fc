//! What the operator demands of endpoints: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{self, DemandsByType};
use crate::operation::{Routes, organisation};
use crate::render::{Answer, NoContent};
use app::environment::PolicyInput;
use axum::Json;
use axum::extract::State;
use model::policy::{Demand, Demands, Policy};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/environment/policy")
        .get(
            organisation("v1.environment.get-policy", "What is demanded of endpoints"),
            get,
        )
        .put(
            organisation(
                "v1.environment.set-policy",
                "Replaces it: endpoints that lack something of it get nothing from now on",
            ),
            put,
        )
}

/// What is to be demanded of endpoints: one that lacks something of it gets nothing, and says why.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EnvironmentPolicyIn")]
struct PolicyIn {
    /// Of all of them.
    #[serde(default)]
    #[schemars(with = "bounds::Demands")]
    require: Vec<Word>,
    /// For messages of these event types, besides: they need not be there yet.
    #[serde(default)]
    #[schemars(with = "DemandsByType")]
    event_types: BTreeMap<String, Vec<Word>>,
}

/// The same.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EnvironmentPolicyOut")]
struct PolicyOut {
    #[schemars(with = "bounds::Demands")]
    require: Vec<Word>,
    #[schemars(with = "DemandsByType")]
    event_types: BTreeMap<String, Vec<Word>>,
}

/// The API's word for something that is demanded.
#[derive(Clone, Copy)]
struct Word(Demand);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        let demand = Demand::named(&text);
        demand.map(Self).ok_or_else(|| {
            let all = Demand::ALL.map(Demand::as_str).join(", ");
            D::Error::custom(format!("must be one of {all}"))
        })
    }
}

impl From<PolicyIn> for PolicyInput {
    fn from(body: PolicyIn) -> Self {
        let demands = |words: Vec<Word>| words.into_iter().map(|Word(demand)| demand).collect();
        let own = body.event_types.into_iter();
        Self {
            require: demands(body.require),
            event_types: own.map(|(name, words)| (name, demands(words))).collect(),
        }
    }
}

impl From<Policy> for PolicyOut {
    fn from(policy: Policy) -> Self {
        let words = |demands: Demands| demands.iter().map(Word).collect();
        let own = policy.event_types.into_iter();
        Self {
            require: words(policy.require),
            event_types: own
                .map(|(name, demands)| (name.to_string(), words(demands)))
                .collect(),
        }
    }
}

async fn get(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<PolicyOut>> {
    Ok(Json(api.app.policy(&caller).await?.into()))
}

async fn put(State(api): State<Shared>, call: Call<PolicyIn>) -> Answer<NoContent> {
    call.caller.require_organisation()?;
    let input = call.json()?.into();
    api.app.set_policy(&call.caller, input).await?;
    Ok(NoContent)
}
