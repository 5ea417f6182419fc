//! What is taken, what is refused, and with which words.

use super::*;

const WHOLE: &str = "oidc_issuer = 'https://id.example.com/realms/staff'\noidc_client_id = 'us'";
const RULE: &str = "[oidc.roles]\nclaim = 'groups'\nadmin = ['platform']\n\
                    [oidc.emails]\nviewer = ['Ada@Example.com']";

fn check(text: &str) -> Result<Option<Oidc>, String> {
    let options: Options = toml::from_str(text).unwrap();
    Oidc::from_options(&options, false).map_err(|error| error.to_string())
}

fn read_text(text: &str) -> Result<RoleRule, String> {
    let mut table: toml::Table = text.parse().unwrap();
    read(table.remove(KEY).unwrap())
}

#[test]
fn a_provider_is_its_own_host_and_those_that_are_listed() {
    assert_eq!(check(""), Ok(None));
    let oidc = check(WHOLE).unwrap().unwrap();
    assert_eq!(oidc.places(), ["id.example.com:443"]);
    assert_eq!(
        (oidc.scopes.as_slice(), oidc.redirect_url),
        (&["email".to_owned()][..], None)
    );
    let more = "oidc_host = ['keys.example.com', 'Token.example.com:8443', '[fd00::1]:9443']\n\
                oidc_scope = ['groups']";
    let oidc = check(&format!("{WHOLE}\n{more}")).unwrap().unwrap();
    let places = [
        "id.example.com:443",
        "keys.example.com:443",
        "token.example.com:8443",
        "[fd00::1]:9443",
    ];
    assert_eq!(oidc.places(), places);
    assert_eq!(oidc.scopes, ["groups"]);
    for (url, is_open) in [
        ("https://keys.example.com/jwks", true),
        ("https://token.example.com:8443/", true),
        ("https://10.0.0.1/", true),
        ("https://10.0.0.1:8080/", false),
        ("https://[fd00::1]:9443/", true),
        ("https://[fd00::2]:9443/", false),
        ("https://169.254.169.254/", false),
    ] {
        let target = fetch_target(url, &oidc.policy());
        assert_eq!(target.is_ok(), is_open, "{url}: {:?}", target.err());
    }
}

#[test]
fn it_is_called_in_clear_on_this_machine_alone() {
    for (issuer, is_right) in [
        ("http://127.0.0.1:5556", true),
        ("http://[::1]:5556/dex", true),
        ("http://id.example.com", false),
        ("http://10.0.0.1:5556", false),
    ] {
        let checked = check(&format!("oidc_issuer = '{issuer}'\noidc_client_id = 'us'"));
        assert_eq!(checked.is_ok(), is_right, "{issuer}: {checked:?}");
    }
}

#[test]
fn what_is_wrong_with_an_option_is_said_with_what_would_be_right() {
    let with = |line: &str| format!("{WHOLE}\n{line}");
    for (text, expected) in [
        ("oidc_client_id = 'us'".into(), "`oidc_issuer`"),
        ("oidc_host = ['x']".into(), "`oidc_issuer`"),
        (
            "oidc_issuer = 'https://x.example'".into(),
            "`oidc_client_id`",
        ),
        (
            "oidc_issuer = 'id.example.com'\noidc_client_id = 'us'".into(),
            "https URL without query",
        ),
        (
            "oidc_issuer = 'https://u:p@id.example.com'\noidc_client_id = 'us'".into(),
            "`oidc_issuer`",
        ),
        (
            "oidc_issuer = 'https://x.example?a'\noidc_client_id = 'us'".into(),
            "https URL without query",
        ),
        (
            with("oidc_host = ['https://keys.example.com']"),
            "HOST:PORT",
        ),
        (with("oidc_host = ['keys.example.com/a']"), "HOST:PORT"),
        (with("oidc_host = ['a@keys.example.com']"), "HOST:PORT"),
        (with("oidc_redirect_url = 'https://x.example/'"), CALLBACK),
        (with("admin_listen = '8072'"), "`oidc_redirect_url`"),
    ] {
        let error = check(&text).err().unwrap();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let options = Options::default();
    let error = Oidc::from_options(&options, true).err().unwrap();
    assert!(error.to_string().contains("`oidc_issuer`"), "{error}");
    let url = format!("https://admin.example.com{CALLBACK}");
    let line = format!("admin_listen = '8072'\noidc_redirect_url = '{url}'");
    let oidc = check(&with(&line)).unwrap().unwrap();
    assert_eq!(oidc.redirect_url, Some(url));
}

#[test]
fn nobody_is_let_in_without_a_rule_and_no_rule_stands_alone() {
    let oidc = || check(WHOLE).unwrap();
    let rule = || read_text(RULE).unwrap();
    let error = Oidc::ruled(oidc(), RoleRule::default()).unwrap_err();
    assert!(error.to_string().contains("[oidc.roles]"), "{error}");
    let error = Oidc::ruled(None, rule()).unwrap_err();
    assert!(error.to_string().contains("[oidc]"), "{error}");
    assert_eq!(Oidc::ruled(None, RoleRule::default()).unwrap(), None);
    let ruled = Oidc::ruled(oidc(), rule()).unwrap().unwrap();
    assert_eq!(ruled.rule, rule());
}

#[test]
fn a_rule_is_read_and_what_is_shown_of_it_is_read_back() {
    let rule = read_text(RULE).unwrap();
    assert_eq!(rule.claim, "groups");
    assert!(rule.values[&Role::Admin].contains("platform"));
    assert!(rule.emails[&Role::Viewer].contains("ada@example.com"));
    let oidc = Oidc::ruled(check(WHOLE).unwrap(), rule.clone())
        .unwrap()
        .unwrap();
    let shown = toml::to_string(&json!({ KEY: oidc.shown() })).unwrap();
    assert_eq!(read_text(&shown), Ok(rule));
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_what_would_be_right() {
    for (text, expected) in [
        ("oidc = 1", "must be a table"),
        ("[oidc.role]\nadmin = ['x']", "did you mean `roles`?"),
        (
            "[oidc.roles]\nadmin = ['x']",
            "`oidc.roles.claim` is missing",
        ),
        ("[oidc.roles]\nclaim = 'groups'", "no values of it"),
        (
            "[oidc.roles]\nclaim = 'groups'\nadmin = []",
            "no values of it",
        ),
        ("[oidc.roles]\nclaim = ''\nadmin = ['x']", "is empty"),
        ("[oidc.roles]\nclaim = 1\nadmin = ['x']", "is an integer"),
        (
            "[oidc.roles]\nclaim = 'email'\nadmin = ['x']",
            "[oidc.emails]",
        ),
        (
            "[oidc.roles]\nclaim = 'g'\nadmins = ['x']",
            "did you mean `admin`?",
        ),
        ("[oidc.roles]\nclaim = 'g'\nadmin = 'x'", "array of strings"),
        ("[oidc.roles]\nclaim = 'g'\nadmin = [1]", "array of strings"),
        ("[oidc.emails]\nadmin = ['ada']", "no whole address"),
        (
            "[oidc.emails]\nadmin = ['*@example.com', '@example.com']",
            "no whole address",
        ),
    ] {
        let error = read_text(text).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}
