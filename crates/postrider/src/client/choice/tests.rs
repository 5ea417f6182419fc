//! Which layer decides, and where a token may go. No server is asked.

use super::*;
use std::path::Path;

const FILE: &str = "
listen = '127.0.0.1:1'
[profile.live]
server = 'https://hooks.example.com/'
token_file = 'live.token'
[profile.lab]
server = 'http://lab.example.com:8071'
token_file = '/run/lab.token'
unsafe_http = true
[profile.bare]
server = 'https://bare.example.com'
";

fn with_file(test: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("postrider.toml");
    std::fs::write(&path, FILE).unwrap();
    test(&path);
}

fn typed(config: &Path) -> ServerArgs {
    ServerArgs {
        config: Some(config.to_owned()),
        ..ServerArgs::default()
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Server and token file.
fn of(chosen: Result<Chosen, Failure>) -> (String, String) {
    let chosen = chosen.unwrap_or_else(|failure| panic!("{failure:?}"));
    let token = match chosen.token {
        None => "none".to_owned(),
        Some(Token::File(path)) => path.display().to_string(),
        Some(Token::Text(text)) => String::from_utf8_lossy(text.expose()).into_owned(),
    };
    (chosen.server, token)
}

#[test]
fn a_typed_profile_goes_before_the_environment_and_a_flag_before_both() {
    with_file(|file| {
        let environment = |profile: Option<&str>| Environment {
            server: text("https://env.example.com"),
            token: Some(Secret::from("env-token".to_owned())),
            profile: profile.map(str::to_owned),
            ..Environment::default()
        };
        let live = file.with_file_name("live.token").display().to_string();
        let profile = |name: &str| ServerArgs {
            profile: text(name),
            ..typed(file)
        };
        let expect = |typed: &ServerArgs, environment, server: &str, token: &str| {
            assert_eq!(
                of(chosen(typed, environment)),
                (server.into(), token.into())
            );
        };
        let none = Environment::default;
        expect(&typed(file), none(), SERVER_DEFAULT, "none");
        expect(
            &profile("live"),
            none(),
            "https://hooks.example.com/",
            &live,
        );
        expect(
            &profile("live"),
            environment(None),
            "https://hooks.example.com/",
            &live,
        );
        expect(
            &profile("bare"),
            environment(None),
            "https://bare.example.com",
            "env-token",
        );
        expect(
            &typed(file),
            environment(Some("live")),
            "https://env.example.com",
            "env-token",
        );
        let by_variable = Environment {
            profile: text("lab"),
            ..none()
        };
        expect(
            &typed(file),
            by_variable,
            "http://lab.example.com:8071",
            "/run/lab.token",
        );
        let all = ServerArgs {
            server: text("https://flag.example.com"),
            token_file: Some("flag.token".into()),
            ..profile("live")
        };
        expect(
            &all,
            environment(None),
            "https://flag.example.com",
            "flag.token",
        );
    });
}

#[test]
fn a_profiles_token_goes_to_no_other_server() {
    with_file(|file| {
        let elsewhere = ServerArgs {
            server: text("https://elsewhere.example.com"),
            profile: text("live"),
            ..typed(file)
        };
        let Err(Failure::Misuse(error)) = chosen(&elsewhere, Environment::default()) else {
            panic!("it went elsewhere");
        };
        assert!(
            error.to_string().contains("elsewhere.example.com"),
            "{error}"
        );
        let elsewhere = Environment {
            server: text("https://elsewhere.example.com"),
            profile: text("live"),
            ..Environment::default()
        };
        assert!(chosen(&typed(file), elsewhere).is_err());
        std::fs::write(file, "[profile.lone]\ntoken_file = 't'\n").unwrap();
        let lone = ServerArgs {
            profile: text("lone"),
            ..typed(file)
        };
        let Err(Failure::Misuse(error)) = chosen(&lone, Environment::default()) else {
            panic!("it went to nobody's server");
        };
        assert!(error.to_string().contains("give it a `server`"), "{error}");
    });
}

#[test]
fn authorities_come_by_flag_from_the_environment_and_for_its_server_alone_from_a_profile() {
    with_file(|file| {
        let own = "[profile.own]\nserver = 'https://own'\nca_file = 'own.pem'\n";
        std::fs::write(file, own).unwrap();
        let beside = file.with_file_name("own.pem");
        let profile = || ServerArgs {
            profile: text("own"),
            token_file: Some("t".into()),
            ..typed(file)
        };
        let variable = |path: Option<&str>| Environment {
            ca_file: path.map(Into::into),
            ..Environment::default()
        };
        let ca_file = |typed: &ServerArgs, environment| {
            let chosen = chosen(typed, environment);
            chosen
                .unwrap_or_else(|failure| panic!("{failure:?}"))
                .ca_file
        };
        assert_eq!(
            ca_file(&profile(), variable(Some("env.pem"))),
            Some(beside.clone())
        );
        let by_flag = ServerArgs {
            ca_file: Some("flag.pem".into()),
            ..profile()
        };
        assert_eq!(ca_file(&by_flag, variable(None)), Some("flag.pem".into()));
        let elsewhere = ServerArgs {
            server: text("https://elsewhere"),
            ..profile()
        };
        assert_eq!(ca_file(&elsewhere, variable(None)), None);
        let by_variable = Environment {
            profile: text("own"),
            token_file: Some("t".into()),
            ..variable(Some("env.pem"))
        };
        assert_eq!(ca_file(&typed(file), by_variable), Some("env.pem".into()));
    });
}

#[test]
fn what_is_no_certificate_vouches_for_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, "nothing here").unwrap();
    let server = ServerUrl::parse("https://h", false).unwrap();
    let trusting = server.clone().trusting(Some(&path)).unwrap();
    let token = Credentials::new(Secret::from("t".to_owned())).unwrap();
    let refused = super::super::Client::new(trusting, &token, super::super::Patience::SHORT);
    assert!(matches!(refused, Err(Failure::Misuse(_))));
    let missing = directory.path().join("missing.pem");
    assert!(matches!(
        server.trusting(Some(&missing)),
        Err(Failure::CouldNot(_))
    ));
}

