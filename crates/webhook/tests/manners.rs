//! What providers do beside signing: where they say an event's type, how they are answered, how
//! they ask whether they may send, and how a batch of theirs comes apart.

use webhook::provider::{Answer, Manners, Provider, ReplayKey, Request, SourceType, Verifier};
use webhook::{GenericScheme, HmacScheme, Refused};

const NOW: i64 = 1_764_000_000;
const URL: &str = "https://gw.example.org/in/1";

fn provider(name: &str) -> Provider {
    Provider::named(name).expect("known")
}

fn request<'r>(headers: &'r [(&'r str, &'r [u8])], body: &'r str) -> Request<'r> {
    Request {
        method: "POST",
        url: URL,
        headers,
        body: body.as_bytes(),
    }
}

/// A request of this provider with a signature that is good, verified, and the answer to it if it
/// is a handshake.
fn greeted(name: &str, body: &str, more: &[(&str, &[u8])]) -> Option<Result<Answer, Refused>> {
    let outgoing = webhook::provider::Outgoing {
        method: "POST",
        url: URL,
        id: "msg_1",
        timestamp: NOW,
        body: body.as_bytes(),
    };
    let signed = provider(name).sign(&["sesame"], &outgoing).expect("signed");
    let mut headers: Vec<_> = signed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    headers.extend(more);
    let request = request(&headers, body);
    let verifier = provider(name)
        .verifier(&["other", "sesame"])
        .expect("sound");
    let genuine = verifier.verify(&request, NOW, 300).expect("genuine");
    verifier.handshake(&request, &genuine)
}

fn get(query: &str) -> String {
    format!("{URL}?{query}")
}

/// The answer to a `GET` of this query, before anything was verified.
fn asked(name: &str, query: &str) -> Option<Result<Answer, Refused>> {
    let url = get(query);
    let request = Request {
        method: "GET",
        url: &url,
        headers: &[],
        body: b"",
    };
    provider(name)
        .manners()
        .open_handshake(&request, &["opensesame"])
}

