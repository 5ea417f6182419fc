//! The client that gets an endpoint's access tokens: what is set of it, its form, and what becomes
//! of what was typed. It is set as a whole, and nothing of its secrets is kept: they would go to
//! another token server with the first request after its URL was changed.

use super::current::Pairs;
use super::inputs::{BEFORE, Form};
use super::save::no_choice;
use crate::pairs;
use crate::parts::{Field, facts, tick};
use crate::posted::Fields;
use crate::problem::Answer;
use crate::tenant::place::wrong;
use app::endpoints::{AssertionInput, OauthInput, OauthView, is_sensitive};
use maud::{Markup, html};
use model::oauth::ClientMethod;
use model::{Secret, Timestamp};
use std::collections::BTreeMap;

/// The words for what a client asks with.
const GRANTS: [(&str, &str); 2] = [
    ("clientCredentials", "Who it is (client credentials)"),
    ("refreshToken", "A refresh token that it was given"),
];

/// What is set, as its form has it.
pub(super) fn filled(oauth: OauthView) -> Pairs {
    let grant = match oauth.refresh_token {
        Some(_) => GRANTS[1].0,
        None => GRANTS[0].0,
    };
    let mut pairs = vec![
        ("authMethod", oauth.method.as_str().to_owned()),
        ("grantType", grant.to_owned()),
        ("scopes", oauth.scopes.join(" ")),
        ("extraParams", pairs::written(&oauth.extra_params)),
        ("extraHeaders", pairs::written(&oauth.extra_headers)),
        ("tokenUrl", oauth.token_url),
        ("clientId", oauth.client_id),
    ];
    if let Some(assertion) = oauth.assertion {
        pairs.push(("secretId", assertion.key_id.unwrap_or_default()));
        pairs.push(("tokenExpirySecs", assertion.seconds.to_string()));
    }
    pairs
}

/// Its form.
pub(super) fn inputs(form: &Form<'_>) -> Markup {
    let refused = form.refused;
    let methods = [
        (ClientMethod::SecretBasic, "A secret, in a header"),
        (ClientMethod::SecretPost, "A secret, in the form"),
        (
            ClientMethod::PrivateKeyJwt,
            "A JWT that a private key signs",
        ),
    ];
    let methods = methods.map(|(method, text)| (method.as_str(), text));
    let secret = "Of both ways with a secret; typed anew whenever something here is changed.";
    let refresh = "Only for that. One that stays good.";
    let params = "One a line: name=value. They are shown to whoever sees the endpoint.";
    html! {
        (form.needed("tokenUrl", "Token URL", "Where tokens are asked for, over https.")
            .line(refused))
        (form.needed("clientId", "Client id", "Who asks.").line(refused))
        (form.field("authMethod", "How it proves that", "").choice(&methods, refused))
        (form.field("clientSecret", "Client secret", secret).secret(refused))
        fieldset {
            legend { "Private key" }
            p.hint { "Only for a JWT that it signs." }
            (form.field("jwtParams", "RSA private key", "PKCS#8 or PKCS#1, PEM or DER, in Base64.")
                .secret(refused))
            (form.line("secretId", "Its id", "What the JWT has as kid; empty: none."))
            (form.line("tokenExpirySecs", "The JWT is good for, in seconds", "Empty: 300."))
        }
        (form.field("grantType", "What it asks with", "").choice(&GRANTS, refused))
        (form.field("refreshToken", "Refresh token", refresh).secret(refused))
        (form.line("scopes", "Scopes", "Apart by blanks. Empty: what the server chooses."))
        (form.field("extraParams", "Further parameters", params).lines(3, refused))
        (further_headers(form))
        (tick("before", BEFORE, form.fields.is_on("before")))
    }
}

/// Without the lines of those that usually are secret, whether they are set or were just typed.
fn further_headers(form: &Form<'_>) -> Markup {
    let lines = form.fields.text("extraHeaders").lines();
    let shown: Vec<_> = lines.filter(|line| !is_of_credential(line)).collect();
    let shown = shown.join("\n");
    let field = Field {
        name: "extraHeaders",
        label: "Further headers",
        value: &shown,
        hint: "One a line: name=value. X-Api-Key and the like are not shown again: type them anew.",
        required: false,
    };
    field.lines(3, form.refused)
}

fn is_of_credential(line: &str) -> bool {
    let name = line.split(['=', ':']).next().unwrap_or_default();
    is_sensitive(name.trim())
}

