//! Which addresses are dialled: every row of the shared table, for all that requests are made for,
//! and names whose answers change.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use http::HeaderMap;
use model::Secret;
use model::address::{AddressPolicy, Refusal};
use model::oauth::{ClientAuthentication, Grant, OauthConfig};
use tokio::net::TcpStream;

use crate::connect::GuardedConnector;
use crate::dial::Dial;
use crate::fetch::fake::{Counting, Still};
use crate::tls::Tls;
use crate::*;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/ssrf.tsv"
));

/// Notes what is dialled and lets nothing through.
#[derive(Clone, Default)]
struct Spy(Arc<Mutex<Vec<SocketAddr>>>);

impl Spy {
    fn dialled(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.0.lock().expect("no panic while held"))
    }
}

#[async_trait]
impl Dial for Spy {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.0.lock().expect("no panic while held").push(address);
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// Answers differently each time.
struct Changing(Mutex<VecDeque<Vec<IpAddr>>>);

#[async_trait]
impl Resolver for Changing {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let next = self.0.lock().expect("no panic while held").pop_front();
        next.ok_or_else(|| ResolveError::NotFound(name.to_owned()))
    }
}

fn addresses(list: &str) -> Vec<IpAddr> {
    match list {
        "-" => vec![],
        list => list
            .split(',')
            .map(|one| one.parse().expect("an address"))
            .collect(),
    }
}

fn transport(guard: &Arc<Guard>) -> (HttpsTransport, Spy) {
    // Reading the system's roots takes longer than all that is tested here.
    static TLS: LazyLock<Tls> = LazyLock::new(|| Tls::new(None).expect("the defaults are fine"));
    let spy = Spy::default();
    let connector = GuardedConnector {
        guard: guard.clone(),
        dial: Box::new(spy.clone()),
        tls: TLS.clone(),
        proxy: None,
    };
    (HttpsTransport::over(connector, PoolLimits::default()), spy)
}

/// Checks and calls a URL as an endpoint of it would be.
async fn call(guard: &Guard, transport: &HttpsTransport, url: &str) -> Result<Answer, SendError> {
    transport
        .send(outgoing(guard, Purpose::Delivery, url)?)
        .await
}

fn outgoing(guard: &Guard, purpose: Purpose, url: &str) -> Result<Outgoing, SendError> {
    let url = guard.policy().check_url(url)?;
    let target = Target::new(url).map_err(|error| SendError::new(Stage::Guard, error))?;
    let limits = Limits::default();
    Ok(Outgoing::new(
        purpose,
        target.into(),
        HeaderMap::new(),
        limits,
    ))
}

/// All that requests are made for.
fn purposes() -> impl Iterator<Item = Purpose> {
    std::iter::successors(Some(Purpose::Delivery), |purpose| match purpose {
        Purpose::Delivery => Some(Purpose::OauthToken),
        Purpose::OauthToken => Some(Purpose::KeySet),
        Purpose::KeySet => Some(Purpose::Challenge),
        Purpose::Challenge => Some(Purpose::Alert),
        Purpose::Alert => Some(Purpose::Telemetry),
        Purpose::Telemetry => Some(Purpose::Identity),
        Purpose::Identity => None,
    })
}

