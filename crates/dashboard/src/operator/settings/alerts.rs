//! Who is told of security events: channels, how often they are written to, and a try of all of
//! them. A channel's URL lets one write there: it is masked, and never shown again.

use super::{CHANGE, Last, Part, answer};
use crate::Shared;
use crate::parts::{self, Field, Tone, badge, button, count, form_token};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::environment::alerts::{AlertsInput, ChannelInput, DestinationInput, Tried, masked_url};
use app::{AppError, Violation};
use axum::extract::State;
use maud::{Markup, html};
use model::Secret;
use model::alerts::{Alerts, Channel, Destination, Pace};
use model::security::{SecurityKind, Severity};

const TYPES: &[(&str, &str)] = &[
    ("slack", "An incoming webhook, as Slack has it"),
    ("email", "E-mail"),
];
const SEVERITIES: &[(&str, &str)] = &[
    ("warning", "Warnings and what is critical"),
    ("critical", "What is critical"),
    ("info", "Everything"),
];

pub(super) fn part(seat: &Seat, alerts: &Alerts, last: &Last<'_>) -> Markup {
    let may_change = seat.may(CHANGE);
    let rows = alerts.channels.iter().enumerate().map(|(index, channel)| {
        let mut row = vec![
            html! { (channel.to.word()) },
            html! { (parts::short(&told(&channel.to))) },
            html! { (channel.min_severity.as_str()) " or worse" },
            kinds(channel),
        ];
        if may_change {
            row.push(remove_form(seat, (index, channel)));
        }
        row
    });
    let heads = ["Channel", "Where to", "Of what", "Kinds", "Change"];
    let heads = &heads[..if may_change { 5 } else { 4 }];
    html! {
        h2 #alerts { "Alerts of security events" }
        @if let Last::Tried(tried) = last { (results(tried)) }
        (parts::table("Whom they are told to", heads, rows.collect(), "Nobody is told of them."))
        @if may_change {
            @if !alerts.channels.is_empty() {
                div.actions {
                    (button(seat, "/dashboard/settings/alerts/test", ("", "Send a test alert")))
                }
            }
            (channel_form(seat, last))
            (pace_form(seat, &alerts.pace, last))
        } @else {
            p { (pace(&alerts.pace)) }
        }
    }
}

/// Where a channel leads, without what lets one write there.
fn told(to: &Destination) -> String {
    match to {
        Destination::Slack(url) => masked_url(url),
        Destination::Email(to) => {
            let to: Vec<_> = to.iter().map(ToString::to_string).collect();
            to.join(", ")
        }
    }
}

fn kinds(channel: &Channel) -> Markup {
    html! {
        @match &channel.kinds {
            None => "all",
            Some(kinds) => {
                @for (index, kind) in kinds.iter().enumerate() {
                    @if index > 0 { ", " }
                    code { (kind.as_str()) }
                }
            }
        }
    }
}

fn pace(pace: &Pace) -> String {
    format!(
        "The same is told again after {}; at most {} alerts go out at once, and the rest together, \
         every {}.",
        parts::duration(pace.dedup),
        count(pace.at_once.into()),
        parts::duration(pace.digest),
    )
}

fn results(tried: &[Tried]) -> Markup {
    let rows = tried.iter().map(|one| {
        let outcome = match &one.outcome {
            Ok(()) => badge(Tone::Good, "it was taken"),
            Err(error) => html! { (badge(Tone::Bad, "it was not taken")) " " (error) },
        };
        vec![html! { (one.channel) }, outcome]
    });
    let heads = ["Channel", "Outcome"];
    html! { (parts::table("How the test alert went", &heads, rows.collect(), "There is no channel.")) }
}

/// Names the channel by its place and by what it was: somebody else may have changed the list.
fn remove_form(seat: &Seat, (index, channel): (usize, &Channel)) -> Markup {
    html! {
        form.inline method="post" action="/dashboard/settings/alerts/remove" {
            (form_token(seat))
            input type="hidden" name="channel" value=(index);
            input type="hidden" name="was" value=(told(&channel.to));
            button.danger type="submit" data-sure="Tell nothing to this channel any more?" { "Remove" }
        }
    }
}

fn channel_form(seat: &Seat, last: &Last<'_>) -> Markup {
    let (refused, sent) = (last.refused(Part::Channel), last.fields(Part::Channel));
    let text = |name| sent.map_or("", |fields| fields.text(name));
    let field = |name, label, hint| Field {
        name,
        label,
        value: text(name),
        hint,
        required: false,
    };
    // What is secret is not sent back.
    let url = Field {
        value: "",
        ..field(
            "url",
            "URL of the incoming webhook",
            "https://…; who knows it may write there, so it is not shown again.",
        )
    };
    html! {
        h3 { "Another channel" }
        (parts::refusal(refused))
        form.panel method="post" action="/dashboard/settings/alerts/channel" {
            (form_token(seat))
            (field("type", "What it is", "").choice(TYPES, refused))
            (url.line(refused))
            (field("to", "E-mail addresses", "With commas between them.").line(refused))
            (field("minSeverity", "What it is told", "").choice(SEVERITIES, refused))
            (field("kinds", "Only of these kinds", "With commas between them; all where none is named.")
                .line(refused))
            button.primary type="submit" { "Add the channel" }
        }
    }
}

