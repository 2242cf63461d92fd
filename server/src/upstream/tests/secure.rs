use std::net::{IpAddr, Ipv4Addr};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{
    hostile::{Hostile, fine},
    *,
};

// Made for these tests alone: an authority, a certificate for `tool.test` good until 2124, and one that ended in 2024.
const AUTHORITY: &[u8] = include_bytes!("certificates/ca.pem");
const GOOD: &[u8] = include_bytes!("certificates/leaf.pem");
const EXPIRED: &[u8] = include_bytes!("certificates/expired.pem");
const KEY: &[u8] = include_bytes!("certificates/leaf.key");

fn certificate(pem: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem).unwrap()
}

/// An upstream that answers one request per connection over TLS.
fn secure_upstream(pem: &'static [u8]) -> Hostile {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate(pem)], PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    let config = Arc::new(config);
    Hostile::start(move |connection| {
        use std::io::{Read as _, Write as _};
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(session, connection.stream.try_clone().unwrap());
        let mut buffer = [0; 4096];
        if stream.read(&mut buffer).is_ok_and(|length| length > 0) {
            connection.count_execution();
            stream.write_all(fine().as_bytes()).ok();
            stream.conn.send_close_notify();
            stream.flush().ok();
        }
    })
}

fn trusting(authority: Option<&[u8]>) -> HttpUpstreams {
    let config: ClientConfig = authority
        .map_or_else(tls::client_config, |pem| {
            let mut roots = RootCertStore::empty();
            roots.add(certificate(pem)).unwrap();
            tls::client_config_trusting(roots)
        })
        .unwrap();
    let names = Names { asked: Arc::default(), answer: |_: &str, _| vec![IpAddr::V4(Ipv4Addr::LOCALHOST)] };
    HttpUpstreams::with_parts(allow_private(), Arc::new(HandClock::default()), Arc::new(names), config)
}

#[tokio::test]
async fn only_a_valid_certificate_of_a_trusted_authority_for_this_name_gets_the_request() {
    let cases = [
        ("trusted", GOOD, Some(AUTHORITY), "tool.test", "completed"),
        ("unknown authority", GOOD, None, "tool.test", "not dispatched"),
        ("another name", GOOD, Some(AUTHORITY), "other.test", "not dispatched"),
        ("an address instead of a name", GOOD, Some(AUTHORITY), "127.0.0.1", "not dispatched"),
        ("expired", EXPIRED, Some(AUTHORITY), "tool.test", "not dispatched"),
    ];
    for (name, shown, authority, host, expected) in cases {
        let upstream = secure_upstream(shown);
        let answer = call(&trusting(authority), &format!("https://{host}:{}/tool", upstream.address.port())).await;
        assert_eq!(kind(&answer), expected, "{name}: {answer:?}");
        assert_eq!(upstream.executed(), usize::from(expected == "completed"), "{name}");
    }
}

#[tokio::test]
async fn an_upstream_that_speaks_no_tls_gets_nothing() {
    let upstream = Hostile::start(|connection| {
        connection.write(fine().as_bytes());
        connection.hang();
    });
    let answer = call(&trusting(None), &format!("https://tool.test:{}/tool", upstream.address.port())).await;
    assert_eq!(kind(&answer), "not dispatched", "{answer:?}");
    assert_eq!(upstream.executed(), 0);
}
