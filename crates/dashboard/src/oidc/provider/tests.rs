//! What is asked of a provider, and how often: against one that is a function. Whom its statements
//! let in is tried end to end.

use super::*;
use crate::oidc::{Exchange, RoleRule};
use http::{Request, Response};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Mutex as Lock;
use tokio::time::advance;

const ISSUER: &str = "https://id.example.com";

/// Answers what it is told to, and keeps what it was asked for.
#[derive(Default)]
struct Fake {
    /// What it says beside what it has to; `None`: it is away.
    says: Lock<Option<Value>>,
    asked: Lock<Vec<String>>,
}

impl Fake {
    fn saying(says: Value) -> Arc<Self> {
        let fake = Self::default();
        fake.say(Some(says));
        Arc::new(fake)
    }

    fn say(&self, says: Option<Value>) {
        *self.says.lock().unwrap() = says;
    }

    fn answer(&self, path: &str) -> Result<Value, ExchangeError> {
        let says = self.says.lock().unwrap().clone();
        let says = says.ok_or_else(|| ExchangeError::Unanswered("it is away".into()))?;
        if path == "/keys" {
            return Ok(json!({"keys": []}));
        }
        let mut body = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        for (name, value) in says.as_object().unwrap() {
            body[name] = value.clone();
        }
        Ok(body)
    }

    fn asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap()).len()
    }
}

impl Exchange for Fake {
    fn exchange(
        &self,
        request: Request<Vec<u8>>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, ExchangeError>> + Send + '_>> {
        self.asked.lock().unwrap().push(request.uri().to_string());
        let answer = self.answer(request.uri().path());
        Box::pin(async {
            // Whoever else comes gets to run meanwhile.
            tokio::task::yield_now().await;
            Ok(Response::new(answer?.to_string().into_bytes()))
        })
    }
}

fn provider(fake: &Arc<Fake>) -> Provider {
    Provider::new(Identity {
        issuer: ISSUER.into(),
        client_id: "us".into(),
        client_secret: None,
        scopes: Vec::new(),
        redirect_url: "https://hooks.example.com/dashboard/sign-in/oidc/callback".into(),
        places: vec!["id.example.com:443".into()],
        rule: RoleRule::default(),
        exchange: fake.clone(),
    })
}

#[tokio::test(start_paused = true)]
async fn many_who_come_at_once_ask_once_and_the_answer_is_kept_for_an_hour() {
    let fake = Fake::saying(json!({}));
    let provider = provider(&fake);
    let (one, other) = tokio::join!(provider.metadata(), provider.metadata());
    assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
    assert_eq!(fake.asked(), 2, "for what it says, and for its keys");
    advance(FRESH - Duration::from_secs(1)).await;
    provider.metadata().await.unwrap();
    assert_eq!(fake.asked(), 0);
    advance(Duration::from_secs(1)).await;
    provider.metadata().await.unwrap();
    assert_eq!(fake.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_the_answer_for_a_few_seconds() {
    let fake = Arc::<Fake>::default();
    let provider = provider(&fake);
    for _ in 0..3 {
        let refused = provider.metadata().await.unwrap_err();
        assert!(matches!(&refused, NoPerson::Away(why) if why.contains("it is away")));
    }
    assert_eq!(fake.asked(), 1);
    fake.say(Some(json!({})));
    advance(FAILED).await;
    provider.metadata().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_looked_for_at_once_and_then_not_for_a_while() {
    let fake = Fake::saying(json!({}));
    let provider = provider(&fake);
    let first = provider.metadata().await.unwrap();
    let second = provider.look_again(&first).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    fake.asked();
    // Whoever still had the first gets the second, and that is not looked for again.
    let same = provider.look_again(&first).await.unwrap();
    assert!(Arc::ptr_eq(&second, &same));
    let same = provider.look_again(&second).await.unwrap();
    assert!(Arc::ptr_eq(&second, &same));
    assert_eq!(fake.asked(), 0);
    advance(KEYS_AGAIN).await;
    provider.look_again(&second).await.unwrap();
    assert_eq!(fake.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_and_nobody_is_sent_but_to_whom_the_operator_named() {
    for says in [
        json!({"jwks_uri": "https://keys.example.com/"}),
        json!({"jwks_uri": "https://id.example.com:8443/keys"}),
        json!({"jwks_uri": "ftp://id.example.com:443/keys"}),
    ] {
        let fake = Fake::saying(says.clone());
        let refused = provider(&fake).metadata().await.unwrap_err();
        assert!(
            refused.to_string().contains("`oidc_host`"),
            "{says}: {refused}"
        );
        assert_eq!(fake.asked(), 1, "{says}");
    }
    let fake = Fake::saying(json!({"authorization_endpoint": "https://x.example/"}));
    let provider = provider(&fake);
    let metadata = provider.metadata().await.unwrap();
    let refused = provider.client(&metadata).err().unwrap();
    assert!(refused.to_string().contains("x.example:443"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn another_issuer_is_told_clearly() {
    let fake = Fake::saying(json!({"issuer": "https://id.example.com/"}));
    let refused = provider(&fake).metadata().await.unwrap_err();
    assert!(matches!(&refused, NoPerson::Misfit(why) if why.contains("letter by letter")));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_always_says_who_it_is_has_to() {
    let from = |issuer: Option<&str>| Returned {
        code: None,
        issuer: issuer.map(str::to_owned),
        error: None,
        description: None,
    };
    for (always, issuer, is_right) in [
        (false, None, true),
        (true, None, false),
        (true, Some(ISSUER), true),
        (false, Some(ISSUER), true),
        (false, Some("https://id.example.com/"), false),
    ] {
        let says = json!({"authorization_response_iss_parameter_supported": always});
        let fake = Fake::saying(says);
        let provider = provider(&fake);
        let metadata = provider.metadata().await.unwrap();
        let checked = provider.check_issuer(&from(issuer), &metadata);
        assert_eq!(checked.is_ok(), is_right, "{always} {issuer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_goes_where_the_provider_takes_it() {
    for (says, in_form) in [
        (json!({}), false),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
            true,
        ),
        (
            json!({"token_endpoint_auth_methods_supported":
                ["client_secret_post", "client_secret_basic"]}),
            false,
        ),
    ] {
        let fake = Fake::saying(says.clone());
        let metadata = provider(&fake).metadata().await.unwrap();
        let is_in_form = matches!(auth_type(&metadata), AuthType::RequestBody);
        assert_eq!(is_in_form, in_form, "{says}");
    }
}
