//! What is set of each part, in a few words, and the whole of it where a few words don't do.

use super::{Part, oauth};
use crate::Shared;
use crate::parts::{self, Tone, badge, button, time, time_or};
use crate::problem::Answer;
use crate::seat::Seat;
use crate::tenant::endpoints::CHANGE;
use crate::tenant::place::{of_endpoint, set};
use app::Tenant;
use app::endpoints::{
    AuthView, CredentialView, EndpointView, MinTls, MtlsView, OauthView, PinsView,
    VerificationStatus,
};
use maud::{Markup, html};
use model::chain_seen::SeenCertificate;
use model::protection::{Encryption, EncryptionKey};

/// All parts, on the endpoint's page.
pub(in super::super) async fn summary(
    rooms: &Shared,
    seat: &Seat,
    at: (&Tenant, &EndpointView),
) -> Answer<Markup> {
    let mut rows = Vec::with_capacity(Part::ALL.len() + 1);
    for part in Part::ALL {
        let words = words(rooms, (at, part)).await?;
        let to = of_endpoint(seat, at.1, &format!("/protection/{}", part.word()));
        rows.push(vec![
            html! { (part.title()) },
            html! { @match words { Some(words) => (words), None => span.quiet { "not set" } } },
            html! {
                @if seat.may(CHANGE) {
                    a href=(to) aria-label={ "Change: " (part.title()) } { "Change" }
                }
            },
        ]);
    }
    rows.push(verification(rooms, seat, at)?);
    let caption = "What protects what is sent";
    Ok(parts::table(
        caption,
        &["What", "Set to", "Action"],
        rows,
        "",
    ))
}

fn verification(
    rooms: &Shared,
    seat: &Seat,
    (tenant, view): (&Tenant, &EndpointView),
) -> Answer<Vec<Markup>> {
    let proof = rooms
        .app
        .verification(tenant, &view.endpoint.id.to_string())?;
    let (tone, word) = match proof.status {
        VerificationStatus::NotRequired => (Tone::Plain, "not demanded"),
        VerificationStatus::Pending => (Tone::Waiting, "pending"),
        VerificationStatus::Verified => (Tone::Good, "verified"),
        VerificationStatus::Failed => (Tone::Bad, "failed"),
    };
    let to = of_endpoint(seat, view, "/challenge");
    Ok(vec![
        html! { "Verification" },
        html! {
            (badge(tone, word))
            @if let Some(reason) = &proof.reason { " " span { (reason) } }
            @if let Some(rate) = proof.per_minute {
                " " span { "It allows " (rate) " requests in a minute." }
            }
        },
        html! {
            @if seat.may(CHANGE) && !view.endpoint.disabled {
                (button(seat, &to, ("", "Send challenge")))
            }
        },
    ])
}

/// In a few words; `None`: nothing is set.
async fn words(
    rooms: &Shared,
    ((tenant, view), part): ((&Tenant, &EndpointView), Part),
) -> Answer<Option<Markup>> {
    let id = view.endpoint.id.to_string();
    let app = &rooms.app;
    Ok(match part {
        Part::Auth => set(app.auth(tenant, &id))?.map(|auth| credential(&auth)),
        Part::Oauth => app.oauth(tenant, &id)?.map(|oauth| client(&oauth)),
        Part::Mtls => set(app.mtls(tenant, &id))?.map(|mtls| identity(&mtls)),
        Part::Ca => set(app.ca(tenant, &id))?.map(|ca| {
            html! {
                @if ca.cert.is_some() { "authorities of its own" } @else { "the system's" }
                @if ca.min_tls == MinTls::Tls13 { ", TLS 1.3 at the least" }
            }
        }),
        Part::Pins => set(app.pins(tenant, &id).await)?.map(|pins| pinned(&pins)),
        Part::Encryption => set(app.encryption(tenant, &id))?.map(|one| recipient(&one)),
        Part::Redaction => set(app.endpoint_redaction(tenant, &id))?.map(|redaction| {
            let (rules, allowed) = (redaction.rules.len(), redaction.allowed.len());
            html! { "rules: " (rules) @if allowed > 0 { "; allowed although sensitive: " (allowed) } }
        }),
        Part::Payload => {
            set(app.payload_mode(tenant, &id))?.map(|mode| html! { code { (mode.as_str()) } })
        }
        Part::Signature => {
            set(app.signature(tenant, &id))?.map(|scheme| html! { code { (scheme.name()) } })
        }
        Part::Headers => {
            let view = app.headers(tenant, &id)?;
            let count = view.headers.len() + view.sensitive.len();
            (count > 0).then(|| html! { (count) })
        }
    })
}

