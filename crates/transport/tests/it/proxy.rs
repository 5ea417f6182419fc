//! Through an egress proxy: names are resolved and judged here, and the proxy hears only addresses.

use std::sync::Arc;

use model::address::AddressPolicy;
use transport::{FixedResolver, Guard, HttpsTransport, Options, Stage};

use crate::receiver::*;
use crate::tls::Authority;

fn through(proxy: &Receiver, extra_roots: Option<Vec<u8>>) -> Options {
    let url = format!("http://user:secret@{}", proxy.address);
    let egress_proxy = Some(url.parse().expect("a proxy"));
    Options {
        egress_proxy,
        extra_roots,
        ..Options::default()
    }
}

#[tokio::test]
async fn plain_request_goes_through_a_tunnel_to_the_judged_address() {
    let mut proxy = Receiver::start().await;
    let transport = with_options(through(&proxy, None));
    let sending = send(
        &transport,
        outgoing(&format!("http://{HOST}:4321/in"), "{}"),
    );
    let mut tunnel = proxy.connection().await;
    assert_eq!(
        tunnel.head().await,
        "CONNECT 127.0.0.1:4321 HTTP/1.1\r\nHost: 127.0.0.1:4321\r\n\
         Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
    );
    tunnel
        .write("HTTP/1.1 200 Connection established\r\n\r\n")
        .await;
    let seen = tunnel.serve().await;
    assert!(
        seen.head
            .starts_with(&format!("POST /in HTTP/1.1\r\nhost: {HOST}:4321\r\n"))
    );
    assert!(
        !seen
            .head
            .to_ascii_lowercase()
            .contains("proxy-authorization")
    );
    assert_eq!(answered(sending).await.status, 200);

    let again = send(
        &transport,
        outgoing(&format!("http://{HOST}:4321/in"), "{}"),
    );
    tunnel.serve().await;
    assert!(answered(again).await.observed.phases.reused);
}

#[tokio::test]
async fn tls_is_end_to_end_through_the_tunnel() {
    let authority = Authority::new();
    let mut proxy = Receiver::start().await;
    let transport = with_options(through(&proxy, Some(authority.pem())));
    let sending = send(&transport, outgoing(&format!("https://{HOST}/in"), "{}"));
    let mut tunnel = proxy.connection().await;
    assert!(tunnel.head().await.starts_with("CONNECT 127.0.0.1:443 "));
    tunnel.write("HTTP/1.1 200 OK\r\n\r\n").await;
    let (mut connection, name) = authority.accept(tunnel, HOST, &["http/1.1"]).await;
    assert_eq!(name.as_deref(), Some(HOST));
    connection.serve().await;
    assert_eq!(answered(sending).await.status, 200);
}

#[tokio::test]
async fn proxy_that_declines_is_a_failed_connection() {
    let answers = [
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nearly",
        "nonsense\r\n\r\n",
    ];
    for answer in answers {
        let mut proxy = Receiver::start().await;
        let transport = with_options(through(&proxy, None));
        let sending = send(&transport, outgoing(&format!("http://{HOST}/"), "{}"));
        let mut tunnel = proxy.connection().await;
        tunnel.head().await;
        tunnel.write(answer).await;
        let error = failed(sending).await;
        assert_eq!(error.stage(), Stage::Connect, "{answer:?}");
        assert_eq!(error.for_tenant(), "no connection could be made");
    }
}

#[tokio::test]
async fn proxy_that_is_away_is_not_taken_for_the_receiver() {
    let proxy = Receiver::start().await;
    let options = through(&proxy, None);
    proxy.stop().await;
    let sending = send(
        &with_options(options),
        outgoing(&format!("http://{HOST}/"), "{}"),
    );
    let error = failed(sending).await;
    assert_eq!(error.stage(), Stage::Connect);
    assert_eq!(error.for_tenant(), "no connection could be made");
}

#[tokio::test]
async fn silent_proxy_runs_out_of_the_connect_timeout() {
    let mut proxy = Receiver::start().await;
    let transport = with_options(through(&proxy, None));
    let mut request = outgoing(&format!("http://{HOST}/"), "{}");
    request.limits.connect_timeout = LIMIT;
    let sending = send(&transport, request);
    let mut tunnel = proxy.connection().await;
    pass(LIMIT).await;
    assert_eq!(failed(sending).await.stage(), Stage::Timeout);
    tunnel.closed().await;
}

#[tokio::test]
async fn refused_address_is_not_asked_of_the_proxy() {
    let mut proxy = Receiver::start().await;
    let inside = FixedResolver(vec!["10.0.0.1".parse().expect("an address")]);
    let policy = AddressPolicy {
        allow_http: true,
        ..AddressPolicy::default()
    };
    let guard = Arc::new(Guard::new(policy, Arc::new(inside)));
    let transport = HttpsTransport::new(guard, through(&proxy, None)).expect("usable options");
    let error = failed(send(
        &Arc::new(transport),
        outgoing(&format!("http://{HOST}/"), "{}"),
    ))
    .await;
    assert_eq!(error.stage(), Stage::Guard);
    assert!(proxy.has_no_further_connection());
}
