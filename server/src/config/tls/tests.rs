use std::{fs, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ServerConnection, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
};
use rustls_pki_types::{ServerName, UnixTime};
use tempfile::{TempDir, tempdir};

use super::*;

/// Two self-signed pairs made for these tests; they protect nothing.
const PAIR_A: (&str, &str) = (
    "-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUMnsI+qi9Gr2/sYXZWK43rtv7iUswCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJYS5leGFtcGxlMCAXDTI2MTEyMTA1MDczNVoYDzIxMjYxMDI4
MDUwNzM1WjAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT9qmtakWbLoqhaxYYufqYJ5q8gnmzlwR39w3Nl3FLSXvArIfrYx9mH
1GTWpxVwqGTFWIsIn9uqF4aJfUozkBZ3o2kwZzAdBgNVHQ4EFgQUolisI14UmtUd
EHiZcSEiREZedikwHwYDVR0jBBgwFoAUolisI14UmtUdEHiZcSEiREZedikwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglhLmV4YW1wbGUwCgYIKoZIzj0EAwID
RwAwRAIgEBSR9fxPWwaP1kVxDtQlMyA0ILC6MCVR835Wc5zREJ0CIHdui985L5A8
oCyNBtkS7ThVW57nkKXJtD85tXYCXZzC
-----END CERTIFICATE-----
",
    "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgoz7DdXWCHqUlLvyf
AeiwhwHP8c4187u0c0kGwhmCSRKhRANCAAT9qmtakWbLoqhaxYYufqYJ5q8gnmzl
wR39w3Nl3FLSXvArIfrYx9mH1GTWpxVwqGTFWIsIn9uqF4aJfUozkBZ3
-----END PRIVATE KEY-----
",
);
const PAIR_B: (&str, &str) = (
    "-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUbZ/P5Dr8b0LiGTrersOHxKRo+8AwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJYi5leGFtcGxlMCAXDTI2MTEyMTA1MDczNVoYDzIxMjYxMDI4
MDUwNzM1WjAUMRIwEAYDVQQDDAliLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ5BqpK6fKTXQ3HuTfN+Doakm2ugGnYKviWEVbkwzNIYoYUo7D2gK0A
bBTIxPFgUoyw6HQUTXMbH0sbWgkIHukco2kwZzAdBgNVHQ4EFgQU+l+2blpa3m/9
X4nWciqFuYxrOwswHwYDVR0jBBgwFoAU+l+2blpa3m/9X4nWciqFuYxrOwswDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALggliLmV4YW1wbGUwCgYIKoZIzj0EAwID
SAAwRQIhAOn+Oqyb2HtL0nMtekVGn6y6aGA5mtSVyRN/hR95LTGNAiALhv93HBZK
02+OA3UCuxyRS26Kivb9gHoA6CljrCQhPA==
-----END CERTIFICATE-----
",
    "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3GgRinkfSVH26OYJ
e246LNVAaSR2qVCqSJ19+iL9HDyhRANCAAQ5BqpK6fKTXQ3HuTfN+Doakm2ugGnY
KviWEVbkwzNIYoYUo7D2gK0AbBTIxPFgUoyw6HQUTXMbH0sbWgkIHukc
-----END PRIVATE KEY-----
",
);

struct Files {
    folder: TempDir,
    step: u64,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempdir().expect("a folder"), step: 0 }
    }

    fn paths(&self) -> TlsFiles {
        TlsFiles { cert: self.folder.path().join("cert.pem"), key: self.folder.path().join("key.pem") }
    }

    /// Writes a file with a time of change of its own, however coarse the file system's clock is.
    fn write(&mut self, path: &Path, text: &str) {
        self.step += 1;
        fs::write(path, text).expect("a file");
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.step);
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(changed)).expect("a time");
    }

    fn write_pair(&mut self, (cert, key): (&str, &str)) {
        let paths = self.paths();
        self.write(&paths.cert, cert);
        self.write(&paths.key, key);
    }

    fn load(&self) -> Result<Arc<Certificates>, TlsError> {
        Certificates::load(self.paths())
    }
}

