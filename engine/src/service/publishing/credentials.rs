//! What publishers' servers ask of whoever calls them: secrets that are sealed before they are stored, each under a data key
//! of its own, and opened when a call is sent. Nothing here ever answers one.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{CredentialSetup, PublishingError};
use crate::{
    audit::{Action, OpContext},
    catalog::{CredentialPlace, SealedCredential},
    id::{ConnectionId, NamespaceId, PublisherId},
    sealing::SealError,
    service::Services,
    store::entity,
    upstream::Credential,
};

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4_096;
/// Longest name of a header or a parameter, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// Longest note about a secret, in characters.
const NOTE_CHARS_MAX: usize = 1_000;
/// Headers that say how a request is carried, or who sends it: none of them is a publisher's to set.
const RESERVED: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A secret as a publisher gives it.
#[derive(Debug, Clone)]
pub struct CredentialInput {
    /// The secret.
    pub secret: SecretString,
    /// The name of the header or of the parameter.
    pub name: String,
    /// Where it stands.
    pub place: CredentialPlace,
    /// What it is for, in its publisher's words.
    pub note: Option<String>,
}

/// What is told of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialView {
    /// There is one.
    pub is_set: bool,
    /// It is the namespace's own, not the one of its server.
    pub is_own: bool,
    /// The name of the header or of the parameter.
    pub name: Option<String>,
    /// Where it stands.
    pub place: Option<CredentialPlace>,
    /// What it is for, in its publisher's words.
    pub note: Option<String>,
}

impl CredentialInput {
    fn check(&self) -> Result<(), PublishingError> {
        let secret = self.secret.expose_secret();
        let is_sendable = secret.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) && secret.trim() == secret;
        if secret.is_empty() || secret.len() > SECRET_BYTES_MAX || !is_sendable {
            let message = format!("must be 1 to {SECRET_BYTES_MAX} visible characters");
            return Err(PublishingError::field("api_key", message));
        }
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX || !self.name.bytes().all(is_token) {
            let message = format!("must be 1 to {NAME_BYTES_MAX} letters, digits and signs of a header's name");
            return Err(PublishingError::field("key_identifier", message));
        }
        let name = self.name.to_ascii_lowercase();
        let is_ours = RESERVED.contains(&&*name) || name.starts_with("x-tollgate-") || name.starts_with("proxy-");
        if self.place == CredentialPlace::Header && is_ours {
            return Err(PublishingError::field("key_identifier", "is a header that belongs to the request itself"));
        }
        super::check_text("param_description", self.note.as_deref().unwrap_or_default(), NOTE_CHARS_MAX)
    }
}

/// What a secret is bound to: nobody puts it in the place of another one.
fn bound_to(of: &str, id: Uuid) -> Vec<u8> {
    [b"credential of a ", of.as_bytes(), id.as_bytes()].concat()
}

pub(in crate::service) fn bound_to_connection(id: Uuid) -> Vec<u8> {
    bound_to("connection", id)
}

pub(in crate::service) fn bound_to_namespace(id: Uuid) -> Vec<u8> {
    bound_to("namespace", id)
}

/// The columns of a secret.
type Columns<'r> = (&'r Option<Vec<u8>>, &'r Option<String>, &'r Option<String>);

fn sealed_of((sealed, name, place): Columns<'_>, bound_to: Vec<u8>, url: &str) -> Option<SealedCredential> {
    Some(SealedCredential {
        url: url.to_owned(),
        sealed: sealed.clone()?,
        bound_to,
        name: name.clone()?,
        place: CredentialPlace::from_wire(place.as_deref()?)?,
    })
}

/// The secret that calls of a namespace carry: its own, or else that of its server.
pub(crate) fn sealed_credential(
    namespace: &entity::namespace::Model,
    connection: Option<&entity::connection::Model>,
) -> Option<SealedCredential> {
    let server = connection?;
    let own = (&namespace.credential, &namespace.key_identifier, &namespace.param_location);
    let of_server = (&server.credential, &server.key_identifier, &server.param_location);
    sealed_of(own, bound_to_namespace(namespace.id), &server.url)
        .or_else(|| sealed_of(of_server, bound_to_connection(server.id), &server.url))
}

/// What is told of the secret of a server.
pub(super) fn view_of(row: &entity::connection::Model) -> CredentialView {
    CredentialView {
        is_set: row.credential.is_some(),
        is_own: false,
        name: row.key_identifier.clone(),
        place: row.param_location.as_deref().and_then(CredentialPlace::from_wire),
        note: row.param_description.clone(),
    }
}

