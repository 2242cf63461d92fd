use super::*;

fn allowed(host: &str, port: Option<u16>) -> AllowedHost {
    AllowedHost { host: host.to_owned(), port }
}

fn check(rules: &EgressRules, url: &str) -> Result<Reach, EgressRefusal> {
    rules.check_url(&Url::parse(url).unwrap_or_else(|error| panic!("`{url}`: {error}")))
}

/// URLs that the strictest rules refuse. Each was, somewhere, a way around a filter.
const REFUSED: &[&str] = &[
    // schemes
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com:70/_GET",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "ws://example.com/",
    "wss://example.com/",
    "unix:/var/run/docker.sock",
    "jar:https://example.com!/",
    "dict://example.com:11211/stat",
    "ldap://example.com/",
    // ports
    "https://example.com:22/",
    "https://example.com:8443/",
    "https://example.com:6379/",
    "https://example.com:0/",
    "https://example.com:65535/",
    "https://8.8.8.8:53/",
    // user information
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://:secret@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com%40evil.example@10.0.0.1/",
    "https://example.com:443@[::1]/",
    // trailing dots
    "https://example.com./",
    "https://localhost./",
    "https://example.com../",
    // loopback, every notation
    "https://127.0.0.1/",
    "https://127.0.0.1:443/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7F.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0177.0.0.01/",
    "https://00000177.0.0.1/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    "https://127。0。0。1/",
    "https://127．0．0．1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://１２７.0.0.1/",
    "https:127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "https:///127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://127.0.0.1?@example.com/",
    "https://127.0.0.1\\@example.com/",
    "https://127.0.0.\t1/",
    "https://127.0.0.\n1/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[0000::0001]/",
    "https://[::0.0.0.1]/",
    // unspecified
    "https://0/",
    "https://0.0.0.0/",
    "https://0x0/",
    "https://0.1.2.3/",
    "https://[::]/",
    "https://[0::0]/",
    // RFC 1918
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://10.1/",
    "https://167772161/",
    "https://0xa000001/",
    "https://012.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://0xac100001/",
    "https://192.168.0.1/",
    "https://192.168.1/",
    "https://3232235521/",
    "https://0300.0250.0.1/",
    // link-local and metadata
    "https://169.254.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://169.16689662/",
    "https://169.254.170.2/v2/credentials/",
    "https://169.254.170.23/v1/credentials",
    "https://100.100.100.200/latest/meta-data/",
    "https://168.63.129.16/machine",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://[fd00:ec2::23]/",
    "https://[fd20:ce::254]/computeMetadata/v1/",
    "https://[fe80::1]/",
    "https://[febf::1]/",
    // carrier-grade NAT
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    // unique-local, site-local
    "https://[fc00::1]/",
    "https://[fd12:3456:789a::1]/",
    "https://[fec0::1]/",
    // multicast, broadcast, reserved
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://4294967295/",
    "https://[ff02::1]/",
    "https://[ff0e::1]/",
    // documentation, benchmarking, protocol assignments
    "https://192.0.0.1/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://[2001:db8::1]/",
    "https://[3fff:fff::1]/",
    "https://[2001:2::1]/",
    "https://[2001:10::1]/",
    "https://[2001:20::1]/",
    "https://[100::1]/",
    "https://[5f00::1]/",
    // IPv4 within IPv6
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[0:0:0:0:0:ffff:c0a8:1]/",
    "https://[::127.0.0.1]/",
    "https://[::10.0.0.1]/",
    "https://[::8.8.8.8]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a00:1::1]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::8.8.8.8]/",
    "https://[2001:0:808:808:0:0:80ff:fffe]/",
    "https://[2001:0:7f00:1::f7f7:f7f7]/",
    "https://[2001:0:808:808:0:0:f5ff:fffe]/",
    "https://[2a00:1450::5efe:10.0.0.1]/",
    "https://[2a00:1450::200:5efe:127.0.0.1]/",
];

