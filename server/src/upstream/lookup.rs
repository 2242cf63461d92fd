//! Names to addresses, with every address judged before anything connects to it.
//!
//! The HTTP client asks [`VettedLookup`] when it opens a connection and connects to what it was given. There is no second
//! lookup in which a name could have changed its mind.

use std::{future::Future, io, net::IpAddr, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::egress::{EgressRefusal, Reach};

/// The addresses of a name, or why there are none.
pub(super) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Asks a name service. The program asks the system's; tests answer themselves.
pub(super) trait NameService: Send + Sync + 'static {
    /// All addresses of `name`.
    fn look_up(&self, name: &str) -> Looking;
}

/// The system's name service (`getaddrinfo` on a thread for blocking work).
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemNames;

impl NameService for SystemNames {
    fn look_up(&self, name: &str) -> Looking {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name service of which only addresses within a [`Reach`] come through.
pub(super) struct VettedLookup {
    names: Arc<dyn NameService>,
    reach: Reach,
}

/// A name has addresses, and all of them are closed.
#[derive(Debug, thiserror::Error)]
#[error("no address of `{name}` may be called")]
struct NoOpenAddress {
    name: String,
    #[source]
    last: Option<EgressRefusal>,
}

impl VettedLookup {
    pub(super) const fn new(names: Arc<dyn NameService>, reach: Reach) -> Self {
        Self { names, reach }
    }
}

impl Resolve for VettedLookup {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.names.look_up(name.as_str());
        let reach = self.reach;
        Box::pin(async move {
            let open = keep_open(reach, looking.await?)
                .map_err(|last| NoOpenAddress { name: name.as_str().to_owned(), last })?;
            // the client puts the URL's port in the place of 0
            let addresses: Addrs = Box::new(open.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// The addresses that `reach` covers. With none left, the last refusal.
pub(super) fn keep_open(reach: Reach, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Option<EgressRefusal>> {
    let mut last_refusal = None;
    let mut open = Vec::with_capacity(addresses.len());
    for address in addresses {
        match reach.check_address(address) {
            Ok(()) => open.push(address),
            Err(refusal) => last_refusal = Some(refusal),
        }
    }
    if open.is_empty() { Err(last_refusal) } else { Ok(open) }
}
