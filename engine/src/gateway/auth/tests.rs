use std::borrow::Cow;

use super::*;

const RIGHT: Verdict = Verdict::Right(Ok(Admitted { is_owner: true }));
const WRONG: Verdict = Verdict::Wrong { counts: true };
const REFUSED: Verdict = Verdict::Wrong { counts: false };

fn settings(door: Door, proxies: &[&str]) -> AuthSettings {
    AuthSettings {
        door,
        proxies: TrustedProxies {
            networks: proxies.iter().map(|network| network.parse().unwrap()).collect(),
            allows_real_ip: false,
        },
        rules: AuthRules::default(),
        limiter: LimiterRules { counts_missing: true, counts_refused_none: true, ..LimiterRules::default() },
    }
}

fn headers<'a>(pairs: &[(&'a str, &'a str)]) -> Headers<'a> {
    pairs.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect()
}

fn judge(settings: &AuthSettings, peer: &str, pairs: &[(&str, &str)]) -> Verdict {
    settings.judge(&Shown { peer: Some(peer.parse().unwrap()), headers: &headers(pairs) })
}

#[test]
fn a_secret_is_shown_as_bearer_and_in_no_other_way() {
    let mut settings = settings(Door::Secret(SharedSecret::new("pw Fjord 22")), &[]);
    for (header, verdict) in [
        (("authorization", "Bearer pw Fjord 22"), RIGHT),
        (("authorization", "bearer pw Fjord 22"), RIGHT),
        (("authorization", "BEARER    pw Fjord 22  "), RIGHT),
        (("authorization", "Bearer pw Fjord 23"), WRONG),
        (("authorization", "Bearer pw Fjord 2"), WRONG),
        (("authorization", "Bearer pw Fjord 22x"), WRONG),
        (("authorization", "Bearer pw fjord 22"), WRONG),
        (("authorization", "Bearer ünïcödé"), WRONG),
        (("authorization", "Bearer "), WRONG),
        (("authorization", "Bearer"), WRONG),
        (("authorization", "pw Fjord 22"), WRONG),
        (("authorization", "Basic cHcgRmpvcmQgMjI="), WRONG),
        (("authorization", ""), WRONG),
        (("x-api-key", "pw Fjord 22"), WRONG),
        (("cookie", "token=pw Fjord 22"), WRONG),
    ] {
        assert_eq!(judge(&settings, "203.0.113.5", &[header]), verdict, "{header:?}");
    }
    settings.limiter.counts_missing = false;
    assert_eq!(judge(&settings, "203.0.113.5", &[]), REFUSED);
    assert_eq!(judge(&settings, "203.0.113.5", &[("authorization", "Bearer x")]), WRONG);
}

#[test]
fn without_a_secret_only_direct_callers_on_this_machine_are_let_in() {
    let open = settings(Door::Open { allows_tailscale: false }, &["127.0.0.9/32"]);
    for (peer, pairs, verdict) in [
        ("127.0.0.1", &[][..], RIGHT),
        ("::1", &[], RIGHT),
        ("::ffff:127.0.0.1", &[("authorization", "Bearer whatever")], RIGHT),
        ("192.0.2.1", &[], WRONG),
        ("127.0.0.9", &[], WRONG),
        ("127.0.0.1", &[("x-forwarded-for", "198.51.100.9")], WRONG),
        ("127.0.0.1", &[("x-forwarded-for", "")], WRONG),
        ("127.0.0.1", &[("via", "1.1 x")], WRONG),
        ("127.0.0.1", &[("x-real-ip", "127.0.0.1")], WRONG),
    ] {
        assert_eq!(judge(&open, peer, pairs), verdict, "{peer} {pairs:?}");
    }
    let nobody = settings(Door::Open { allows_tailscale: true }, &[]);
    assert_eq!(judge(&nobody, "127.0.0.1", &[]), WRONG);
    let unknown = Shown { peer: None, headers: &headers(&[]) };
    assert_eq!(open.judge(&unknown), WRONG);
}