/// Calls a URL as it is called for this purpose, which fails. How far it got.
async fn stage_of(purpose: Purpose, guard: &Guard, transport: HttpsTransport, url: &str) -> Stage {
    let transport = Arc::new(transport);
    match purpose {
        Purpose::Delivery
        | Purpose::Challenge
        | Purpose::Alert
        | Purpose::Telemetry
        | Purpose::Identity => {
            let sent = match outgoing(guard, purpose, url) {
                Ok(outgoing) => transport.send(outgoing).await.map(drop),
                Err(error) => Err(error),
            };
            sent.expect_err("the spy lets nothing through").stage()
        }
        Purpose::OauthToken => {
            let Ok(client) = OauthClient::new(&oauth_config(url), guard.policy()) else {
                return Stage::Guard;
            };
            let keeper = TokenKeeper::new(transport, Arc::new(Still), Arc::<Counting>::default());
            match keeper.token(&client).await.err() {
                Some(OauthError::Fetch(FetchError::Unanswered(error))) => error.stage(),
                error => panic!("{error:?}"),
            }
        }
        Purpose::KeySet => {
            let Ok(set) = fetch_target(url, guard.policy()) else {
                return Stage::Guard;
            };
            let wanted = WantedKey {
                set,
                key_id: None,
                algorithm: None,
            };
            match KeySets::new(transport).recipient(&wanted).await.err() {
                Some(KeySetError::Fetch(FetchError::Unanswered(error))) => error.stage(),
                error => panic!("{error:?}"),
            }
        }
    }
}

fn oauth_config(url: &str) -> OauthConfig {
    OauthConfig {
        token_url: url.to_owned(),
        client_id: "client".to_owned(),
        authentication: ClientAuthentication::SecretBasic(Secret::new(b"secret".to_vec())),
        grant: Grant::ClientCredentials,
        scopes: vec![],
        extra_params: vec![],
        extra_headers: vec![],
    }
}

fn unescape(text: &str) -> String {
    let (slash, marker) = ("\\\\", "\u{1}");
    text.replace(slash, marker)
        .replace("\\t", "\t")
        .replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\0", "\0")
        .replace(marker, "\\")
}

#[tokio::test]
async fn nothing_is_dialled_that_the_table_denies_whatever_for() {
    let mut denied = 0;
    for purpose in purposes() {
        for line in VECTORS.lines().skip(1) {
            denied += usize::from(is_denied(purpose, line).await);
        }
    }
    assert!(denied > 4 * 200, "only {denied} rows");
}

/// Whether a row of the table is to be denied; that it is, or isn't, as the row says.
async fn is_denied(purpose: Purpose, line: &str) -> bool {
    let [case, url, answers, verdict, _why] = line
        .split('\t')
        .collect::<Vec<_>>()
        .try_into()
        .expect("five columns");
    let answers = addresses(answers);
    let policy = AddressPolicy {
        allow_http: case == "allow-http-public",
        ..Default::default()
    };
    let guard = Arc::new(Guard::new(policy, Arc::new(FixedResolver(answers.clone()))));
    let (transport, spy) = transport(&guard);
    let url = unescape(url);
    let stage = stage_of(purpose, &guard, transport, &url).await;
    let dialled = spy.dialled();
    // Keys and secrets never go over plain HTTP, wherever to.
    let fetched = matches!(purpose, Purpose::OauthToken | Purpose::KeySet);
    let plain = fetched && case == "allow-http-public";
    if verdict == "allow" && !plain {
        assert_eq!(stage, Stage::Connect, "{purpose:?} {case}");
        assert!(!dialled.is_empty(), "{purpose:?} {case}");
        let checked = |address: &SocketAddr| answers.is_empty() || answers.contains(&address.ip());
        assert!(dialled.iter().all(checked), "{case}: {dialled:?}");
    } else {
        assert_eq!(dialled, [], "{purpose:?} {case}");
        assert!(
            matches!(stage, Stage::Guard | Stage::Resolve),
            "{case}: {stage:?}"
        );
    }
    verdict != "allow"
}

#[tokio::test]
async fn guard_tells_early_what_the_table_says() {
    for line in VECTORS.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (case, url, allowed) = (columns[0], unescape(columns[1]), columns[3] == "allow");
        let policy = AddressPolicy {
            allow_http: case == "allow-http-public",
            ..Default::default()
        };
        let guard = Guard::new(policy, Arc::new(FixedResolver(addresses(columns[2]))));
        assert_eq!(guard.explain(&url).await.is_ok(), allowed, "{case}");
        // A name that is not known yet may be known when it is called.
        let created = guard.check_new(&url).await.is_ok();
        assert_eq!(created, allowed || case == "name-no-answer", "{case}");
    }
}

