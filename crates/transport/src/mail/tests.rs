//! Letters, and the conversation with a server that plays its part from a script. With TLS, the
//! end-to-end tests have it.

use super::*;
use crate::fetch::fake::{Counting, Still};
use crate::{FixedResolver, Stage};
use model::Secret;
use model::address::AddressPolicy;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a server says to each word it knows, and to what comes after `DATA`.
type Script = &'static [(&'static str, &'static str)];

const WILLING: Script = &[
    ("EHLO", "250-here\r\n250 8BITMIME\r\n"),
    ("MAIL FROM", "250 ok\r\n"),
    ("RCPT TO", "250 ok\r\n"),
    ("DATA", "354 go on\r\n"),
    (".", "250 taken\r\n"),
    ("QUIT", "221 bye\r\n"),
];

/// Serves one connection, and gives back all lines that came.
async fn serve(script: Script) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (reads, mut writes) = stream.into_split();
        let mut lines = BufReader::new(reads).split(b'\n');
        let (mut came, mut is_letter) = (Vec::new(), false);
        let _ = writes.write_all(b"220 here\r\n").await;
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let is_known = |(word, _): &&(&str, &str)| match is_letter {
                true => *word == "." && line == ".",
                false => line.starts_with(word),
            };
            if let Some((word, says)) = script.iter().find(is_known) {
                is_letter = *word == "DATA" && says.starts_with("354");
                let _ = writes.write_all(says.as_bytes()).await;
            }
            came.push(line);
        }
        came
    });
    (address, served)
}

fn mailer(url: &str, insecure: bool) -> Mailer {
    let from = "postrider@example.com".parse().expect("an address");
    let password = url.contains('@').then(|| Secret::from("sesame".to_owned()));
    let server = MailServer::new(url, insecure, password, from);
    let server = server.unwrap_or_else(|error| panic!("{url}: {error}"));
    let resolver = Arc::new(FixedResolver(Vec::new()));
    let guard = Arc::new(Guard::new(AddressPolicy::default(), resolver));
    let around: (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::new(Still), Arc::<Counting>::default());
    Mailer::new(server, (guard, None), around).expect("the system's roots will do")
}

fn letter() -> Letter {
    let to = ["ops@example.com", "night@example.com"];
    Letter {
        to: to.map(|text| text.parse().expect("an address")).into(),
        subject: "two\r\nBcc: all@example.com".to_owned(),
        text: "first\n.\n.second ü\n".to_owned(),
    }
}

#[tokio::test]
async fn a_letter_is_handed_over_whole_and_nothing_in_it_begins_a_header() {
    let (address, served) = serve(WILLING).await;
    let mailer = mailer(&format!("smtp://{address}"), true);
    mailer.send(&letter()).await.expect("it is taken");
    drop(mailer);
    let came = served.await.expect("it was served");
    for line in [
        "EHLO example.com",
        "RCPT TO:<ops@example.com>",
        "RCPT TO:<night@example.com>",
        "From: postrider@example.com",
        "To: ops@example.com, night@example.com",
        "Subject: two  Bcc: all@example.com",
        "first",
        "QUIT",
    ] {
        assert!(
            came.iter().any(|one| one == line),
            "no {line:?} in {came:#?}"
        );
    }
    let begins = |with: &str| came.iter().filter(|line| line.starts_with(with)).count();
    assert_eq!(begins("Bcc"), 0, "{came:#?}");
    assert_eq!(
        (begins("Date: "), begins("Message-ID: <")),
        (1, 1),
        "{came:#?}"
    );
    assert_eq!(
        begins(".."),
        2,
        "lines that begin with a dot are not the end: {came:#?}"
    );
}

#[tokio::test]
async fn without_starttls_nothing_is_said() {
    let (address, served) = serve(WILLING).await;
    let mailer = mailer(&format!("smtp://me@{address}"), false);
    let refused = mailer.send(&letter()).await.expect_err("it offers none");
    assert!(matches!(refused, MailError::NoStartTls), "{refused}");
    assert!(!refused.may_pass() && refused.to_string().contains("`smtp_insecure`"));
    assert_eq!(served.await.expect("it was served"), ["EHLO example.com"]);
}

#[tokio::test]
async fn words_that_come_before_tls_are_not_taken_for_the_server_s() {
    const INJECTED: Script = &[
        ("EHLO", "250-here\r\n250 STARTTLS\r\n"),
        (
            "STARTTLS",
            "220 go on\r\n250-here\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n",
        ),
    ];
    let (address, served) = serve(INJECTED).await;
    let mailer = mailer(&format!("smtp://me@{address}"), false);
    let refused = mailer.send(&letter()).await.expect_err("that is no TLS");
    let MailError::Unreached(error) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(error.stage(), Stage::Tls);
    let came = served.await.expect("it was served").join("\n");
    assert!(!came.contains("MAIL") && !came.contains("AUTH"), "{came}");
}

#[tokio::test]
async fn a_refusal_is_told_by_its_number_and_without_the_server_s_words() {
    const FOR_GOOD: Script = &[
        ("EHLO", "250 here\r\n"),
        ("MAIL FROM", "250 ok\r\n"),
        ("RCPT TO", "550 sesame\r\n"),
        ("QUIT", "221 bye\r\n"),
    ];
    const FOR_NOW: Script = &[
        ("EHLO", "250 here\r\n"),
        ("MAIL FROM", "451 sesame\r\n"),
        ("QUIT", "221 bye\r\n"),
    ];
    for (script, expected, may_pass) in [(FOR_GOOD, 550, false), (FOR_NOW, 451, true)] {
        let (address, _served) = serve(script).await;
        let mailer = mailer(&format!("smtp://{address}"), true);
        let refused = mailer.send(&letter()).await.expect_err("it is refused");
        assert!(
            matches!(refused, MailError::Refused { code, .. } if code == expected),
            "{refused}"
        );
        assert_eq!(refused.may_pass(), may_pass);
        assert!(!refused.to_string().contains("sesame"), "{refused}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_may_be_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let refused = mailer(&format!("smtp://{address}"), true)
        .send(&letter())
        .await;
    let refused = refused.expect_err("nobody is there");
    assert!(matches!(refused, MailError::Unreached(_)) && refused.may_pass());
}
