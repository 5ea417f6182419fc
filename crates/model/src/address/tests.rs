//! What the address policy promises: every row of the shared table, the operator's rules, and
//! properties that hold for any text and any address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{AddressPolicy, AllowRule, CheckedUrl, Host, Refusal};

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/ssrf.tsv"
));

fn policy(rules: &[&str]) -> AddressPolicy {
    let allow = rules
        .iter()
        .map(|rule| rule.parse().expect("a rule"))
        .collect();
    AddressPolicy {
        allow_http: true,
        allow,
        own_addresses: Vec::new(),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// The whole judgement, as a connection sees it.
fn judge(policy: &AddressPolicy, url: &str, answers: &[&str]) -> Result<CheckedUrl, Refusal> {
    let answers: Vec<IpAddr> = answers.iter().map(|answer| ip(answer)).collect();
    let url = policy.check_url(url)?;
    let known = url.fixed_addresses().map(<[IpAddr]>::to_vec);
    policy.check_answers(&url, &known.unwrap_or(answers))?;
    Ok(url)
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('0') => '\0',
                Some('\\') => '\\',
                other => panic!("unknown escape {other:?} in {text}"),
            },
            (plain, false) => plain,
        });
    }
    out
}

#[test]
fn every_row_of_the_table_gets_its_verdict() {
    let mut rows = 0;
    let mut wrong = Vec::new();
    for line in VECTORS.lines().skip(1) {
        let [case, url, answers, verdict, _why] = line
            .split('\t')
            .collect::<Vec<_>>()
            .try_into()
            .expect("five columns");
        let answers: Vec<&str> = if answers == "-" {
            vec![]
        } else {
            answers.split(',').collect()
        };
        let policy = AddressPolicy {
            allow_http: case == "allow-http-public",
            ..Default::default()
        };
        let judged = judge(&policy, &unescape(url), &answers);
        if judged.is_ok() != (verdict == "allow") {
            wrong.push(format!("{case}: {judged:?}, not {verdict}"));
        }
        rows += 1;
    }
    assert!(rows > 250, "only {rows} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strict_policy_takes_https_only() {
    let strict = AddressPolicy::default();
    assert_eq!(
        strict.check_url("http://hooks.customer-site.net/"),
        Err(Refusal::PlainHttp)
    );
    assert!(strict.check_url("https://hooks.customer-site.net/").is_ok());
    let http = policy(&[])
        .check_url("http://hooks.customer-site.net/")
        .expect("http is enabled");
    assert!(!http.is_tls());
    assert_eq!(http.port(), 80);
}

#[test]
fn development_policy_opens_loopback_and_nothing_else() {
    let development = AddressPolicy::development();
    for url in [
        "http://localhost:1234/",
        "http://127.0.0.1:1234/",
        "http://[::1]:1234/",
    ] {
        assert!(development.check_url(url).is_ok(), "{url}");
    }
    for url in [
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://[fe80::1]/",
    ] {
        assert!(development.check_url(url).is_err(), "{url}");
    }
}

#[test]
fn localhost_means_the_loopback_addresses_that_rules_open() {
    let hosts = |rules: &[&str]| policy(rules).check_url("http://localhost:1234/");
    let v4 = hosts(&["127.0.0.0/8"]).expect("v4 is open");
    assert_eq!(v4.host(), &Host::Loopback(vec![ip("127.0.0.1")]));
    let both = hosts(&["127.0.0.1:1234", "::1"]).expect("both are open");
    assert_eq!(
        both.fixed_addresses(),
        Some(&[ip("127.0.0.1"), ip("::1")][..])
    );
    for closed in [&["127.0.0.1:9"][..], &["10.0.0.0/8"], &[]] {
        assert_eq!(
            hosts(closed),
            Err(Refusal::PrivateName("localhost".to_owned())),
            "{closed:?}"
        );
    }
    assert!(
        policy(&["127.0.0.0/8"])
            .check_url("http://a.b.LOCALHOST.:1234/")
            .is_ok()
    );
}

#[test]
fn private_name_needs_a_rule_for_each_address() {
    let lan = policy(&["10.0.0.0/8"]);
    assert!(judge(&lan, "http://billing.internal/", &["10.1.2.3", "10.1.2.4"]).is_ok());
    assert!(judge(&lan, "http://receiver:8080/", &["10.1.2.3"]).is_ok());
    let public = judge(
        &lan,
        "http://billing.internal/",
        &["10.1.2.3", "93.184.215.14"],
    );
    assert!(
        matches!(public, Err(Refusal::NotOpened { .. })),
        "{public:?}"
    );
    let other = judge(&lan, "http://billing.internal/", &["192.168.0.1"]);
    assert!(matches!(other, Err(Refusal::Address { .. })), "{other:?}");
    let onion = judge(&lan, "http://expyuzz4wqqyqhjn.onion/", &["10.1.2.3"]);
    assert!(matches!(onion, Err(Refusal::PrivateName(_))), "{onion:?}");
}

#[test]
fn public_name_may_stand_for_an_opened_address() {
    let lan = policy(&["10.0.0.0/8:8443"]);
    let ask = |url: &str| judge(&lan, url, &["10.1.2.3", "93.184.215.14"]);
    assert!(ask("https://hooks.customer-site.net:8443/").is_ok());
    assert!(
        ask("https://hooks.customer-site.net/").is_err(),
        "the rule is for another port"
    );
}

#[test]
fn wide_rule_leaves_metadata_and_link_local_closed() {
    let wide = policy(&["0.0.0.0/0", "::/0"]);
    assert!(wide.check_address(ip("10.0.0.1"), 443).is_ok());
    assert!(wide.check_address(ip("fd00::1"), 443).is_ok());
    let closed = [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:ec2::23",
        // The same inside IPv6: NAT64, 6to4, Teredo, ISATAP, IPv4-compatible.
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:1234::5601:5601",
        "2606:4700::200:5efe:a9fe:a9fe",
        "::a83f:8110",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "ff02::1",
    ];
    for address in closed {
        assert!(wide.check_address(ip(address), 80).is_err(), "{address}");
        let exact = policy(&[address]);
        assert!(exact.check_address(ip(address), 80).is_ok(), "{address}");
    }
}

#[test]
fn own_address_is_refused_unless_a_rule_names_it() {
    let own = |rules: &[&str]| AddressPolicy {
        own_addresses: vec![ip("93.184.215.14")],
        ..policy(rules)
    };
    let refused = own(&["93.184.215.0/24"]).check_address(ip("93.184.215.14"), 443);
    assert!(matches!(refused, Err(Refusal::Address { .. })));
    assert!(own(&[]).check_address(ip("93.184.215.15"), 443).is_ok());
    assert!(
        own(&["93.184.215.14"])
            .check_address(ip("93.184.215.14"), 443)
            .is_ok()
    );
}

#[test]
fn ipv4_inside_ipv6_is_judged_as_ipv4() {
    let loopback = policy(&["127.0.0.0/8"]);
    assert!(loopback.check_address(ip("::ffff:127.0.0.1"), 80).is_ok());
    assert!(policy(&[]).check_address(ip("::ffff:8.8.8.8"), 80).is_ok());
    assert!(
        policy(&[])
            .check_address(ip("::ffff:10.0.0.1"), 80)
            .is_err()
    );
    let literal = loopback.check_url("http://[::ffff:7f00:1]/");
    assert_eq!(literal, Err(Refusal::HostSpelling("127.0.0.1".to_owned())));
}

#[test]
fn odd_spelling_is_refused_even_of_an_open_address() {
    let open = policy(&["0.0.0.0/0", "::/0"]);
    let odd = [
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://127%2e0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://8.8.8.8./",
        "http://[2001:4860::8.8.8.8]/",
        "http://ｅxample.com/",
        "http://ex%61mple.com/",
        "http:///127.0.0.1/",
        "http:127.0.0.1/",
        "http://a@b@127.0.0.1/",
        "http://a..example.com/",
        // One label in another script excuses no other.
        "http://ex\u{ad}ample.münchen.de/",
        "http://ｅxample.münchen.de/",
        "http://münchen。de/",
        "http://a,b.example.com/",
    ];
    for url in odd {
        assert!(open.check_url(url).is_err(), "{url}");
    }
    assert!(open.check_url("http://127.0.0.1/").is_ok());
}

#[test]
fn rules_are_read_and_printed_back() {
    let table = [
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("127.0.0.1", "127.0.0.1/32"),
        ("127.0.0.1:9000", "127.0.0.1/32:9000"),
        ("10.0.0.0/8:443", "10.0.0.0/8:443"),
        ("::1", "::1/128"),
        ("fd00::/8", "fd00::/8"),
        ("fd00::/8:80", "[fd00::/8]:80"),
        ("[::1]", "::1/128"),
        ("[::1]:8080", "[::1/128]:8080"),
        ("[::1]/128:8080", "[::1/128]:8080"),
        ("[fd00::/8]:8080", "[fd00::/8]:8080"),
    ];
    for (written, printed) in table {
        let rule: AllowRule = written.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rule.to_string(), printed, "{written}");
        assert_eq!(printed.parse(), Ok(rule), "{printed}");
    }
}

