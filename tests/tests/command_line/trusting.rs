//! Which servers are trusted: those for whose certificate the system's authorities vouch, or those
//! of `--ca-file`. Whoever was not verified hears nothing, the token least of all.

use e2e::command::{Outcome, run};
use e2e::{Authority, Front, Receiver};

use super::{Desk, command, path, text};

const HERE: &str = "127.0.0.1";
/// The names of this machine: certificates for addresses and for names are verified alike.
const NAMES: [&str; 2] = [HERE, "localhost"];

/// The desk's server behind TLS, with a certificate of an authority that only some are told of.
struct Private<'a> {
    desk: &'a Desk,
    front: Front,
    /// The server's URL, with the host that its certificate is for.
    url: String,
    /// The file with the authority's certificate.
    ca_file: String,
}

impl<'a> Private<'a> {
    async fn new(desk: &'a Desk, host: &str) -> Self {
        let authority = Authority::new("Example Ltd");
        let front = Front::start(desk.server.address(), &authority, host).await;
        let url = front.url(host);
        let name = url.rsplit(':').next().expect("a URL has a colon");
        let ca_file = desk.file(&format!("{name}.pem"), authority.pem());
        Self {
            desk,
            front,
            url,
            ca_file,
        }
    }

    async fn list(&self, more: &[&str]) -> Outcome {
        let list = ["app", "list", "--server", &self.url];
        self.desk.ask(&[&list[..], more].concat()).await
    }

    /// Asserts that this could not be done, that the error says why, and that nobody was told
    /// anything: `count` have broken off until now.
    async fn was_broken_off(&self, outcome: &Outcome, why: &str, count: usize) {
        outcome.expect(3).complains_of(why);
        assert!(outcome.stdout.is_empty(), "{outcome:?}");
        assert!(outcome.stderr.contains(&self.url), "{outcome:?}");
        self.front.refused(count).await;
        assert_eq!(self.front.heard(), "");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_vouches_for_a_server() {
    let desk = Desk::new().await;
    for host in NAMES {
        let server = Private::new(&desk, host).await;
        let by_flag = server.list(&["--ca-file", &server.ca_file]).await;
        assert_eq!(by_flag.text(), "none", "{host}");
        let heard = server.front.heard();
        assert!(heard.contains("authorization: Bearer ey"), "{heard}");

        let mut by_variable = server.desk.command(&["app", "list"]);
        by_variable
            .env("POSTRIDER_SERVER", &server.url)
            .env("POSTRIDER_CA_FILE", &server.ca_file);
        assert_eq!(run(by_variable).await.text(), "none", "{host}");

        let profile = format!(
            "[profile.own]\nserver = '{}'\ntoken_file = 'token'\nca_file = '{}'\n",
            server.url, server.ca_file
        );
        let config = server.desk.file("postrider.toml", profile);
        let by_profile = ["app", "list", "--config", &config, "--profile", "own"];
        let by_profile = run(command(&by_profile)).await;
        assert_eq!(by_profile.text(), "none", "{host}");
    }
}

#[tokio::test]
async fn a_server_that_no_known_authority_vouches_for_is_told_nothing() {
    let desk = Desk::new().await;
    let server = Private::new(&desk, HERE).await;
    let unknown = "the certificate's issuer is not trusted";
    let refused = server.list(&[]).await;
    server.was_broken_off(&refused, unknown, 1).await;
    refused.complains_of("--ca-file");

    // Another authority, though it goes by the same name.
    let namesake = Authority::new("Example Ltd");
    let namesake = server.desk.file("namesake.pem", namesake.pem());
    let refused = server.list(&["--ca-file", &namesake]).await;
    server.was_broken_off(&refused, "certificate", 2).await;

    let listen = ["listen", "--app", "acme", "--server", &server.url];
    let refused = server.desk.ask(&listen).await;
    server.was_broken_off(&refused, unknown, 3).await;
    let sent = ["send", "--app", "acme", "--type", "t", "--data", "{}"];
    let sent = [&sent[..], &["--server", &server.url]].concat();
    let refused = server.desk.ask(&sent).await;
    server.was_broken_off(&refused, unknown, 4).await;
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let desk = Desk::new().await;
    for [asked, named] in [NAMES, [HERE, "hooks.example.com"], ["localhost", HERE]] {
        let mut server = Private::new(&desk, named).await;
        server.url = server.front.url(asked);
        let refused = server.list(&["--ca-file", &server.ca_file]).await;
        let why = "the certificate is not valid for this host";
        server.was_broken_off(&refused, why, 1).await;
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_nothing() {
    let desk = Desk::new().await;
    let receiver = Receiver::willing().await;
    let url = format!("https://{}", receiver.address());
    let refused = desk.ask(&["app", "list", "--server", &url]).await;
    refused.expect(3).complains_of("the TLS handshake failed");
    assert!(receiver.rest().await.is_empty());
}

#[tokio::test]
async fn a_file_that_holds_no_authority_is_refused_before_anything_is_sent() {
    let desk = Desk::new().await;
    let server = Private::new(&desk, HERE).await;
    let none = server.desk.file("none.pem", "nothing of the kind");
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    let cut = server.desk.file("cut.pem", cut);
    for (file, status, why) in [
        (&*none, 2, "no `BEGIN CERTIFICATE` block"),
        (&cut, 2, "not valid PEM"),
        ("/nowhere.pem", 3, "/nowhere.pem"),
    ] {
        let refused = server.list(&["--ca-file", file]).await;
        refused.expect(status).complains_of(why);
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    assert_eq!(server.front.heard(), "");
}

#[tokio::test]
async fn each_server_of_an_import_has_an_authority_of_its_own() {
    let desk = Desk::new().await;
    // It is the same behind both, so that there is nothing to do.
    let old = Private::new(&desk, HERE).await;
    let new = Private::new(&desk, HERE).await;
    let token = path(&desk.directory, "token");
    let import = [
        "import",
        "svix",
        "--from",
        &old.url,
        "--token-file",
        text(&token),
    ];
    let import = |more: &[&str]| {
        let mut command = desk.command(&[&import[..], more].concat());
        command.env("POSTRIDER_SERVER", &new.url);
        run(command)
    };
    let of_old = ["--from-ca-file", &old.ca_file];
    let of_new = ["--ca-file", &new.ca_file];
    import(&[of_old, of_new].concat()).await.expect(0);
    for (known, unknown) in [(of_old, "the target"), (of_new, "the source")] {
        let refused = import(&known).await;
        refused.expect(3).complains_of(unknown);
    }
    let heard = (old.front.heard(), new.front.heard());
    let swapped = ["--from-ca-file", &new.ca_file, "--ca-file", &old.ca_file];
    import(&swapped).await.expect(3);
    assert_eq!((old.front.heard(), new.front.heard()), heard);
}