#[test]
fn an_event_type_is_where_its_provider_says_it() {
    let mut seen = 0;
    for line in include_str!("event_types.tsv").lines() {
        let [name, header, body, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {line}");
        };
        let (header, value) = header.split_once(": ").unwrap_or(("x-other", ""));
        let headers = [(header, value.as_bytes())];
        let request = request(&headers, body);
        let found = provider(name).manners().event_type(&request);
        assert_eq!(found.as_deref().unwrap_or("-"), expected, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 42);
}

#[test]
fn a_header_that_is_there_twice_says_no_event_type() {
    let headers: [(&str, &[u8]); 2] = [("X-GitHub-Event", b"push"), ("x-github-event", b"push")];
    let found = provider("github").manners();
    assert_eq!(found.event_type(&request(&headers, "{}")), None);
}

#[test]
fn an_event_type_that_is_longer_than_a_name_is_none() {
    let named = |length: usize| format!(r#"{{"type":"{}"}}"#, "x".repeat(length));
    let manners = Manners::PLAIN;
    assert!(manners.event_type(&request(&[], &named(256))).is_some());
    assert!(manners.event_type(&request(&[], &named(257))).is_none());
}

#[test]
fn a_cloud_event_in_binary_mode_says_its_type_in_its_header() {
    let headers: [(&str, &[u8]); 1] = [("ce-type", b"com.example.paid")];
    let found = Manners::PLAIN.event_type(&request(&headers, r#"{"type":"inner"}"#));
    assert_eq!(found.as_deref(), Some("com.example.paid"));
}

#[test]
fn slack_and_twitch_get_their_challenge_back_as_plain_text() {
    let slack = greeted(
        "slack",
        r#"{"type":"url_verification","challenge":"3eZb<b>"}"#,
        &[],
    );
    let answer = slack.expect("a handshake").expect("sound");
    assert_eq!((answer.status, answer.body.as_str()), (200, "3eZb<b>"));
    assert_eq!(answer.content_type, Some("text/plain"));
    let nosniff = ("X-Content-Type-Options", "nosniff".to_owned());
    assert_eq!(answer.headers, [nosniff]);

    let kind: (&str, &[u8]) = (
        "Twitch-Eventsub-Message-Type",
        b"webhook_callback_verification",
    );
    let body = r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo"}"#;
    let twitch = greeted("twitch", body, &[kind]).expect("a handshake");
    assert_eq!(
        twitch.expect("sound").body,
        "pogchamp-kappa-360noscope-vohiyo"
    );
    // Whoever sends a notification again can't make a handshake of it.
    let moved = greeted("twitch", r#"{"event":{}}"#, &[kind]);
    assert_eq!(moved, Some(Err(Refused::MalformedChallenge)));
    assert_eq!(greeted("twitch", body, &[]), None);
}

#[test]
fn zoom_gets_its_token_back_with_the_hmac_of_the_key_that_signed() {
    let body =
        r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
    let answer = greeted("zoom", body, &[])
        .expect("a handshake")
        .expect("sound");
    assert_eq!(answer.content_type, Some("application/json"));
    // By Python's `hmac`, over the token, with `sesame`.
    let expected = "efc1f5efb65ccb9ce9c73e3fd859bf90a6aae40e40802ece73aa4d9dce349f45";
    let body =
        format!(r#"{{"encryptedToken":"{expected}","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#);
    assert_eq!(answer.body, body);
}

#[test]
fn what_nobody_needs_back_is_not_given_back() {
    for challenge in ["", "two words", "a\\nb", "caf\u{e9}", &"x".repeat(513)] {
        let body = format!(r#"{{"type":"url_verification","challenge":"{challenge}"}}"#);
        let refused = greeted("slack", &body, &[]);
        assert_eq!(
            refused,
            Some(Err(Refused::MalformedChallenge)),
            "{challenge}"
        );
        let zoom = format!(
            r#"{{"event":"endpoint.url_validation","payload":{{"plainToken":"{challenge}"}}}}"#
        );
        let refused = greeted("zoom", &zoom, &[]);
        assert_eq!(
            refused,
            Some(Err(Refused::MalformedChallenge)),
            "{challenge}"
        );
    }
    let refused = asked("dropbox", "challenge=%3Cscript%3E%20");
    assert_eq!(refused, Some(Err(Refused::MalformedChallenge)));
}

#[test]
fn an_event_is_no_handshake() {
    for (name, body) in [
        ("slack", r#"{"type":"event_callback"}"#),
        ("slack", "payload=%7B%7D"),
        ("zoom", r#"{"event":"meeting.started"}"#),
        ("github", r#"{"type":"url_verification","challenge":"x"}"#),
    ] {
        assert_eq!(greeted(name, body, &[]), None, "{name}");
    }
    for (name, query) in [
        ("dropbox", "other=1"),
        ("meta", "hub.challenge=1&hub.verify_token=opensesame"),
        (
            "meta",
            "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=opensesame",
        ),
        ("github", "challenge=abc"),
    ] {
        assert_eq!(asked(name, query), None, "{name}");
    }
    let url = get("challenge=abc");
    let posted = Request {
        url: &url,
        ..request(&[], "")
    };
    let dropbox = provider("dropbox").manners();
    assert_eq!(dropbox.open_handshake(&posted, &[]), None);
}

#[test]
fn dropbox_and_meta_are_answered_before_there_is_a_signature() {
    let dropbox = asked("dropbox", "a=1&challenge=ab%2Dc").expect("a handshake");
    assert_eq!(dropbox.expect("sound").body, "ab-c");
    let meta = |token: &str| {
        let query = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
        asked("meta", &query).expect("a handshake")
    };
    assert_eq!(meta("opensesame").expect("sound").body, "1158201444");
    assert_eq!(meta("opensesam"), Err(Refused::WrongToken));
    assert_eq!(meta(""), Err(Refused::WrongToken));
    let url = get("hub.mode=subscribe&hub.challenge=1&hub.verify_token=");
    let request = Request {
        method: "GET",
        url: &url,
        ..request(&[], "")
    };
    let none = provider("meta").manners().open_handshake(&request, &[]);
    assert_eq!(none, Some(Err(Refused::NoKey)));
}

#[test]
fn a_cloud_events_sender_is_told_that_it_may() {
    let ask = |origin: &[u8]| {
        let headers = [("webhook-request-origin", origin)];
        let request = Request {
            method: "OPTIONS",
            ..request(&headers, "")
        };
        Manners::PLAIN.open_handshake(&request, &[])
    };
    let answer = ask(b"eventemitter.example.com")
        .expect("a handshake")
        .expect("sound");
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let origin = (
        "WebHook-Allowed-Origin",
        "eventemitter.example.com".to_owned(),
    );
    assert!(answer.headers.contains(&origin));
    assert!(
        answer
            .headers
            .contains(&("WebHook-Allowed-Rate", "*".to_owned()))
    );
    assert_eq!(
        ask(b"a\r\nSet-Cookie: b"),
        Some(Err(Refused::MalformedChallenge))
    );
    let plain = Request {
        method: "OPTIONS",
        ..request(&[], "")
    };
    assert_eq!(Manners::PLAIN.open_handshake(&plain, &[]), None);
}

#[test]
fn discord_gets_the_answer_that_belongs_to_what_it_sent() {
    let accepted = |body: &str| {
        let manners = provider("discord").manners();
        let answer = manners.accepted(&request(&[], body), "msg_1", false);
        (answer.status, answer.body)
    };
    let interaction = |kind: u8| (200, format!(r#"{{"type":{kind}}}"#));
    assert_eq!(accepted(r#"{"type":2}"#), interaction(5));
    assert_eq!(accepted(r#"{"type":3}"#), interaction(6));
    assert_eq!(accepted(r#"{"type":5}"#), interaction(5));
    let event = r#"{"version":1,"type":1,"event":{"type":"ENTITLEMENT_CREATE"}}"#;
    assert_eq!(accepted(event), (204, String::new()));
}

#[test]
fn who_sent_is_answered_as_it_wants() {
    let answer = |name: &str, is_repeat| {
        let answer = provider(name).manners();
        answer.accepted(&request(&[], "{}"), "msg_1", is_repeat)
    };
    assert_eq!(answer("github", false).body, r#"{"id":"msg_1"}"#);
    assert_eq!(
        answer("github", true).body,
        r#"{"duplicate":true,"id":"msg_1"}"#
    );
    for is_repeat in [false, true] {
        let twilio = answer("twilio", is_repeat);
        assert_eq!(twilio.content_type, Some("text/xml"));
        assert_eq!(twilio.body, "<Response/>");
        assert_eq!(answer("adyen", is_repeat).body, "[accepted]");
        assert_eq!(answer("slack", is_repeat).body, "");
    }
}

#[test]
fn adobe_is_answered_with_its_clients_name_and_asks_by_a_get_of_the_same() {
    let headers: [(&str, &[u8]); 1] = [("x-adobesign-clientid", b"CLIENT1")];
    let expected = r#"{"xAdobeSignClientId":"CLIENT1"}"#;
    let posted = request(&headers, r#"{"event":"AGREEMENT_CREATED"}"#);
    let asked = Request {
        method: "GET",
        ..posted
    };
    let verifier = provider("adobe-sign")
        .verifier(&["CLIENT1"])
        .expect("sound");
    let genuine = verifier.verify(&asked, NOW, 300).expect("the client's id");
    let answer = verifier.handshake(&asked, &genuine).expect("a handshake");
    assert_eq!(answer.expect("sound").body, expected);
    assert_eq!(verifier.handshake(&posted, &genuine), None);
    let accepted = verifier.manners().accepted(&posted, "msg_1", false);
    assert_eq!(accepted.body, expected);
    let others = provider("adobe-sign")
        .verifier(&["CLIENT2"])
        .expect("sound");
    assert_eq!(others.verify(&asked, NOW, 300), Err(Refused::WrongToken));
}

/// An item of Adyen's, with its signature by the key of the vectors.
fn item(reference: &str, success: &str, signature: &str) -> String {
    format!(
        r#"{{ "NotificationRequestItem":{{"additionalData":{{"hmacSignature":"{signature}"}},"amount":{{"value":1130,"currency":"EUR"}},"eventCode":"AUTHORISATION","merchantAccountCode":"Shop","merchantReference":"r","pspReference":"{reference}","success":"{success}"}}}}"#
    )
}

/// Two of them.
fn items() -> [String; 2] {
    [
        item(
            "7914073381342284",
            "true",
            "2EfD5N2DN540EsvS0R1ankL55O6tSejBMsgEEjV2Dhk=",
        ),
        item(
            "7914073381342285",
            "false",
            "wdZLJOoeTxJ42kVHm1vGkPIiKCXrvak+AOsPDALZPHs=",
        ),
    ]
}

const ADYEN_KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

#[test]
fn a_batch_comes_apart_into_messages_that_are_told_by_themselves() {
    let [first, second] = items();
    let verifier = provider("adyen").verifier(&[ADYEN_KEY]).expect("sound");
    let taken = |items: &[&str]| {
        let items = items.join(", ");
        let body = format!(r#"{{"live":"false","notificationItems":[{items}]}}"#);
        let verified = verifier.verify(&request(&[], &body), NOW, 300);
        verified.expect("genuine").items
    };
    let both = taken(&[&first, &second]);
    assert_eq!(both.len(), 2);
    let id = both[1].id.as_ref().expect("it has one");
    assert_eq!(id.text, "7914073381342285:AUTHORISATION:false");
    assert!(id.is_signed);
    assert_eq!(both[0].event_type.as_deref(), Some("AUTHORISATION"));
    let alone = format!(r#"{{"live":"false","notificationItems":[{first}]}}"#);
    assert_eq!(String::from_utf8_lossy(&both[0].payload), alone);
    // What an item is told by is the same wherever it stands, and of two items it differs.
    assert_ne!(both[0].replay_key, both[1].replay_key);
    assert!(matches!(both[0].replay_key, ReplayKey::Content(_)));
    assert_eq!(taken(&[&second, &first])[1], both[0]);
    assert_eq!(taken(&[&first]), both[..1]);
    assert_eq!(taken(&[&first, &first]), both[..1]);
    // And the items of others are none.
    assert!(!format!("{both:?}").contains("1130"));
}

#[test]
fn a_scheme_that_is_written_down_is_verified_as_a_provider_is() {
    let described = GenericScheme {
        header: "X-Sig",
        hash: "sha256",
        encoding: "hex",
        prefix: "v1=",
        template: "{id}.{timestamp}.{body}",
        timestamp_header: None,
    };
    let scheme = HmacScheme::generic(described).expect("sound");
    let key = scheme.key("sesame").expect("sound");
    let keys = webhook::HmacKeys {
        current: &key,
        before: &[],
    };
    let signed = scheme.sign(keys, ("msg_1", NOW), b"{}");
    let headers: Vec<_> = signed
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let verifier = Verifier::hmac(scheme.clone(), &["other", "sesame"]).expect("sound");
    let timed = request(&headers, "{}");
    let genuine = verifier.verify(&timed, NOW + 300, 300).expect("genuine");
    assert_eq!((genuine.key, genuine.signed_at), (1, Some(NOW)));
    assert_eq!(genuine.guard, webhook::provider::ReplayGuard::ByAge);
    assert_eq!(genuine.replay_key, ReplayKey::Id("msg_1".into()));
    let old = verifier.verify(&timed, NOW + 301, 300);
    assert_eq!(old, Err(Refused::TooOld { seconds: 301 }));

    let bare = GenericScheme {
        template: "{body}",
        ..described
    };
    let bare_scheme = HmacScheme::generic(bare).expect("sound");
    let bare = Verifier::hmac(bare_scheme.clone(), &["sesame"]).expect("sound");
    assert_eq!(bare.guard(), webhook::provider::ReplayGuard::ByMemory);
    let signed = bare_scheme.sign(keys, ("msg_1", NOW), b"{}");
    let signature = signed.iter().map(|(name, value)| (*name, value.as_bytes()));
    let with = |ids: &[(&'static str, &'static [u8])]| {
        let headers: Vec<_> = signature.clone().chain(ids.iter().copied()).collect();
        let genuine = bare
            .verify(&request(&headers, "{}"), NOW, 300)
            .expect("genuine");
        let id = genuine.id.map(|id| (id.text.into_owned(), id.is_signed));
        (id, matches!(genuine.replay_key, ReplayKey::Content(_)))
    };
    let unsigned = Some(("msg_1".to_owned(), false));
    assert_eq!(with(&[("Webhook-Id", b"msg_1")]), (unsigned, true));
    assert_eq!(with(&[]), (None, true));
    let twice: &[(&str, &[u8])] = &[("webhook-id", b"a"), ("webhook-id", b"b")];
    assert_eq!(with(twice), (None, true));
    assert!(Verifier::hmac(scheme, &[""]).is_err());
}

#[test]
fn every_source_type_has_a_provider_or_is_known_not_to() {
    let mut names: Vec<_> = SourceType::names().collect();
    for name in &names {
        assert!(
            !matches!(SourceType::named(name), SourceType::Unknown),
            "{name}"
        );
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let provider = |name: &str| match SourceType::named(name) {
        SourceType::Known(provider) => Some(provider.name()),
        _ => None,
    };
    assert_eq!(provider("clerk"), Some("svix"));
    assert_eq!(provider("hubspot"), Some("hubspot-v3"));
    assert_eq!(provider("render"), Some("standard-webhooks"));
    assert!(matches!(SourceType::named("vgs"), SourceType::NotBuilt));
    for unknown in [
        "hubspot-v1",
        "gitlab-signing",
        "generic-hmac-sha1-hex",
        "GitHub",
        "",
    ] {
        assert!(
            matches!(SourceType::named(unknown), SourceType::Unknown),
            "{unknown}"
        );
    }
}

#[test]
fn gitlabs_secret_says_which_of_its_ways_it_is_for() {
    let name = |secret: &str| provider("gitlab").for_secret(secret).name();
    assert_eq!(
        name("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "gitlab-signing"
    );
    assert_eq!(name("sesame"), "gitlab");
    let svix = provider("svix").for_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_eq!(svix.name(), "svix");
}

#[test]
fn what_is_not_signed_of_a_batch_may_be_anything_and_breaks_nothing() {
    let verifier = provider("adyen").verifier(&[ADYEN_KEY]).expect("sound");
    let [signed, _] = items();
    for (body, is_taken) in [
        (format!(r#"{{"notificationItems":[{signed}]}}"#), true),
        (
            format!(r#"{{"live":[1],"x":"","notificationItems":[{signed}]}}"#),
            true,
        ),
        (
            format!(r#"{{"live":1,"live":2,"notificationItems":[{signed}]}}"#),
            false,
        ),
        (
            format!(r#"{{"live":"?","notificationItems":[{signed}]}}"#),
            false,
        ),
    ] {
        // A byte that begins no character.
        let body: Vec<u8> = body
            .bytes()
            .map(|byte| if byte == b'?' { 0xff } else { byte })
            .collect();
        let request = Request {
            body: &body,
            ..request(&[], "")
        };
        let verified = verifier.verify(&request, NOW, 300);
        assert_eq!(
            verified.is_ok(),
            is_taken,
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[test]
fn discords_pings_are_answered_once_they_are_verified() {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]);
    let pair = pair.expect("a seed");
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
    let verifier = provider("discord")
        .verifier(&[&hex(public.as_ref())])
        .expect("sound");
    let greeted = |body: &str| {
        let signature = hex(pair.sign(format!("{NOW}{body}").as_bytes()).as_ref());
        let time = NOW.to_string();
        let headers = [
            ("X-Signature-Ed25519", signature.as_bytes()),
            ("X-Signature-Timestamp", time.as_bytes()),
        ];
        let request = request(&headers, body);
        let genuine = verifier.verify(&request, NOW, 300).expect("genuine");
        let answer = verifier.handshake(&request, &genuine)?.expect("sound");
        Some((answer.status, answer.body))
    };
    assert_eq!(
        greeted(r#"{"type":1,"id":"1"}"#),
        Some((200, r#"{"type":1}"#.to_owned()))
    );
    let event_ping = r#"{"version":1,"application_id":"1","type":0}"#;
    assert_eq!(greeted(event_ping), Some((204, String::new())));
    assert_eq!(
        greeted(r#"{"version":1,"type":1,"event":{"type":"A"}}"#),
        None
    );
    assert_eq!(greeted(r#"{"type":2,"id":"1"}"#), None);
}
