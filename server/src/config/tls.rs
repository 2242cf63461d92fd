//! TLS with certificate and key from files that may be replaced while we run.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::zeroize::Zeroizing;

use super::TlsFiles;

const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("the TLS file `{}` cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not PEM of the wanted kind.
    #[error("the TLS file `{}` holds no {wanted} in PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Certificate and key are no pair, or of a kind that is not supported.
    #[error("the certificate `{}` and the key `{}` cannot be used together", cert.display(), key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
    /// The library refused its own defaults.
    #[error("the TLS library could not be set up")]
    Library(#[source] rustls::Error),
}

/// What became of a check for new files.
#[derive(Debug)]
pub enum Reload {
    /// The files are as they were.
    Unchanged,
    /// New connections get the new certificate.
    Reloaded,
    /// The files changed, but cannot be used; the certificate from before stays, and every check tries again.
    Kept(TlsError),
}

/// The certificate that new connections get, with the state of the files it came from.
#[derive(Debug)]
pub struct Certificates {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Seen>,
}

/// The states of the files that were acted upon.
#[derive(Debug)]
struct Seen {
    loaded: Stamp,
    /// A state that could not be used and was logged, so that it is logged once.
    reported: Option<Stamp>,
}

/// What tells a replaced file from the one before: its time of change and its length.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        // the stamp first: a change while we read is then seen by the next check
        let seen = Mutex::new(Seen { loaded: stamp(&files), reported: None });
        let current = RwLock::new(Arc::new(read_pair(&files)?));
        Ok(Arc::new(Self { files, current, seen }))
    }

    /// A configuration for the listener that asks for the current certificate at every handshake.
    ///
    /// # Errors
    /// [`TlsError::Library`].
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Library)?;
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }

    /// Reads the files again if one of them changed; to be called on a timer.
    ///
    /// A pair that cannot be used is logged as a warning once per change and does not replace the one in use.
    pub fn reload_if_changed(&self) -> Reload {
        let found = stamp(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.loaded == found {
            return Reload::Unchanged;
        }
        match read_pair(&self.files) {
            Ok(pair) => {
                *seen = Seen { loaded: found, reported: None };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                tracing::info!(cert = %self.files.cert.display(), "the TLS certificate was reloaded");
                Reload::Reloaded
            }
            Err(error) => {
                // files are replaced one after the other, so a pair that does not fit is often one in between
                if seen.reported.replace(found) != Some(found) {
                    tracing::warn!(%error, "the changed TLS files cannot be used; the certificate from before stays");
                }
                Reload::Kept(error)
            }
        }
    }

    /// The certificate that a connection would get now.
    pub fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let of = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    [of(&files.cert), of(&files.key)]
}

fn read_pair(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let not_pem = |path: &Path, wanted| TlsError::NotPem { path: path.to_owned(), wanted };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&files.cert)?)
        .collect::<Result<_, _>>()
        .map_err(|_cause| not_pem(&files.cert, "certificate"))?;
    if chain.is_empty() {
        return Err(not_pem(&files.cert, "certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|_cause| not_pem(&files.key, "private key"))?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|source| TlsError::Pair {
        cert: files.cert.clone(),
        key: files.key.clone(),
        source,
    })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let mut bytes = Zeroizing::new(Vec::new());
    fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|source| TlsError::File { path: path.to_owned(), source })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