#[test]
fn a_proxy_must_be_trusted_and_say_everything_it_has_to() {
    let assertion = ProxyAssertion {
        user_header: "x-auth-login".to_owned(),
        required_headers: vec!["x-edge-proof".to_owned()],
        allow_users: vec!["ines@example.org".to_owned()],
        allows_loopback: false,
    };
    let mut proxy = settings(Door::Proxy(assertion), &["127.0.0.0/8"]);
    let (ines, proof) = (("x-auth-login", " ines@example.org "), ("x-edge-proof", "y"));
    for (peer, pairs, verdict) in [
        ("127.0.0.1", &[ines, proof][..], RIGHT),
        ("10.9.8.7", &[ines, proof], REFUSED),
        ("127.0.0.1", &[ines], REFUSED),
        ("127.0.0.1", &[ines, ("x-edge-proof", " ")], REFUSED),
        ("127.0.0.1", &[("x-auth-login", "noor@example.org"), proof], REFUSED),
        ("127.0.0.1", &[("x-auth-login", "INES@example.org"), proof], REFUSED),
        ("127.0.0.1", &[("x-auth-login", " "), proof], REFUSED),
        ("127.0.0.1", &[proof, ("authorization", "Bearer x")], REFUSED),
        // A proxy that adds its header behind the client's own.
        ("127.0.0.1", &[ines, ("x-auth-login", "noor@example.org"), proof], REFUSED),
    ] {
        assert_eq!(judge(&proxy, peer, pairs), verdict, "{peer} {pairs:?}");
    }
    proxy.rules.loopback_proxy_needs_flag = true;
    assert_eq!(judge(&proxy, "127.0.0.1", &[ines, proof]), REFUSED);
    if let Door::Proxy(assertion) = &mut proxy.door {
        assertion.allows_loopback = true;
    }
    assert_eq!(judge(&proxy, "127.0.0.1", &[ines, proof]), RIGHT);
}

#[test]
fn callers_without_a_secret_may_have_fewer_scopes() {
    let mut open = settings(Door::Open { allows_tailscale: false }, &[]);
    open.rules.scopes = Some(ScopeRules {
        header: "x-scopes".to_owned(),
        needed: "operator.write".to_owned(),
        owner: "operator.admin".to_owned(),
    });
    let missing = Verdict::Right(Err(MissingScope("operator.write".to_owned())));
    for (scopes, verdict) in [
        (None, RIGHT),
        (Some("operator.read, operator.write"), Verdict::Right(Ok(Admitted { is_owner: false }))),
        (Some("operator.admin"), RIGHT),
        (Some("operator.read"), missing.clone()),
        (Some("operator.writer"), missing.clone()),
        (Some(""), missing),
    ] {
        let sent: Vec<_> = scopes.map(|scopes| ("x-scopes", scopes)).into_iter().collect();
        assert_eq!(judge(&open, "127.0.0.1", &sent), verdict, "{scopes:?}");
    }
    // who has the secret has everything
    open.door = Door::Secret(SharedSecret::new("s"));
    assert_eq!(judge(&open, "127.0.0.1", &[("authorization", "Bearer s"), ("x-scopes", "")]), RIGHT);
}

#[test]
fn where_the_dialect_minds_forwarding_headers_need_a_trusted_proxy_and_a_client() {
    let check = |settings: &AuthSettings, peer: &str, pairs: &[(&str, &str)]| {
        settings.check_attribution(&Shown { peer: Some(peer.parse().unwrap()), headers: &headers(pairs) }).is_ok()
    };
    let forwarded = [("x-forwarded-for", "203.0.113.40")];
    let mut secret = settings(Door::Secret(SharedSecret::new("s")), &["127.0.0.1/32"]);
    let mut proxy = settings(Door::Proxy(ProxyAssertion::default()), &["127.0.0.1/32"]);
    assert!(check(&secret, "192.0.2.1", &forwarded), "elsewhere nobody minds");
    secret.rules.needs_attribution = true;
    proxy.rules.needs_attribution = true;
    assert!(check(&secret, "192.0.2.1", &[]) && check(&secret, "127.0.0.1", &forwarded));
    assert!(!check(&secret, "192.0.2.1", &forwarded));
    assert!(check(&proxy, "127.0.0.1", &forwarded));
    assert!(!check(&proxy, "127.0.0.1", &[]));
    assert!(!check(&proxy, "127.0.0.1", &[("x-forwarded-for", "127.0.0.5")]));
    assert!(!check(&proxy, "192.0.2.1", &forwarded));
}
