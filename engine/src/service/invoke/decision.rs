//! What policy is told about a call.

use super::Call;
use crate::{
    catalog::{NamespaceState, PublisherState, ToolState},
    invocation::Surface,
    policy::{self, Caller, DecisionRequest, chain::ChainPlace},
    pricing::Price,
    service::access::{Owner, Principal},
    snapshot::Offer,
};

/// What policies call a caller of the gateway for whom nobody pays.
const GATEWAY: &str = "gateway";
/// What policies call somebody who looks around and has not said who it is.
const STRANGER: &str = "stranger";

/// A call, as far as policy looks at it.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Asked<'a> {
    pub(in crate::service) surface: Surface,
    pub(in crate::service) principal: Option<&'a Principal>,
    pub(in crate::service) end_user: Option<policy::EndUserFacts<'a>>,
    pub(in crate::service) offer: &'a Offer,
    pub(in crate::service) place: Option<ChainPlace>,
}

impl<'a> From<&'a Call> for Asked<'a> {
    fn from(call: &'a Call) -> Self {
        let end_user = call.end_user.as_ref();
        Self {
            surface: call.surface,
            principal: call.principal.as_deref(),
            end_user: end_user.map(|user| policy::EndUserFacts { id: &user.name, is_blocked: user.is_blocked }),
            offer: &call.offer,
            place: call.gateway.as_ref().map(|gateway| gateway.place),
        }
    }
}

const fn nobody(surface: Surface) -> &'static str {
    match surface {
        Surface::Marketplace => STRANGER,
        Surface::Gateway => GATEWAY,
    }
}

pub(in crate::service) fn request_for<'a>(asked: &Asked<'a>, price: &Price, now_us: i64) -> DecisionRequest<'a> {
    let offer = asked.offer;
    let caller = match (asked.principal.map(|principal| &principal.owner), asked.end_user) {
        // On the gateway nobody pays for the agent; on the marketplace a stranger is only shown what there is.
        (None, _) => Caller::Account(policy::AccountFacts {
            id: nobody(asked.surface),
            is_suspended: false,
            is_verified: asked.surface == Surface::Gateway,
        }),
        (Some(Owner::Partner(partner)), Some(end_user)) => Caller::Partner {
            partner: policy::PartnerFacts { id: &partner.name, is_suspended: partner.is_suspended },
            end_user,
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
        surface: match asked.surface {
            Surface::Marketplace => policy::Surface::Marketplace,
            Surface::Gateway => policy::Surface::Http,
        },
        token: asked.principal.map_or_else(|| nobody(asked.surface), |principal| &principal.shown),
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
        place: asked.place,
        now_s: now_us.checked_div(1_000_000).unwrap_or(0),
    }
}