#[test]
fn wrong_rules_say_what_would_be_right() {
    let table = [
        ("", "no IP address"),
        ("localhost", "no IP address"),
        ("10.0.0.1/8", "would be 10.0.0.0/8, or 10.0.0.1/32"),
        ("10.0.0.0/33", "not a number from 0 to 32"),
        ("10.0.0.0/+8", "not a number from 0 to 32"),
        ("::1/129", "not a number from 0 to 128"),
        ("127.0.0.1:0", "not a number from 1 to 65535"),
        ("127.0.0.1:65536", "not a number from 1 to 65535"),
        ("127.0.0.1:", "not a number from 1 to 65535"),
        ("[::1", "not closed"),
        ("[::1]x:80", "out of place"),
        ("[::1/128]/128:80", "two prefixes"),
        ("::ffff:127.0.0.1", "written as such, 127.0.0.1"),
        ("127.0.0.1 ", "no IP address"),
    ];
    for (rule, problem) in table {
        let error = rule.parse::<AllowRule>().expect_err(rule).to_string();
        assert!(error.contains(problem), "{rule}: {error}");
        assert!(error.contains("write CIDR[:PORT]"), "{error}");
    }
}

#[test]
fn credentials_are_decoded_and_never_printed() {
    let url = policy(&[])
        .check_url("https://us%40er:p%3Aw%zz@hooks.customer-site.net:8443/in?q=1#part")
        .expect("a URL");
    let credentials = url.credentials().expect("credentials");
    assert_eq!(credentials.expose(), b"us@er:p:w%zz");
    assert_eq!(
        url.to_string(),
        "https://hooks.customer-site.net:8443/in?q=1"
    );
    assert!(!format!("{url:?}").contains("er:"));
    let (masked, userinfo) = url.masked();
    assert!(masked.starts_with("https://***:***@"), "{masked}");
    let again = AddressPolicy::default().check_url(&masked).unwrap();
    assert!(again.is_masked() && !url.is_masked());
    let again = again.unmasked(&userinfo.unwrap());
    assert!(again == url, "nothing is lost");
    assert_eq!(url.path_and_query(), "/in?q=1");
    let plain = policy(&[])
        .check_url("https://hooks.customer-site.net")
        .expect("a URL");
    assert!(plain.credentials().is_none());
    assert_eq!(plain.masked().0, "https://hooks.customer-site.net/");
}