/// What was typed. `before` is what was set until now, which is tried besides until `until`.
pub(super) fn input(
    fields: &Fields,
    (before, until): (Option<OauthView>, Option<Timestamp>),
) -> Answer<OauthInput> {
    let method = fields.text("authMethod");
    let method = ClientMethod::ALL
        .into_iter()
        .find(|one| one.as_str() == method);
    let secret = |name: &str| {
        let typed = Some(fields.raw(name)).filter(|typed| !typed.is_empty());
        typed.map(|typed| Secret::from(typed.to_owned()))
    };
    let seconds = fields.some("tokenExpirySecs").map(|text| {
        let text = text.parse::<u64>();
        text.map_err(|_| wrong("tokenExpirySecs", "must be a whole number of seconds"))
    });
    let seconds = seconds.transpose()?;
    let params = before.map(|before| before.extra_params).unwrap_or_default();
    let scopes = fields.text("scopes").split_whitespace();
    Ok(OauthInput {
        token_url: fields.text("tokenUrl").to_owned(),
        client_id: fields.text("clientId").to_owned(),
        method: method.ok_or_else(|| no_choice("authMethod"))?,
        client_secret: secret("clientSecret"),
        assertion: secret("jwtParams").map(|key| AssertionInput {
            key,
            key_id: fields.some("secretId"),
            seconds,
        }),
        refreshes: match fields.text("grantType") {
            "clientCredentials" => false,
            "refreshToken" => true,
            _ => return Err(no_choice("grantType")),
        },
        refresh_token: secret("refreshToken"),
        scopes: scopes.map(str::to_owned).collect(),
        extra_params: pairs::read(fields, "extraParams", &params)?,
        extra_headers: headers(fields)?,
        previous_expires_at: until,
    })
}

/// A colon is refused here, for what stands behind it may be secret, and a refusal names names.
fn headers(fields: &Fields) -> Answer<BTreeMap<String, String>> {
    let headers = pairs::read(fields, "extraHeaders", &BTreeMap::new())?;
    match headers.keys().any(|name| name.contains(':')) {
        true => Err(wrong("extraHeaders", "must have no colon before the `=`")),
        false => Ok(headers),
    }
}

/// All that is set, with secrets masked.
pub(super) fn whole(oauth: &OauthView) -> Markup {
    let code = |text: &str| html! { code { (text) } };
    let mut all = vec![
        ("Token URL", code(&oauth.token_url)),
        ("Client id", code(&oauth.client_id)),
        ("How it proves that", code(oauth.method.as_str())),
    ];
    if let Some(secret) = &oauth.client_secret {
        all.push(("Client secret", code(secret)));
    }
    if let Some(assertion) = &oauth.assertion {
        all.push(("Private key", code(&assertion.key)));
        if let Some(id) = &assertion.key_id {
            all.push(("Its id", code(id)));
        }
        let seconds = html! { (assertion.seconds) " seconds" };
        all.push(("The JWT is good for", seconds));
    }
    if let Some(token) = &oauth.refresh_token {
        all.push(("Refresh token", code(token)));
    }
    for (called, words) in [
        ("Scopes", named(oauth.scopes.iter())),
        (
            "Further parameters",
            named(lines(&oauth.extra_params).iter()),
        ),
        ("Further headers", named(lines(&oauth.extra_headers).iter())),
    ] {
        all.extend(words.map(|words| (called, words)));
    }
    facts(all)
}

fn lines(pairs: &BTreeMap<String, String>) -> Vec<String> {
    let lines = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    lines.collect()
}

/// `None` where there is none.
fn named<'w>(words: impl ExactSizeIterator<Item = &'w String>) -> Option<Markup> {
    (words.len() > 0).then(|| html! { @for word in words { code { (word) } " " } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::endpoints::AssertionView;

    #[test]
    fn what_is_set_stands_in_the_form_and_is_read_as_the_same() {
        let set = OauthView {
            token_url: "https://example.com/token".to_owned(),
            client_id: "postrider".to_owned(),
            method: ClientMethod::PrivateKeyJwt,
            client_secret: None,
            assertion: Some(AssertionView {
                key: "***".to_owned(),
                key_id: Some("first".to_owned()),
                seconds: 60,
            }),
            refresh_token: None,
            scopes: vec!["a".to_owned(), "b".to_owned()],
            // No line can say the second.
            extra_params: ["x", "a=b"]
                .map(|name| (name.to_owned(), "1".to_owned()))
                .into(),
            extra_headers: BTreeMap::new(),
            previous_expires_at: None,
        };
        let pairs = filled(set.clone()).into_iter();
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text));
        let key = ("jwtParams".to_owned(), "a2V5".to_owned());
        let fields = Fields::from(pairs.chain([key]).collect::<Vec<_>>());
        let read = input(&fields, (Some(set.clone()), None)).expect("it can be read");
        assert_eq!(read.token_url, set.token_url);
        assert_eq!(read.client_id, set.client_id);
        assert_eq!(read.method, set.method);
        assert_eq!(read.scopes, set.scopes);
        assert_eq!(read.extra_params, set.extra_params);
        assert!(!read.refreshes);
        let assertion = read.assertion.expect("a key was typed");
        assert_eq!(assertion.key.expose(), b"a2V5");
        assert_eq!(assertion.key_id.as_deref(), Some("first"));
        assert_eq!(assertion.seconds, Some(60));
    }

    #[test]
    fn lines_of_headers_that_usually_are_secret_are_told_by_their_names() {
        for (line, is_one) in [
            ("x-api-key=sesame", true),
            (" X-API-Key : ses=ame", true),
            ("authorization", true),
            ("x-tenant=x-api-key", false),
            ("", false),
        ] {
            assert_eq!(is_of_credential(line), is_one, "{line}");
        }
    }
}
