//! Whom we trust when an upstream shows a certificate.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// TLS 1.2 and 1.3 over aws-lc-rs, with the system's certificate authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` count),
/// so that an operator's private authority works like everywhere else on the machine. A system without any, such as a
/// bare container, gets the Mozilla set that is compiled in.
///
/// # Errors
///
/// The cryptography library offers no usable protocol version.
pub(super) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (usable, ignored) = roots.add_parsable_certificates(system.certs);
    for error in &system.errors {
        tracing::warn!(%error, "a certificate authority of the system could not be read");
    }
    if usable == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        tracing::info!(ignored, "no certificate authorities on this system, using the compiled-in set");
    }
    client_config_trusting(roots)
}

/// As [`client_config`], trusting exactly `roots`.
pub(super) fn client_config_trusting(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