#[test]
fn names_for_connecting_have_no_dot_and_no_brackets() {
    let table = [
        (
            "https://Hooks.Customer-Site.NET./in",
            "hooks.customer-site.net",
            "hooks.customer-site.net.",
        ),
        (
            "https://münchen.de/",
            "xn--mnchen-3ya.de",
            "xn--mnchen-3ya.de",
        ),
        (
            "https://[2606:4700:4700::1111]:8443/",
            "2606:4700:4700::1111",
            "[2606:4700:4700::1111]",
        ),
    ];
    for (written, name, host_text) in table {
        let url = policy(&[]).check_url(written).expect(written);
        assert_eq!((url.name(), url.host_text()), (name, host_text));
    }
}

#[test]
fn tenants_read_one_text_for_all_that_depends_on_addresses() {
    let strict = AddressPolicy::default();
    let refused = [
        judge(&strict, "https://10.0.0.1/", &[]),
        judge(&strict, "https://169.254.169.254/", &[]),
        judge(&strict, "https://localhost/", &["127.0.0.1"]),
        judge(&strict, "https://db.internal/", &["10.0.0.1"]),
        judge(&strict, "https://hooks.customer-site.net/", &["10.0.0.1"]),
        judge(&strict, "https://hooks.customer-site.net/", &[]),
        judge(
            &policy(&["10.0.0.0/8"]),
            "https://db.internal/",
            &["8.8.8.8"],
        ),
    ];
    for refusal in refused {
        assert_eq!(refusal.expect_err("refused").for_tenant(), Refusal::UNIFORM);
    }
    let scheme = strict
        .check_url("ftp://93.184.215.14/")
        .expect_err("refused");
    assert!(scheme.for_tenant().contains("use https"));
}

