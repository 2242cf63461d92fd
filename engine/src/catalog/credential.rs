//! What a publisher's server asks of whoever calls it.

use std::fmt;

use super::named_values;

named_values! {
    /// Where a secret stands in a request.
    CredentialPlace {
        /// In a header.
        Header = "header",
        /// In the query of the address.
        Query = "query",
    }
}

/// A secret that is sent with every call, sealed. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// As [`crate::sealing::Sealing::seal_enveloped`] made it.
    pub sealed: Vec<u8>,
    /// What it is bound to.
    pub bound_to: Vec<u8>,
    /// The name of the header or of the parameter.
    pub name: String,
    /// Where it stands.
    pub place: CredentialPlace,
    /// The address of the server that it is for. It is sent to no other host.
    pub url: String,
}

impl fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedCredential({} {})", self.place, self.name)
    }
}