/// What is told of the secret that calls of a namespace carry.
pub(super) fn view_of_namespace(
    row: &entity::namespace::Model,
    server: Option<&entity::connection::Model>,
) -> CredentialView {
    if row.credential.is_none() {
        return server.map(view_of).unwrap_or_default();
    }
    CredentialView {
        is_set: true,
        is_own: true,
        name: row.key_identifier.clone(),
        place: row.param_location.as_deref().and_then(CredentialPlace::from_wire),
        note: row.param_description.clone(),
    }
}

impl Services {
    fn credential_setup(&self) -> Result<Arc<CredentialSetup>, SealError> {
        self.credentials.load_full().ok_or(SealError)
    }

    fn seal_credential(&self, input: &CredentialInput, bound_to: &[u8]) -> Result<Vec<u8>, PublishingError> {
        input.check()?;
        let setup = self.credential_setup()?;
        Ok(setup.sealing.seal_enveloped(input.secret.expose_secret().as_bytes(), self.random, bound_to)?)
    }

    /// Opens a secret to send it.
    ///
    /// # Errors
    /// It was sealed under another master key, or was changed; or this process has none.
    pub(in crate::service) fn open_credential(&self, sealed: &SealedCredential) -> Result<Credential, SealError> {
        let opened = self.credential_setup()?.sealing.open_enveloped(&sealed.sealed, &sealed.bound_to)?;
        let secret = std::str::from_utf8(&opened).map_err(|_not_text| SealError)?;
        Credential::new(secret.into(), sealed.name.clone(), sealed.place, &sealed.url).ok_or(SealError)
    }

    /// Opens the secret of a server of this publisher, where it has one.
    ///
    /// # Errors
    /// The publisher has no such server, its secret cannot be opened, or the database failed.
    pub async fn open_connection_credential(
        &self,
        publisher: PublisherId,
        id: ConnectionId,
    ) -> Result<Option<Credential>, PublishingError> {
        let row = self.load_connection_row(publisher, id).await?;
        let columns = (&row.credential, &row.key_identifier, &row.param_location);
        let sealed = sealed_of(columns, bound_to_connection(row.id), &row.url);
        Ok(sealed.map(|sealed| self.open_credential(&sealed)).transpose()?)
    }

    /// Opens the secret that calls of this namespace carry, where there is one.
    ///
    /// # Errors
    /// The publisher has no such namespace, the secret cannot be opened, or the database failed.
    pub async fn open_namespace_credential(
        &self,
        publisher: PublisherId,
        id: NamespaceId,
    ) -> Result<Option<Credential>, PublishingError> {
        let row = self.load_namespace_row(publisher, id).await?;
        let connection = match row.connection_id {
            Some(id) => Some(self.load_connection_row(publisher, id.into()).await?),
            None => None,
        };
        let sealed = sealed_credential(&row, connection.as_ref());
        Ok(sealed.map(|sealed| self.open_credential(&sealed)).transpose()?)
    }

    /// Sets what a server asks of its callers: with the next call, on every server within a second.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_connection_credential(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: ConnectionId,
        input: &CredentialInput,
    ) -> Result<CredentialView, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_connection_row(publisher, id).await?;
        let new = entity::connection::Model {
            credential: Some(self.seal_credential(input, &bound_to_connection(old.id))?),
            key_identifier: Some(input.name.clone()),
            param_location: Some(input.place.as_str().to_owned()),
            param_description: input.note.clone(),
            changed_us: change.now_us,
            ..old.clone()
        };
        change.change_connection(&old, &new);
        change.save().await?;
        Ok(view_of(&new))
    }

    /// Sets what calls of this namespace carry instead of what its server asks of the others.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_namespace_credential(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        input: &CredentialInput,
    ) -> Result<CredentialView, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let new = entity::namespace::Model {
            credential: Some(self.seal_credential(input, &bound_to_namespace(old.id))?),
            key_identifier: Some(input.name.clone()),
            param_location: Some(input.place.as_str().to_owned()),
            param_description: input.note.clone(),
            ..old.clone()
        };
        change.change_namespace(Action::NamespaceChange, &old, &new);
        change.save().await?;
        self.find_namespace_credential(publisher, id).await
    }

    /// What is told of the secret that calls of this namespace carry.
    ///
    /// # Errors
    /// The publisher has no such namespace, or the database failed.
    pub async fn find_namespace_credential(
        &self,
        publisher: PublisherId,
        id: NamespaceId,
    ) -> Result<CredentialView, PublishingError> {
        let row = self.load_namespace_row(publisher, id).await?;
        let server = match row.connection_id {
            Some(id) => Some(self.load_connection_row(publisher, id.into()).await?),
            None => None,
        };
        Ok(view_of_namespace(&row, server.as_ref()))
    }
}