#[test]
fn longest_url_is_bounded() {
    let url = |length: usize| format!("https://hooks.customer-site.net/{}", "a".repeat(length));
    let strict = AddressPolicy::default();
    assert!(strict.check_url(&url(16_000)).is_ok());
    assert_eq!(strict.check_url(&url(17_000)), Err(Refusal::TooLong));
    let grows = format!("https://hooks.customer-site.net/{}", "é".repeat(4_000));
    assert_eq!(
        strict.check_url(&grows),
        Err(Refusal::TooLong),
        "it is stored percent-encoded, and checked again as it is stored"
    );
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict(text in "\\PC*", host in "[a-z0-9.:@%\\[\\]x-]{0,40}") {
        let _ = AddressPolicy::development().check_url(&text);
        let _ = AddressPolicy::development().check_url(&format!("http://{host}/{text}"));
        let _ = text.parse::<AllowRule>();
        let _ = host.parse::<AllowRule>();
    }

    /// What is stored is what was checked: judged again, it is taken for the same.
    #[test]
    fn accepted_url_is_accepted_again_as_it_is_stored(
        user in "([a-zé%:'|]{0,5}@)?",
        host in prop_oneof![
            "([a-zA-ZéßΣ日_-]{1,6}[.。]){1,3}[a-zé]{2,6}[.]?",
            "[0-9a-fx.]{1,16}",
            "\\[[0-9a-f:.]{2,20}\\]",
            "(a[.])?localhost[.]?",
            "[!-~]{1,12}",
        ],
        port in "(:[0-9]{0,5})?",
        rest in "([/?#][\\PC]{0,20}){0,3}",
    ) {
        let url = format!("http://{user}{host}{port}{rest}");
        let policy = policy(&["0.0.0.0/0", "::/0"]);
        if let Ok(checked) = policy.check_url(&url) {
            let (stored, userinfo) = checked.masked();
            let again = policy.check_url(&stored).map(|again| match &userinfo {
                Some(userinfo) => again.unmasked(userinfo),
                None => again,
            });
            prop_assert_eq!(again.as_ref(), Ok(&checked), "{} {}", url, checked);
            let host = url::Host::parse(checked.host_text()).map(|host| host.to_string());
            prop_assert_eq!(host.as_deref(), Ok(checked.host_text()));
            if let Host::Address(address) = checked.host() {
                prop_assert_eq!(checked.name().parse(), Ok(*address));
            }
        }
    }

    #[test]
    fn open_ipv4_is_nothing_that_the_standard_library_calls_special(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        if AddressPolicy::default().check_address(address.into(), 443).is_ok() {
            prop_assert!(!address.is_private() && !address.is_loopback());
            prop_assert!(!address.is_link_local() && !address.is_multicast());
            prop_assert!(!address.is_documentation() && !address.is_unspecified());
        }
    }

    #[test]
    fn open_ipv6_is_global_unicast(bits in any::<u128>()) {
        let address = Ipv6Addr::from(bits);
        let open = AddressPolicy::default().check_address(address.into(), 443).is_ok();
        let global = address.segments()[0] & 0xe000 == 0x2000;
        let mapped = address.to_ipv4_mapped().is_some();
        prop_assert!(!open || global || mapped);
    }

    #[test]
    fn accepted_literal_is_the_address_that_was_written(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let url = format!("https://{address}/");
        let checked = AddressPolicy::default().check_url(&url);
        let alone = AddressPolicy::default().check_address(address.into(), 443);
        prop_assert_eq!(checked.is_ok(), alone.is_ok());
        if let Ok(checked) = checked {
            prop_assert_eq!(checked.host(), &Host::Address(address.into()));
            prop_assert_eq!(checked.masked().0, url);
        }
    }
}
