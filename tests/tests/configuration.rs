//! The configuration: what is refused, what is warned about, what is shown and what is not.

use std::fs;
use std::path::Path;

use e2e::command::{Outcome, postrider, postrider_in, run};
use e2e::{Options, Server, place};

#[tokio::test]
async fn dev_listens_on_loopback_alone() {
    let home = tempfile::tempdir().expect("a directory");
    let outside = ["--dev", "--listen", "0.0.0.0:0"];
    let all = [&["serve", "--data-dir", text(home.path())][..], &outside].concat();
    postrider(&all).await.expect(2).complains_of("loopback");
    assert!(
        !home.path().join("postrider.db").exists(),
        "refused before anything was made"
    );
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_what_would_be_right() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("postrider.toml");
    fs::write(&file, "lissten = \"127.0.0.1:0\"\n").expect("a file");
    for command in ["serve", "config"] {
        let refused = postrider_in(home.path(), &[command, "--config", text(&file)]).await;
        refused
            .expect(2)
            .complains_of("lissten")
            .complains_of("`listen`");
    }
    for command in ["serve", "config"] {
        let refused = postrider(&[command, "--log", "inof"]).await;
        refused.expect(2).complains_of("`log`");
    }
    let refused = postrider(&["serve", "--lissten", "127.0.0.1:0"]).await;
    refused.expect(2).complains_of("--listen");
}

#[tokio::test]
async fn the_configuration_is_shown_as_it_is_in_force_without_its_secrets() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("postrider.toml");
    let text_of_file = "listen = \"127.0.0.1:1\"\ndata_dir = \"from-file\"\n\
        token_key = \"sesame-sesame-sesame-sesame-sesame\"\n\
        egress_proxy = \"http://user:sesame@proxy.example.com:3128\"\n";
    fs::write(&file, text_of_file).expect("a file");
    let mut command = place::command(place::binary());
    command.args(["config", "--config", text(&file), "--listen", "127.0.0.1:3"]);
    command
        .env("POSTRIDER_LISTEN", "127.0.0.1:2")
        .env("POSTRIDER_DATA_DIR", "from-environment");
    let shown = run(command).await;
    let shown = shown.text();
    assert!(!shown.contains("sesame"), "{shown}");
    for line in [
        "listen = \"127.0.0.1:3\"",
        "data_dir = \"from-environment\"",
        "token_key = \"***\"",
        "drain_timeout = \"30s\"",
    ] {
        assert!(shown.contains(line), "no {line} in {shown}");
    }
}

#[tokio::test]
async fn check_url_answers_by_word_and_status() {
    let deny = |outcome: Outcome| {
        outcome.expect(1);
        assert!(outcome.stdout.starts_with("deny: "), "{outcome:?}");
    };
    let check = |arguments: Vec<&'static str>| async move {
        postrider(&[&["check-url"][..], &arguments].concat()).await
    };
    assert_eq!(
        check(vec!["https://93.184.215.14/hook"]).await.text(),
        "allow"
    );
    deny(check(vec!["http://93.184.215.14/hook"]).await);
    deny(check(vec!["https://127.0.0.1/"]).await);
    deny(check(vec!["https://[::ffff:169.254.169.254]/"]).await);
    deny(check(vec!["no url"]).await);
    let name = "https://hooks.example.com/";
    assert_eq!(
        check(vec![name, "--resolve", "93.184.215.14"]).await.text(),
        "allow"
    );
    deny(check(vec![name, "--resolve", "93.184.215.14,10.0.0.1"]).await);
    assert_eq!(
        check(vec!["http://127.0.0.1/", "--dev"]).await.text(),
        "allow"
    );
    let rule = vec![
        "https://10.1.2.3/",
        "--allow-destination",
        "10.1.2.0/24:443",
    ];
    assert_eq!(check(rule).await.text(), "allow");
    let after_a_flag = vec!["--allow-http", "http://93.184.215.14/"];
    assert_eq!(check(after_a_flag).await.text(), "allow");
    check(vec![]).await.expect(2);
}

#[tokio::test]
async fn a_variable_that_is_no_option_is_warned_about_by_every_command() {
    let home = tempfile::tempdir().expect("a directory");
    let data_dir = home.path().join("data");
    let generate = ["keys", "generate", "--data-dir", text(&data_dir)];
    postrider(&generate).await.expect(0);
    let variable = ("POSTRIDER_LISSTEN", "127.0.0.1:0");
    let commands: [&[&str]; 3] = [
        &["config"],
        &["token", "--data-dir", text(&data_dir)],
        &["check-url", "https://93.184.215.14/"],
    ];
    for arguments in commands {
        let warned = with_variable(variable, arguments).await;
        warned
            .expect(0)
            .complains_of("POSTRIDER_LISSTEN")
            .complains_of("POSTRIDER_LISTEN?");
        assert!(!warned.stdout.contains("LISSTEN"), "{warned:?}");
    }
    let server = Server::start(Options::dev().variable(variable.0, variable.1)).await;
    server.printed("POSTRIDER_LISSTEN is not an option").await;
}

#[tokio::test]
async fn credentials_of_a_proxy_are_shown_nowhere_and_warned_about_as_a_flag() {
    let proxy = "http://sesame-name:sesame-word@proxy.example.com:3128";
    let by_flag = postrider(&["config", "--egress-proxy", proxy]).await;
    by_flag.expect(0).complains_of("POSTRIDER_EGRESS_PROXY");
    let variable = ("POSTRIDER_EGRESS_PROXY", proxy);
    let by_variable = with_variable(variable, &["config"]).await;
    assert_eq!(by_variable.expect(0).stderr, "");
    let harmless = ["config", "--egress-proxy", "http://proxy.example.com:3128"];
    assert_eq!(postrider(&harmless).await.expect(0).stderr, "");
    let mut shown = vec![by_flag, by_variable];
    for command in ["serve", "config", "check-url"] {
        shown.push(with_variable(variable, &[command, "--help"]).await);
    }
    for outcome in shown {
        assert!(!outcome.expect(0).stdout.contains("sesame"), "{outcome:?}");
        assert!(!outcome.stderr.contains("sesame"), "{outcome:?}");
    }
}

async fn with_variable((name, value): (&str, &str), arguments: &[&str]) -> Outcome {
    let mut command = place::command(place::binary());
    command.args(arguments).env(name, value);
    run(command).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