/// URLs that the strictest rules allow, as far as their text can tell.
const ALLOWED: &[&str] = &[
    "https://example.com/",
    "https://EXAMPLE.com:443/path?query#fragment",
    "https://example.com:80/",
    "https://münchen.example/",
    "https://xn--mnchen-3ya.example/",
    "https://localhost/",
    "https://8.8.8.8/",
    "https://134744072/",
    "https://1.1/",
    "https://172.15.255.255/",
    "https://172.32.0.1/",
    "https://100.63.255.255/",
    "https://100.128.0.1/",
    "https://169.253.0.1/",
    "https://192.167.255.255/",
    "https://198.17.255.255/",
    "https://198.20.0.1/",
    "https://223.255.255.255/",
    "https://[2606:4700:4700::1111]/",
    "https://[2001:4860:4860::8888]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://[2002:808:808::1]/",
    "https://[2001:0:808:808:0:0:f7f7:f7f7]/",
];

#[test]
fn the_strictest_rules_refuse_every_way_around_them() {
    let rules = EgressRules::default();
    for url in REFUSED {
        let refusal = check(&rules, url);
        assert!(refusal.is_err(), "`{url}` was allowed as {refusal:?}");
    }
    assert!(REFUSED.len() >= 120, "{} targets", REFUSED.len());
}

#[test]
fn the_strictest_rules_allow_https_to_public_hosts() {
    for url in ALLOWED {
        assert_eq!(check(&EgressRules::default(), url), Ok(Reach::Public), "`{url}`");
    }
}

#[test]
fn each_rule_names_itself_in_its_refusal() {
    let cases = [
        ("ftp://example.com/", "scheme `ftp` is not `https`"),
        ("https://user@example.com/", "the url carries a user name or a password"),
        ("https://example.com./", "the url has no usable host"),
        ("http://example.com/", "plain `http` is not allowed"),
        ("https://example.com:22/", "port `22` is not allowed"),
        ("https://0x7f.1/", "address `127.0.0.1` is loopback"),
        ("https://10.0.0.1/", "address `10.0.0.1` is private"),
        ("https://[fd12::1]/", "address `fd12::1` is unique-local"),
        ("https://169.254.1.1/", "address `169.254.1.1` is link-local"),
        ("https://100.64.0.1/", "address `100.64.0.1` is carrier-grade nat"),
        ("https://169.254.169.254/", "address `169.254.169.254` is a metadata service"),
        ("https://0/", "address `0.0.0.0` is unspecified"),
        ("https://224.0.0.1/", "address `224.0.0.1` is multicast"),
        ("https://192.0.2.1/", "address `192.0.2.1` is for documentation"),
        ("https://198.18.0.1/", "address `198.18.0.1` is for benchmarking"),
        ("https://255.255.255.255/", "address `255.255.255.255` is reserved"),
        ("https://[2002:7f00:1::]/", "address `2002:7f00:1::` is a tunnel to an address that is not public"),
    ];
    for (url, message) in cases {
        assert_eq!(check(&EgressRules::default(), url).unwrap_err().to_string(), message, "`{url}`");
    }
    let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
    assert_eq!(check(&EgressRules::default(), &long), Err(EgressRefusal::UrlTooLong));
}

#[test]
fn plain_http_is_opened_on_listed_ports_of_public_hosts_only() {
    let rules = EgressRules { allow_http: true, ports: vec![80, 443, 8080], ..EgressRules::default() };
    assert_eq!(check(&rules, "http://example.com/"), Ok(Reach::Public));
    assert_eq!(check(&rules, "http://example.com:8080/"), Ok(Reach::Public));
    assert_eq!(check(&rules, "http://8.8.8.8/"), Ok(Reach::Public));
    assert_eq!(check(&rules, "http://example.com:8081/"), Err(EgressRefusal::Port(8081)));
    assert!(check(&rules, "http://127.0.0.1/").is_err());
}

#[test]
fn private_addresses_are_opened_with_any_scheme_and_port_and_public_ones_stay_as_they_were() {
    let rules = EgressRules { allow_private: true, ..EgressRules::default() };
    let private = [
        "http://127.0.0.1:9/",
        "http://[::1]:8080/",
        "https://10.0.0.1:1/",
        "http://192.168.0.1/",
        "http://172.16.0.1:5000/",
        "http://[fd12::1]:80/",
        "http://169.254.1.1/",
        "http://100.64.0.1:8000/",
        "http://[::ffff:10.0.0.1]:99/",
    ];
    for url in private {
        assert_eq!(check(&rules, url), Ok(Reach::PublicAndPrivate), "`{url}`");
    }
    // a name shows only later what it is: with a scheme or a port that is closed for public addresses it must be private
    assert_eq!(check(&rules, "http://tools.internal:8080/"), Ok(Reach::Private));
    assert_eq!(check(&rules, "https://tools.internal:8443/"), Ok(Reach::Private));
    assert_eq!(check(&rules, "https://tools.internal/"), Ok(Reach::PublicAndPrivate));
    let closed = [
        "http://8.8.8.8/",
        "https://8.8.8.8:8443/",
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://192.0.2.1/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http://user@10.0.0.1/",
    ];
    for url in closed {
        assert!(check(&rules, url).is_err(), "`{url}`");
    }
}