fn credential(auth: &AuthView) -> Markup {
    html! {
        @match &auth.credential {
            CredentialView::Basic { username, password } => {
                "HTTP Basic, " code { (username) ":" (password) }
            }
            CredentialView::Bearer { token } => { "bearer token " code { (token) } }
            CredentialView::ApiKey { place, name, value } => {
                "key in the " (place.as_str()) " " code { (name) } ": " code { (value) }
            }
            CredentialView::HttpSignature(signature) => {
                "signature over the request, " (signature.algorithm.as_str()) ", key "
                code { (signature.key_id) }
                @if let Some(key) = &signature.public_key { ", public key " code { (key) } }
            }
        }
        @if let Some(until) = auth.previous_expires_at { "; the one before until " (time(until)) }
    }
}

fn client(oauth: &OauthView) -> Markup {
    html! {
        (oauth.method.as_str()) ", client " code { (oauth.client_id) } " at "
        code { (oauth.token_url) }
        @if let Some(secret) = &oauth.client_secret { ", secret " code { (secret) } }
        @if let Some(until) = oauth.previous_expires_at { "; the one before until " (time(until)) }
    }
}

fn identity(mtls: &MtlsView) -> Markup {
    html! {
        @if let Some(own) = mtls.certificates.first() {
            code { (own.subject) } ", until " (time_or(own.not_after, "unknown"))
        }
        @if let Some(until) = mtls.previous_expires_at { "; the one before until " (time(until)) }
    }
}

fn pinned(pins: &PinsView) -> Markup {
    html! {
        code { (pins.mode.as_str()) } ", pins: " (pins.pins.len())
        @if let Some(advice) = pins.advice { p.notice.waiting { (advice) } }
    }
}

fn recipient(encryption: &Encryption) -> Markup {
    html! {
        @match &encryption.key {
            EncryptionKey::Given(_) => "to a key that was given",
            EncryptionKey::Published { url, key_id } => {
                "to a key at " code { (url) }
                @if let Some(id) = key_id { ", called " code { (id) } }
            }
        }
        @if let Some(algorithm) = &encryption.algorithm { ", by " code { (algorithm) } }
    }
}

/// What is set of one part, on the page of its own.
pub(super) async fn whole(
    rooms: &Shared,
    seat: &Seat,
    ((tenant, view), part): ((&Tenant, &EndpointView), Part),
) -> Answer<Markup> {
    let id = view.endpoint.id.to_string();
    let app = &rooms.app;
    let set_to = words(rooms, ((tenant, view), part)).await?;
    let more = match part {
        Part::Mtls => set(app.mtls(tenant, &id))?.map(|mtls| {
            let rows = mtls.certificates.iter().map(certificate);
            certificates("The certificate, then its issuers'", rows.collect())
        }),
        Part::Oauth => app.oauth(tenant, &id)?.map(|oauth| oauth::whole(&oauth)),
        Part::Pins => set(app.pins(tenant, &id).await)?.and_then(|pins| {
            let seen = pins.seen?;
            let rows = seen.certificates.iter().map(certificate).collect();
            Some(html! {
                p { "What the receiver was last verified by, at " (time(seen.at)) ":" }
                (certificates("The chain that was seen", rows))
            })
        }),
        Part::Headers => Some(headers(rooms, seat, (tenant, view))?),
        _ => None,
    };
    Ok(html! {
        @if part != Part::Headers {
            p { "Now: " @match set_to { Some(words) => (words), None => "nothing is set" } }
        }
        @if let Some(more) = more { (more) }
    })
}

fn certificates(caption: &str, rows: Vec<Vec<Markup>>) -> Markup {
    let heads = ["For", "Issued by", "Ends", "Pin of its key"];
    parts::table(caption, &heads, rows, "No certificate was seen yet.")
}

fn certificate(one: &SeenCertificate) -> Vec<Markup> {
    vec![
        html! { (one.subject) },
        html! { (one.issuer) },
        time_or(one.not_after, "unknown"),
        parts::id(one.pin),
    ]
}

/// Each with a button that takes it away. Values that usually are secret are not shown.
fn headers(
    rooms: &Shared,
    seat: &Seat,
    (tenant, view): (&Tenant, &EndpointView),
) -> Answer<Markup> {
    let headers = rooms.app.headers(tenant, &view.endpoint.id.to_string())?;
    let shown = headers.headers.iter();
    let shown = shown.map(|(name, value)| (name, html! { code { (value) } }));
    let hidden = headers.sensitive.iter();
    let hidden = hidden.map(|name| (name, html! { span.quiet { "not shown" } }));
    let to = of_endpoint(seat, view, "/protection/headers/remove");
    let rows = shown.chain(hidden).map(|(name, value)| {
        let remove = html! {
            form.inline method="post" action=(to) data-sure="Remove this header?" {
                (parts::form_token(seat))
                input type="hidden" name="name" value=(name);
                button.danger type="submit" aria-label={ "Remove: " (name) } { "Remove" }
            }
        };
        vec![html! { code { (name) } }, value, remove]
    });
    let none = "Its requests have no further headers.";
    let caption = "Headers of its requests";
    Ok(html! {
        (parts::table(caption, &["Name", "Value", "Action"], rows.collect(), none))
        h2 { "Set one" }
    })
}