fn certificate_of(pair: (&str, &str)) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pair.0.as_bytes()).expect("a certificate")
}

#[test]
fn a_connection_gets_the_certificate_of_the_files() {
    let mut files = Files::new();
    files.write_pair(PAIR_A);
    let certificates = files.load().expect("a pair");
    let config = Arc::new(certificates.server_config().expect("a configuration"));
    assert_eq!(certificate_after_handshake(&config), certificate_of(PAIR_A));
    files.write_pair(PAIR_B);
    assert_eq!(certificate_after_handshake(&config), certificate_of(PAIR_A), "nothing changes before the check");
    assert!(matches!(certificates.reload_if_changed(), Reload::Reloaded));
    assert_eq!(certificate_after_handshake(&config), certificate_of(PAIR_B));
    assert!(matches!(certificates.reload_if_changed(), Reload::Unchanged));
}

#[test]
fn files_that_cannot_be_used_keep_the_certificate_from_before() {
    let mut files = Files::new();
    files.write_pair(PAIR_A);
    let certificates = files.load().expect("a pair");
    let paths = files.paths();

    files.write(&paths.cert, PAIR_B.0);
    assert!(matches!(certificates.reload_if_changed(), Reload::Kept(TlsError::Pair { .. })));
    files.write(&paths.cert, "garbage");
    assert!(matches!(certificates.reload_if_changed(), Reload::Kept(TlsError::NotPem { wanted: "certificate", .. })));
    files.write(&paths.cert, PAIR_B.0);
    files.write(&paths.key, PAIR_B.0);
    assert!(matches!(certificates.reload_if_changed(), Reload::Kept(TlsError::NotPem { wanted: "private key", .. })));
    fs::remove_file(&paths.key).expect("removed");
    assert!(matches!(certificates.reload_if_changed(), Reload::Kept(TlsError::File { .. })));
    assert!(matches!(certificates.reload_if_changed(), Reload::Kept(_)), "every check tries again");
    assert_eq!(certificates.current().cert.first(), Some(&certificate_of(PAIR_A)));

    files.write(&paths.key, PAIR_B.1);
    assert!(matches!(certificates.reload_if_changed(), Reload::Reloaded));
    assert_eq!(certificates.current().cert.first(), Some(&certificate_of(PAIR_B)));
}

#[test]
fn the_start_is_refused_with_the_name_of_the_file_that_is_wrong() {
    let mut files = Files::new();
    let message = |files: &Files| files.load().map(drop).expect_err("refused").to_string();
    assert!(message(&files).ends_with("cert.pem` cannot be read"));
    files.write_pair((PAIR_A.0, ""));
    assert!(message(&files).ends_with("key.pem` holds no private key in PEM"));
    files.write_pair(("", PAIR_A.1));
    assert!(message(&files).ends_with("cert.pem` holds no certificate in PEM"));
    files.write_pair((PAIR_A.0, PAIR_B.1));
    assert!(message(&files).ends_with("cannot be used together"));
    files.write_pair(("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", PAIR_B.1));
    assert!(message(&files).ends_with("cannot be used together"));
}

/// Runs a handshake in memory and returns what the server showed.
fn certificate_after_handshake(config: &Arc<ServerConfig>) -> CertificateDer<'static> {
    let client_config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    let name = ServerName::try_from("a.example").expect("a name");
    let mut client = ClientConnection::new(Arc::new(client_config), name).expect("a client");
    let mut server = ServerConnection::new(Arc::clone(config)).expect("a server");
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).expect("written");
        server.read_tls(&mut wire.as_slice()).expect("read");
        server.process_new_packets().expect("understood");
        wire.clear();
        server.write_tls(&mut wire).expect("written");
        client.read_tls(&mut wire.as_slice()).expect("read");
        client.process_new_packets().expect("understood");
    }
    client.peer_certificates().and_then(|chain| chain.first()).expect("a certificate").clone().into_owned()
}

/// Accepts every certificate: which one was shown is looked at afterwards.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