#[test]
fn allowed_hosts_are_exempt_and_exclude_nobody_else() {
    let allow_hosts = vec![
        allowed("tools.internal", None),
        allowed("localhost", Some(8080)),
        allowed("10.1.2.3", None),
        allowed("fd12::1", Some(9000)),
        allowed("xn--mnchen-3ya.example", None),
    ];
    let rules = EgressRules { allow_hosts, ..EgressRules::default() };
    let exempt = [
        "http://tools.internal:1234/",
        "http://TOOLS.internal/",
        "http://localhost:8080/",
        "http://10.1.2.3:5/",
        "http://0xa010203/",
        "http://[fd12:0::1]:9000/",
        "http://xn--mnchen-3ya.example:81/",
    ];
    for url in exempt {
        assert_eq!(check(&rules, url), Ok(Reach::PublicAndPrivate), "`{url}`");
    }
    assert_eq!(check(&rules, "https://example.com/"), Ok(Reach::Public));
    let closed = [
        "http://localhost:8081/",
        "http://localhost/",
        "http://10.1.2.4/",
        "http://[fd12::1]:9001/",
        "http://sub.tools.internal/",
        "http://tools.internal.evil.example/",
        "http://user@tools.internal/",
        "ftp://tools.internal/",
        "http://tools.internal./",
    ];
    for url in closed {
        assert!(check(&rules, url).is_err(), "`{url}`");
    }
}

#[test]
fn an_allowed_host_does_not_open_a_metadata_service() {
    let allow_hosts = vec![allowed("169.254.169.254", None), allowed("metadata.internal", None)];
    let rules = EgressRules { allow_hosts, allow_private: true, ..EgressRules::default() };
    assert!(check(&rules, "http://169.254.169.254/").is_err());
    let reach = check(&rules, "http://metadata.internal/").unwrap();
    assert!(reach.check_address([169, 254, 169, 254].into()).is_err());
}

#[test]
fn an_exempt_address_is_exempt_with_its_port_only() {
    let rules = EgressRules { exempt_addresses: vec![([127, 0, 0, 1], 4321).into()], ..EgressRules::default() };
    assert_eq!(check(&rules, "http://127.0.0.1:4321/tool"), Ok(Reach::PublicAndPrivate));
    for url in
        ["http://127.0.0.1:4322/", "http://127.0.0.2:4321/", "http://localhost:4321/", "http://user@127.0.0.1:4321/"]
    {
        assert!(check(&rules, url).is_err(), "`{url}`");
    }
}

#[test]
fn a_reach_covers_its_kinds_of_address_and_no_others() {
    let cases: [(&str, [bool; 3]); 12] = [
        // public, private, both
        ("8.8.8.8", [true, false, true]),
        ("2606:4700::1", [true, false, true]),
        ("127.0.0.1", [false, true, true]),
        ("::1", [false, true, true]),
        ("10.0.0.1", [false, true, true]),
        ("::ffff:10.0.0.1", [false, true, true]),
        ("fe80::1", [false, true, true]),
        ("100.64.0.1", [false, true, true]),
        ("169.254.169.254", [false, false, false]),
        ("0.0.0.0", [false, false, false]),
        ("255.255.255.255", [false, false, false]),
        ("64:ff9b::7f00:1", [false, false, false]),
    ];
    for (address, expected) in cases {
        let address = address.parse().unwrap();
        assert_eq!(Reach::ALL.map(|reach| reach.check_address(address).is_ok()), expected, "`{address}`");
    }
}

#[test]
fn the_rules_are_what_the_configuration_states() {
    let section =
        Egress { allow_private: true, allow_http: true, allow_hosts: vec![allowed("a.test", Some(5))], ports: vec![9] };
    let rules = EgressRules::from(&section);
    assert!(rules.allow_private && rules.allow_http && rules.exempt_addresses.is_empty());
    assert_eq!((rules.allow_hosts, rules.ports), (section.allow_hosts, section.ports));
}
