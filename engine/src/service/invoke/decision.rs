//! What policy is told about a call.

use super::Call;
use crate::{
    catalog::{NamespaceState, PublisherState, ToolState},
    invocation::Surface,
    policy::{self, Caller, DecisionRequest},
    pricing::Price,
    service::access::Owner,
};

/// What policies call a caller of the gateway for whom nobody pays.
const GATEWAY: &str = "gateway";

pub(in crate::service) fn request_for<'a>(call: &'a Call, price: &Price, now_us: i64) -> DecisionRequest<'a> {
    let offer = &call.offer;
    let caller = match (call.principal.as_ref().map(|principal| &principal.owner), &call.end_user) {
        // Nobody pays for the agent: the gateway's own caller.
        (None, _) => Caller::Account(policy::AccountFacts { id: GATEWAY, is_suspended: false, is_verified: true }),
        (Some(Owner::Partner(partner)), Some(user)) => Caller::Partner {
            partner: policy::PartnerFacts { id: &partner.name, is_suspended: partner.is_suspended },
            end_user: policy::EndUserFacts { id: &user.name, is_blocked: user.is_blocked },
        },
        // A partner without an end user is refused before; as a caller nobody knows it would be denied here.
        (Some(Owner::Partner(partner)), None) => Caller::Partner {
            partner: policy::PartnerFacts { id: &partner.name, is_suspended: partner.is_suspended },
            end_user: policy::EndUserFacts { id: "", is_blocked: true },
        },
        (Some(Owner::Account(account)), _) => Caller::Account(policy::AccountFacts {
            id: &account.name,
            is_suspended: account.is_suspended,
            is_verified: account.is_verified,
        }),
    };
    DecisionRequest {
        surface: match call.surface {
            Surface::Marketplace => policy::Surface::Marketplace,
            Surface::Gateway => policy::Surface::Http,
        },
        token: call.principal.as_ref().map_or(GATEWAY, |principal| &principal.shown),
        caller,
        tool: policy::ToolFacts {
            id: &offer.name,
            name: &offer.path,
            is_disabled: offer.tool.state != ToolState::Active,
            is_free: price.is_free(),
            tier: offer.tool.tier,
            namespace: offer.seller.as_ref().map(|seller| policy::NamespaceFacts {
                id: &seller.namespace_name,
                name: &seller.namespace.name,
                is_suspended: seller.namespace.state != NamespaceState::Active,
                publisher: policy::PublisherFacts {
                    id: &seller.publisher_name,
                    is_suspended: seller.publisher.state != PublisherState::Active,
                },
            }),
        },
        place: call.gateway.as_ref().map(|gateway| gateway.place),
        now_s: now_us.checked_div(1_000_000).unwrap_or(0),
    }
}