#[tokio::test]
async fn name_that_turns_private_is_refused_at_the_next_connection() {
    let answers = [
        addresses("93.184.215.14"),
        addresses("10.0.0.1"),
        addresses("93.184.215.14"),
    ];
    let resolver = Changing(Mutex::new(answers.into()));
    let guard = Arc::new(Guard::new(AddressPolicy::default(), Arc::new(resolver)));
    let (transport, spy) = transport(&guard);
    let url = "https://rebind.customer-site.net/in";
    for (stage, dialled) in [
        (
            Stage::Connect,
            vec!["93.184.215.14:443".parse().expect("an address")],
        ),
        (Stage::Guard, vec![]),
        (
            Stage::Connect,
            vec!["93.184.215.14:443".parse().expect("an address")],
        ),
        (Stage::Resolve, vec![]),
    ] {
        let error = call(&guard, &transport, url)
            .await
            .expect_err("the spy lets nothing through");
        assert_eq!(error.stage(), stage);
        assert_eq!(spy.dialled(), dialled);
    }
}

#[tokio::test]
async fn refused_answers_all_read_alike() {
    for answers in [
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "93.184.215.14,127.0.0.1",
    ] {
        let guard = Guard::new(
            AddressPolicy::default(),
            Arc::new(FixedResolver(addresses(answers))),
        );
        let guard = Arc::new(guard);
        let (transport, _) = transport(&guard);
        let error = call(&guard, &transport, "https://hooks.customer-site.net/").await;
        let error = error.expect_err("refused");
        assert!(error.refusal().is_some());
        assert_eq!(error.for_tenant(), Refusal::UNIFORM, "{answers}");
    }
}

#[tokio::test]
async fn every_address_is_tried_in_order_and_literals_are_judged_too() {
    let answers = addresses("93.184.215.14,2606:4700:4700::1111");
    let guard = Guard::new(AddressPolicy::default(), Arc::new(FixedResolver(answers)));
    let guard = Arc::new(guard);
    let (transport, spy) = transport(&guard);
    let _ = call(&guard, &transport, "https://hooks.customer-site.net:8443/").await;
    let tried = ["93.184.215.14:8443", "[2606:4700:4700::1111]:8443"];
    assert_eq!(
        spy.dialled(),
        tried.map(|one| one.parse().expect("an address"))
    );
    let _ = call(&guard, &transport, "https://9.255.255.255/").await;
    assert_eq!(
        spy.dialled(),
        ["9.255.255.255:443".parse().expect("an address")]
    );
}

#[tokio::test]
async fn new_endpoint_may_have_a_name_that_does_not_resolve_yet() {
    let nobody = Guard::new(AddressPolicy::default(), Arc::new(FixedResolver(vec![])));
    let url = "https://soon.customer-site.net/";
    assert!(nobody.check_new(url).await.is_ok());
    assert!(matches!(
        nobody.explain(url).await,
        Err(Denial::Unresolved(_))
    ));
    let inside = FixedResolver(addresses("10.0.0.1"));
    let inside = Guard::new(AddressPolicy::default(), Arc::new(inside));
    assert!(inside.check_new(url).await.is_err());
}

#[tokio::test]
async fn localhost_needs_a_rule_and_no_resolver() {
    let nobody = Arc::new(FixedResolver(vec![]));
    let guard = Arc::new(Guard::new(AddressPolicy::development(), nobody));
    let (transport, spy) = transport(&guard);
    let error = call(&guard, &transport, "http://localhost:1234/")
        .await
        .expect_err("the spy");
    assert_eq!(error.stage(), Stage::Connect);
    let loopback = ["127.0.0.1:1234", "[::1]:1234"].map(|one| one.parse().expect("an address"));
    assert_eq!(spy.dialled(), loopback);
}