#[test]
fn a_profile_that_is_not_there_or_a_token_given_twice_is_misuse() {
    with_file(|file| {
        for (name, part) in [("lib", "`lab`"), ("", "`"), ("liv", "`live`")] {
            let typed = ServerArgs {
                profile: text(name),
                ..typed(file)
            };
            let Err(Failure::Misuse(error)) = chosen(&typed, Environment::default()) else {
                panic!("a profile {name:?}");
            };
            assert!(error.to_string().contains(part), "{error}");
        }
        let without_file = ServerArgs {
            profile: text("live"),
            ..ServerArgs::default()
        };
        assert!(matches!(
            chosen(&without_file, Environment::default()),
            Err(Failure::Misuse(_))
        ));
        let twice = Environment {
            token: Some(Secret::from("t".to_owned())),
            token_file: Some("f".into()),
            ..Environment::default()
        };
        assert!(matches!(
            chosen(&typed(file), twice),
            Err(Failure::Misuse(_))
        ));
    });
}

#[test]
fn the_token_crosses_no_network_unencrypted_unless_somebody_says_unsafe() {
    let parse = |url: &str, unsafe_http| ServerUrl::parse(url, unsafe_http);
    for url in [
        "http://127.0.0.1:8071",
        "http://127.9.9.9/",
        "http://[::1]:8071",
        "http://localhost:8071",
        "https://10.0.0.5",
        "https://hooks.example.com",
        "https://hooks",
        "https://hooks.internal:8443/postrider/",
        "https://169.254.10.1",
    ] {
        assert!(parse(url, false).is_ok(), "{url}");
    }
    for url in [
        "http://10.0.0.5:8071",
        "http://hooks.example.com",
        "http://0.0.0.0:8071",
    ] {
        let Err(Failure::Misuse(error)) = parse(url, false) else {
            panic!("{url}");
        };
        assert!(error.to_string().contains("--unsafe-http"), "{error}");
        assert!(parse(url, true).is_ok(), "{url}");
    }
    with_file(|file| {
        let lab = ServerArgs {
            profile: text("lab"),
            ..typed(file)
        };
        assert!(chosen(&lab, Environment::default()).unwrap().unsafe_http);
    });
}

#[test]
fn what_is_no_servers_url_is_refused_without_its_password() {
    for url in [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com",
        "https://user:sesame@hooks.example.com",
        "https://hooks.example.com/?q=sesame",
        "https://hooks.example.com/#sesame",
        "https://ho oks.example.com/sesame",
    ] {
        let Err(Failure::Misuse(error)) = ServerUrl::parse(url, true) else {
            panic!("{url}");
        };
        assert!(!format!("{error:#}").contains("sesame"), "{error:#}");
    }
}

#[test]
fn words_of_a_path_can_not_lead_elsewhere() {
    let server = ServerUrl::parse("https://hooks.example.com/base/", false).unwrap();
    let request = Request::get(["app", "a/../b?c#d%2e", "endpoint", "é"])
        .query("channel", "a b&c=d")
        .query("limit", "5");
    let url = server.url_of(&request).unwrap();
    assert_eq!(
        url.as_str(),
        "https://hooks.example.com/base/api/v1/app/a%2F..%2Fb%3Fc%23d%252e/endpoint/%C3%A9\
         ?channel=a+b%26c%3Dd&limit=5"
    );
    for word in ["", ".", "..", "\t..", "\n", ".\r.", "a\tb"] {
        let url = server.url_of(&Request::get(["app", word]));
        assert!(matches!(url, Err(ClientError::Unusable(_))), "{word:?}");
    }
    assert_eq!(server.to_string(), "https://hooks.example.com/base");
    let server = ServerUrl::parse("http://127.0.0.1:8071", false).unwrap();
    let url = server.url_of(&Request::get(["app"])).unwrap();
    assert_eq!(url.as_str(), "http://127.0.0.1:8071/api/v1/app");
    assert_eq!(server.to_string(), "http://127.0.0.1:8071");
}

#[test]
fn what_no_header_can_carry_is_no_token() {
    for token in ["", "a b", "a\nb", "é"] {
        let refused = Credentials::new(Secret::from(token.to_owned()));
        let Err(Failure::Misuse(error)) = refused else {
            panic!("{token:?}");
        };
        assert!(token.is_empty() || !error.to_string().contains(token));
    }
    let header = Credentials::new(Secret::from("abc.def".to_owned()));
    let header = header.and_then(|token| token.header()).unwrap();
    assert_eq!(header, "Bearer abc.def");
    assert!(header.is_sensitive());
}
