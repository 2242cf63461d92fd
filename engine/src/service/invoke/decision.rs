//! What policy is told about a call.

use super::Call;
use crate::{
    catalog::{NamespaceState, PublisherState, ToolState},
    invocation::Surface,
    policy::{self, Caller, DecisionRequest},
    pricing::Price,
    service::access::Owner,
};

pub(super) fn request_for<'a>(call: &'a Call, price: &Price, now_us: i64) -> DecisionRequest<'a> {
    let offer = &call.offer;
    let caller = match (&call.principal.owner, &call.end_user) {
        (Owner::Partner(partner), Some(user)) => Caller::Partner {
            partner: policy::PartnerFacts { id: &partner.name, is_suspended: partner.is_suspended },
            end_user: policy::EndUserFacts { id: &user.name, is_blocked: user.is_blocked },
        },
        // A partner without an end user is refused before; as a caller nobody knows it would be denied here.
        (Owner::Partner(partner), None) => Caller::Partner {
            partner: policy::PartnerFacts { id: &partner.name, is_suspended: partner.is_suspended },
            end_user: policy::EndUserFacts { id: "", is_blocked: true },
        },
        (Owner::Account(account), _) => Caller::Account(policy::AccountFacts {
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
        token: &call.principal.shown,
        caller,
        tool: policy::ToolFacts {
            id: &offer.names.tool,
            name: &offer.names.path,
            is_disabled: offer.tool.state != ToolState::Active,
            is_free: price.is_free(),
            tier: offer.tool.tier,
            namespace: Some(policy::NamespaceFacts {
                id: &offer.names.namespace,
                name: &offer.namespace.name,
                is_suspended: offer.namespace.state != NamespaceState::Active,
                publisher: policy::PublisherFacts {
                    id: &offer.names.publisher,
                    is_suspended: offer.publisher.state != PublisherState::Active,
                },
            }),
        },
        now_s: now_us.checked_div(1_000_000).unwrap_or(0),
    }
}
