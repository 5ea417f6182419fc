//! Pages that keep themselves up to date on one node, of what happens on another, and the places
//! that they take.

use std::net::SocketAddr;
use std::time::Duration;

use e2e::{Call, Options, Server, eventually};
use http::header::SET_COOKIE;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::cluster::Cluster;

/// A node asks once a second about the others, and what it keeps is from a second ago at the most;
/// the rest is for a machine that is busy. Without any of that it is ten seconds.
const SOON: Duration = Duration::from_secs(6);

#[tokio::test]
async fn what_one_node_accepts_a_page_of_another_shows_soon() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let here = first.api().await;
    here.application("shop").await;
    let session = Session::open(&mut second).await;
    let mut page = session.look("/dashboard/applications/shop/messages").await;
    page.until("data:").await;
    for number in 0..3 {
        let sent = here
            .send("shop", "order.paid", &json!({ "n": number }))
            .await;
        let begun = Instant::now();
        page.until(&sent).await;
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn the_places_of_those_who_look_no_more_are_free_soon() {
    let mut server = Server::start(Options::dev()).await;
    let session = Session::open(&mut server).await;
    let looks = async || {
        let mut page = session.look("/dashboard/applications").await;
        page.until("\r\n\r\n").await;
        page
    };
    let mut all = Vec::new();
    while let page = looks().await
        && page.read.starts_with("HTTP/1.1 200")
    {
        all.push(page);
        assert!(all.len() < 1_000, "there is no bound");
    }
    drop(all);
    let begun = Instant::now();
    eventually("a place", async || {
        let page = looks().await;
        match page.read.starts_with("HTTP/1.1 200") {
            true => Ok(()),
            false => Err(page.read),
        }
    })
    .await;
    assert!(begun.elapsed() < 2 * SOON, "{:?}", begun.elapsed());
}

/// Somebody who is signed in.
struct Session {
    address: SocketAddr,
    cookie: String,
}

/// What a browser reads of such a page.
struct LivePage {
    stream: TcpStream,
    read: String,
}

impl Session {
    async fn open(node: &mut Server) -> Self {
        let (api, token) = (node.api().await, node.token().await);
        let form = Call::post("/dashboard/sign-in", format!("token={token}")).anonymous();
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let reply = api.call(form).await.expect(303);
        let cookie = reply.headers[SET_COOKIE].to_str().expect("it is text");
        let cookie = cookie.split(';').next().expect("it begins with its value");
        Self {
            address: node.address(),
            cookie: cookie.to_owned(),
        }
    }

    /// Looks at this page.
    async fn look(&self, path: &str) -> LivePage {
        let Self { address, cookie } = self;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\n\
             accept: text/event-stream\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("it is sent");
        LivePage {
            stream,
            read: String::new(),
        }
    }
}

impl LivePage {
    /// Reads until this is shown.
    async fn until(&mut self, text: &str) {
        let reading = async {
            while !self.read.contains(text) {
                let mut bytes = [0; 16_384];
                let count = self.stream.read(&mut bytes).await.expect("it goes on");
                assert!(count > 0, "it has ended: {}", self.read);
                self.read
                    .push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        };
        let shown = timeout(Duration::from_secs(30), reading).await;
        assert!(shown.is_ok(), "no {text:?} in {}", self.read);
    }
}
