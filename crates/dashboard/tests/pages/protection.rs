//! What protects an endpoint, part by part.

use crate::visitor::Visitor;
use crate::world::World;
use model::role::Role;

struct Stage<'w> {
    visitor: Visitor<'w>,
    one: String,
}

impl Stage<'_> {
    fn of(&self, part: &str) -> String {
        format!("{}/protection/{part}", self.one)
    }

    /// Sends a part's form, which is taken.
    async fn set(&self, part: &str, fields: &[(&str, &str)]) {
        let saved = self.visitor.post(self.of(part), fields).await;
        assert!(saved.leads_to().contains("done=saved"), "{part}");
    }
}

/// What is typed into a form.
type Form = &'static [(&'static str, &'static str)];

async fn in_both(world: &World) -> [Stage<'_>; 2] {
    world.application("acme").await;
    let first = world.endpoint("acme", "first").await;
    let second = world.endpoint("acme", "second").await;
    [
        Stage {
            visitor: world.signed_in(Role::Admin).await,
            one: format!("/dashboard/applications/acme/endpoints/{first}"),
        },
        Stage {
            visitor: world.in_portal("acme", None).await,
            one: format!("/portal/endpoints/{second}"),
        },
    ]
}

const PIN: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const JWK: &str =
    r#"{"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}"#;

/// What gets access tokens.
const CLIENT: Form = &[
    ("tokenUrl", "https://login.example.com/token"),
    ("clientId", "postrider<b>"),
    ("authMethod", "clientSecretPost"),
    ("clientSecret", "sesame-sesame-sesame"),
    ("grantType", "clientCredentials"),
    ("scopes", "hooks:write  hooks:read"),
    (
        "extraParams",
        "audience=us\r\nresource=https://example.com/?a=b",
    ),
    (
        "extraHeaders",
        "X-Tenant=seven\r\nx-api-key=sesame-key-of-ours",
    ),
];

