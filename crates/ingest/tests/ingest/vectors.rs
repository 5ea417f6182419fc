//! The vectors of `conformance/providers.json`, sent to a source of their type: what is genuine is
//! taken, and what is forged is refused. Those that sign a URL of their own can't be sent here.

use crate::sender::{Sending, with_secrets};
use crate::world::{At, World};
use model::clock::Timestamp;
use model::source::SourceConfig;
use serde::Deserialize;
use webhook::provider::{Provider, SourceType};

/// How many are sent: one that no longer is must not go unnoticed.
const SENT: usize = 300;

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    secret: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    now_unix: i64,
    tolerance_seconds: Option<u32>,
    valid: bool,
    why: String,
}

impl Vector {
    /// Whether there is a type of sources for it, and its signature is good at another URL.
    fn can_be_sent(&self) -> bool {
        let SourceType::Known(provider) = SourceType::named(&self.provider) else {
            return false;
        };
        let provider: Provider = provider.for_secret(&self.secret);
        self.method == "POST" && provider.name() == self.provider && !provider.signs_url()
    }

    fn sending(&self, at: &At) -> Sending {
        let mut sending = Sending::to(at, &self.body);
        sending.headers = self.headers.clone();
        if let Some((_, query)) = self.url.split_once('?') {
            sending.path = format!("{}?{query}", sending.path);
        }
        sending
    }
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../conformance/providers.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).expect("the vectors are well-formed");
    vectors.into_iter().filter(Vector::can_be_sent).collect()
}

#[tokio::test]
async fn every_vector_is_taken_or_refused_as_it_says() {
    let world = World::new();
    let (mut sent, mut genuine) = (0, 0);
    for vector in vectors() {
        let config = SourceConfig {
            tolerance_seconds: vector.tolerance_seconds,
            ..with_secrets(&[&vector.secret])
        };
        // Each has one of its own, since many have the same id.
        let at = world.source(&vector.provider, config).await;
        world.clock.set(Timestamp::from_seconds(vector.now_unix));
        // From nowhere, so that nobody is kept out for what was refused before.
        let answer = world.send(None, vector.sending(&at).request()).await;
        let told = format!("{}: {}: {}", vector.id, vector.why, answer.text);
        match (vector.valid, answer.status) {
            (true, status) => {
                assert!((200..300).contains(&status), "{told}");
                // Discord's are pings, which are answered, and no messages.
                genuine += usize::from(vector.provider != "discord");
            }
            (false, 401) => {}
            (false, status) => panic!("{status}: {told}"),
        }
        sent += 1;
    }
    assert_eq!(sent, SENT);
    // Some are several in one.
    assert!(world.messages().await.len() >= genuine);
}

/// How many pieces of a body are changed, one at a time.
const CHANGES: usize = 9;

#[tokio::test]
async fn no_body_can_be_changed_on_the_way() {
    let world = World::new();
    let (mut changed, signs_body) = (0, |vector: &Vector| {
        let provider = Provider::named(&vector.provider);
        provider.is_some_and(|provider| provider.signs_body())
    });
    let vectors = vectors().into_iter().filter(|vector| vector.valid);
    for vector in vectors.filter(signs_body) {
        let config = SourceConfig {
            tolerance_seconds: vector.tolerance_seconds,
            ..with_secrets(&[&vector.secret])
        };
        let at = world.source(&vector.provider, config).await;
        world.clock.set(Timestamp::from_seconds(vector.now_unix));
        for piece in 0..CHANGES.min(vector.body.len()) {
            let place = piece * vector.body.len() / CHANGES;
            let mut sending = vector.sending(&at);
            let mut bytes = std::mem::take(&mut sending.body).into_bytes();
            bytes[place] ^= 1;
            let Ok(body) = String::from_utf8(bytes) else {
                continue;
            };
            sending.body = body;
            let answer = world.send(None, sending.request()).await;
            assert_eq!(answer.status, 401, "{}: {}", vector.id, sending.body);
            changed += 1;
        }
    }
    assert!(changed > 300, "{changed}");
    assert!(world.messages().await.is_empty());
}
