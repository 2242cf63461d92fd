//! Under which names a call is known to its caller, to the ledger and to its upstream.

use std::sync::Arc;

use super::{Accepted, Call, GatewayCall};
use crate::{
    json,
    ledger::leaf::sha256,
    service::access::Owner,
    upstream::{Credential, UpstreamRequest},
};

/// Keys belong to the account, to the partner's end user, or to the gateway's session.
pub(super) fn key_scope(call: &Call) -> uuid::Uuid {
    match (&call.gateway, &call.end_user, call.principal.as_ref().map(|principal| &principal.owner)) {
        (Some(gateway), ..) => gateway.key_scope(),
        (None, Some(user), _) => user.id.uuid(),
        (None, None, Some(Owner::Account(account))) => account.id.uuid(),
        (None, None, Some(Owner::Partner(partner))) => partner.id.uuid(),
        (None, None, None) => uuid::Uuid::nil(),
    }
}

/// SHA-256 over the tool's identifier and the canonical arguments (`product.md` 4.1).
pub(super) fn fingerprint(call: &Call) -> [u8; 32] {
    let mut bytes = call.offer.tool.id.uuid().into_bytes().to_vec();
    if let Ok(arguments) = json::parse(&call.arguments) {
        bytes.extend_from_slice(arguments.canonical().as_bytes());
    }
    sha256(&bytes)
}

/// The key under which the upstream hears of this call: the same for every retry of the same keyed call.
fn outbound_key(call: &Call) -> String {
    let Some(key) = &call.key else { return call.id.to_string() };
    let mut bytes = key_scope(call).into_bytes().to_vec();
    bytes.extend_from_slice(call.offer.tool.id.uuid().as_bytes());
    bytes.extend_from_slice(key.as_bytes());
    sha256(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn upstream_request(accepted: &Accepted, credential: Option<Arc<Credential>>) -> UpstreamRequest {
    let call = &accepted.call;
    UpstreamRequest {
        target: Arc::clone(&call.offer.tool.upstream),
        arguments: Arc::clone(&accepted.prepared.arguments),
        shaped: accepted.prepared.shaped.clone(),
        credential,
        owner: call.offer.seller.as_ref().and_then(|seller| seller.owner),
        invocation: call.id,
        idempotency_key: outbound_key(call),
        headers: call.gateway.as_ref().map(GatewayCall::upstream_headers).unwrap_or_default(),
    }
}