#[tokio::test]
async fn each_part_is_set_shown_and_taken_away() {
    let world = World::new();
    for stage in in_both(&world).await {
        let cases: [(&str, Form, &str); 8] = [
            (
                "auth",
                &[
                    ("kind", "basic"),
                    ("username", "ann"),
                    ("password", "open sesame 123"),
                ],
                "ann",
            ),
            ("oauth", CLIENT, "https://login.example.com/token"),
            ("pins", &[("mode", "enforce"), ("pins", PIN)], "enforce"),
            ("encryption", &[("jwk", JWK)], "to a key that was given"),
            (
                "redaction",
                &[("rules", r#"[{"path":"/a","action":"mask","keepLast":4}]"#)],
                "rules: 1",
            ),
            ("payload", &[("mode", "full")], "full"),
            (
                "signature",
                &[("scheme", "standard-webhooks")],
                "standard-webhooks",
            ),
            ("server-ca", &[("minTls", "1.3")], "TLS 1.3"),
        ];
        for (part, fields, shown) in cases {
            let path = stage.of(part);
            stage
                .visitor
                .get(&path)
                .await
                .is(200)
                .shows("nothing is set");
            stage.set(part, fields).await;
            stage.visitor.get(&stage.one).await.is(200).shows(shown);
            stage
                .visitor
                .get(&path)
                .await
                .is(200)
                .hides("nothing is set");
            let removed = stage.visitor.post(format!("{path}/remove"), &[]).await;
            assert!(removed.leads_to().ends_with("done=saved"), "{part}");
            stage
                .visitor
                .get(&path)
                .await
                .is(200)
                .shows("nothing is set");
        }
    }
}

#[tokio::test]
async fn no_secret_that_was_typed_comes_back() {
    let world = World::new();
    for stage in in_both(&world).await {
        let secret = "sesame-sesame-sesame";
        for fields in [
            &[("kind", "basic"), ("username", "a:b"), ("password", secret)][..],
            &[("kind", "bearer"), ("token", "sesame sesame sesame")],
            &[
                ("kind", "apiKey"),
                ("in", "header"),
                ("name", "host"),
                ("value", secret),
            ],
            &[
                ("kind", "httpSignature"),
                ("algorithm", "ed25519"),
                ("key", secret),
            ],
        ] {
            let page = stage.visitor.post(stage.of("auth"), fields).await;
            page.is(422).hides("sesame");
        }
        let key = "-----BEGIN PRIVATE KEY-----\nsesame\n-----END PRIVATE KEY-----";
        let fields = [("identity", key), ("password", secret)];
        let page = stage.visitor.post(stage.of("mtls"), &fields).await;
        page.is(422).hides("sesame");
        stage
            .set("auth", &[("kind", "bearer"), ("token", secret)])
            .await;
        for path in [&stage.one, &stage.of("auth")] {
            stage
                .visitor
                .get(path)
                .await
                .is(200)
                .shows("***same")
                .hides(secret);
        }
    }
}

#[tokio::test]
async fn a_client_of_tokens_is_shown_as_it_was_set_but_for_its_secrets() {
    let world = World::new();
    for stage in in_both(&world).await {
        let path = stage.of("oauth");
        stage.set("oauth", CLIENT).await;
        let page = stage.visitor.get(&path).await;
        page.is(200).hides("sesame-").hides("<b>");
        for shown in [
            "<code>***same</code>",
            "<code>x-api-key=***ours</code>",
            r#"value="https://login.example.com/token""#,
            r#"value="postrider&lt;b&gt;""#,
            r#"<option value="clientSecretPost" selected>"#,
            r#"value="hooks:write hooks:read""#,
            "audience=us\nresource=https://example.com/?a=b</textarea>",
            // What is masked is not in the form: it would be saved with its stars.
            "X-Tenant=seven</textarea>",
            r#"type="password" name="clientSecret""#,
        ] {
            page.shows(shown);
        }
        // It is set as a whole, with its secret.
        let again: Vec<_> = CLIENT
            .iter()
            .copied()
            .filter(|(name, _)| *name != "clientSecret")
            .collect();
        let refused = stage.visitor.post(&path, &again).await;
        refused
            .is(422)
            .shows("<code>clientSecret</code>: must be given");
        let refreshing: Vec<_> = CLIENT
            .iter()
            .copied()
            .filter(|(name, _)| !["grantType", "scopes"].contains(name))
            .chain([
                ("grantType", "refreshToken"),
                ("refreshToken", "sesame-refreshed-often"),
                ("before", "on"),
            ])
            .collect();
        stage.set("oauth", &refreshing).await;
        let page = stage.visitor.get(&path).await;
        page.is(200)
            .shows(r#"<option value="refreshToken" selected>"#)
            .shows("<code>***ften</code>")
            .shows("the one before until")
            .hides("hooks:write")
            .hides("sesame-");
    }
}

#[tokio::test]
async fn a_client_of_tokens_that_is_refused_keeps_what_was_typed_but_for_its_secrets() {
    let world = World::new();
    let [stage, _] = in_both(&world).await;
    let with = |name: &str, text: &'static str| {
        let fields = CLIENT.iter().map(|(own, old)| match *own == name {
            true => (*own, text),
            false => (*own, *old),
        });
        fields.collect::<Vec<_>>()
    };
    let more = |name: &'static str, text: &'static str| [CLIENT, &[(name, text)]].concat();
    for (fields, wrong) in [
        (with("tokenUrl", "http://example.com"), "tokenUrl"),
        (with("clientId", ""), "clientId"),
        (with("authMethod", "guess"), "authMethod"),
        (with("authMethod", "clientSecretJwt"), "jwtParams"),
        (with("grantType", "refreshToken"), "refreshToken"),
        (with("extraParams", "audience"), "extraParams"),
        (with("extraParams", "grant_type=mine"), "extraParams"),
        (
            with("extraHeaders", "x-api-key: sesame=seed"),
            "extraHeaders",
        ),
        (with("extraHeaders", "Host=other"), "extraHeaders"),
        (
            more("jwtParams", "sesame-no-key!"),
            "jwtParams.secretBase64",
        ),
        (more("tokenExpirySecs", "soon"), "tokenExpirySecs"),
    ] {
        let page = stage.visitor.post(stage.of("oauth"), &fields).await;
        page.is(422)
            .shows(&format!("<code>{wrong}</code>: "))
            .hides("sesame");
        page.shows(r#"value="hooks:write  hooks:read""#);
        page.shows(r#"aria-invalid="true""#);
    }
    stage
        .visitor
        .get(stage.of("oauth"))
        .await
        .is(200)
        .shows("nothing is set");
}

#[tokio::test]
async fn headers_are_set_and_taken_away_one_by_one() {
    let world = World::new();
    for stage in in_both(&world).await {
        stage
            .set(
                "headers",
                &[("name", "X-Tenant"), ("headers", "<b>seven</b>")],
            )
            .await;
        stage
            .set(
                "headers",
                &[("name", "Authorization"), ("headers", "sesame")],
            )
            .await;
        let page = stage.visitor.get(stage.of("headers")).await;
        page.is(200)
            .shows("X-Tenant")
            .shows("&lt;b&gt;seven")
            .hides("<b>");
        page.shows("Authorization").hides("sesame");
        let wrong = [("name", "Host"), ("headers", "sesame")];
        let page = stage.visitor.post(stage.of("headers"), &wrong).await;
        page.is(422).hides("sesame");
        let remove = format!("{}/remove", stage.of("headers"));
        stage
            .visitor
            .post(&remove, &[("name", "X-Tenant")])
            .await
            .is(303);
        stage
            .visitor
            .get(stage.of("headers"))
            .await
            .hides("X-Tenant")
            .shows("Authorization");
    }
}

#[tokio::test]
async fn rules_that_can_not_be_read_are_refused_in_their_form() {
    let world = World::new();
    for stage in in_both(&world).await {
        for (rules, wrong) in [
            ("[{", "must be a list of rules as JSON"),
            (r#"[{"path":"no path","action":"drop"}]"#, "rules[0].path"),
            (
                r#"[{"path":"/a","action":"</textarea>"}]"#,
                "must be a list of rules",
            ),
        ] {
            let page = stage
                .visitor
                .post(stage.of("redaction"), &[("rules", rules)])
                .await;
            page.is(422).shows(wrong).hides("\"</textarea>");
        }
    }
}

#[tokio::test]
async fn what_only_the_organisation_may_allow_is_refused_in_the_portal() {
    let world = World::new();
    let [operator, tenant] = in_both(&world).await;
    let fields = [("allowSensitive", "/card")];
    operator.set("redaction", &fields).await;
    tenant
        .visitor
        .post(tenant.of("redaction"), &fields)
        .await
        .is(403);
}

#[tokio::test]
async fn a_challenge_is_sent_when_somebody_asks_for_it() {
    let world = World::new();
    for stage in in_both(&world).await {
        world.lanes.take();
        let asked = stage
            .visitor
            .post(format!("{}/challenge", stage.one), &[])
            .await;
        assert!(asked.leads_to().ends_with("done=asked"));
        assert_eq!(world.lanes.take().len(), 1);
        stage.visitor.get(&stage.one).await.is(200).shows("pending");
    }
}