fn pace_form(seat: &Seat, pace: &Pace, last: &Last<'_>) -> Markup {
    let (refused, sent) = (last.refused(Part::Pace), last.fields(Part::Pace));
    let now = [
        ("dedupSeconds", pace.dedup.as_secs().to_string()),
        ("digestSeconds", pace.digest.as_secs().to_string()),
        ("atOnce", pace.at_once.to_string()),
    ];
    let said = [
        (
            "Seconds until the same is told again",
            "It is counted meanwhile.",
        ),
        (
            "Seconds between two digests",
            "What is not told at once is told together, no more often than this.",
        ),
        (
            "Alerts at once",
            "So many go out within the time of a digest, and as many that are critical.",
        ),
    ];
    html! {
        h3 { "How often" }
        (parts::refusal(refused))
        form.panel method="post" action="/dashboard/settings/alerts/pace" {
            (form_token(seat))
            @for ((name, now), (label, hint)) in now.iter().zip(said) {
                (Field {
                    name,
                    label,
                    value: sent.map_or(now.as_str(), |fields| fields.text(name)),
                    hint,
                    required: true,
                }.line(refused))
            }
            button.primary type="submit" { "Save how often" }
        }
    }
}

pub(super) async fn add(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let add = async {
        let channel = channel(&posted.fields)?;
        change(&rooms, &posted, |input| {
            input.channels.push(channel);
            Ok(())
        })
        .await
    };
    let outcome = add.await;
    answer(&rooms, (&posted, Part::Channel), outcome).await
}

pub(super) async fn remove(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let fields = &posted.fields;
    let outcome = change(&rooms, &posted, |input| {
        let index = fields.text("channel").parse().unwrap_or(usize::MAX);
        let there = input.channels.get(index);
        if there.is_none_or(|there| was(there) != fields.text("was")) {
            let text = "it is not there any more, or not in this place: look again";
            return Err(wrong("channel", text));
        }
        input.channels.remove(index);
        Ok(())
    });
    let outcome = outcome.await;
    answer(&rooms, (&posted, Part::Channel), outcome).await
}

pub(super) async fn set_pace(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let fields = &posted.fields;
    let outcome = change(&rooms, &posted, |input| {
        input.dedup_seconds = Some(number(fields, "dedupSeconds")?);
        input.digest_seconds = Some(number(fields, "digestSeconds")?);
        let at_once = number(fields, "atOnce")?;
        input.at_once = Some(u16::try_from(at_once).unwrap_or(u16::MAX));
        Ok(())
    });
    let outcome = outcome.await;
    answer(&rooms, (&posted, Part::Pace), outcome).await
}

/// Writes what there is anew, with something changed.
async fn change(
    rooms: &Shared,
    posted: &Posted,
    change: impl FnOnce(&mut AlertsInput) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let caller = &posted.seat.caller;
    let mut input = again(rooms.app.alerts(caller).await?);
    change(&mut input)?;
    rooms.app.set_alerts(caller, input).await?;
    Ok(())
}

/// What is there, as it is given.
fn again(alerts: Alerts) -> AlertsInput {
    let channels = alerts.channels.into_iter().map(|channel| ChannelInput {
        to: match channel.to {
            Destination::Slack(url) => DestinationInput::Slack { url },
            Destination::Email(to) => DestinationInput::Email {
                to: to.iter().map(ToString::to_string).collect(),
            },
        },
        min_severity: Some(channel.min_severity),
        kinds: channel.kinds.map(Vec::from_iter),
    });
    AlertsInput {
        channels: channels.collect(),
        dedup_seconds: Some(alerts.pace.dedup.as_secs()),
        digest_seconds: Some(alerts.pace.digest.as_secs()),
        at_once: Some(alerts.pace.at_once),
    }
}

/// As [`told`] of what it was made from.
fn was(channel: &ChannelInput) -> String {
    match &channel.to {
        DestinationInput::Slack { url } => masked_url(url),
        DestinationInput::Email { to } => to.join(", "),
    }
}

fn channel(fields: &Fields) -> Result<ChannelInput, Refused> {
    let to = match fields.text("type") {
        "slack" => DestinationInput::Slack {
            url: Secret::from(fields.text("url").to_owned()),
        },
        "email" => DestinationInput::Email {
            to: fields.list("to"),
        },
        _ => return Err(wrong("type", "must be `slack` or `email`")),
    };
    let severity = fields.text("minSeverity");
    let mut severities = Severity::ALL.into_iter();
    let Some(severity) = severities.find(|one| one.as_str() == severity) else {
        return Err(wrong(
            "minSeverity",
            "must be `info`, `warning` or `critical`",
        ));
    };
    let named = fields.list("kinds");
    let kinds: Result<Vec<_>, _> = named.iter().map(|word| kind(word)).collect();
    Ok(ChannelInput {
        to,
        min_severity: Some(severity),
        kinds: Some(kinds?).filter(|kinds| !kinds.is_empty()),
    })
}

fn kind(word: &str) -> Result<SecurityKind, Refused> {
    SecurityKind::named(word).ok_or_else(|| {
        let text = format!("`{word}` is no kind of security event, such as `ingest.replayed`");
        wrong("kinds", text)
    })
}

fn number(fields: &Fields, name: &str) -> Result<u64, Refused> {
    let parsed = fields.text(name).parse();
    parsed.map_err(|_| wrong(name, "must be a whole number"))
}

fn wrong(field: &str, text: impl Into<String>) -> Refused {
    AppError::from(Violation::body(&[field], text.into())).into()
}
