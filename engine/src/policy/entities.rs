//! From the facts of a call to Cedar's request and entities.
//!
//! The only place that knows the schema's names. Entity types are parsed once; identifiers are never parsed at all, so
//! quotes or Cedar syntax in one are just characters.

use std::collections::HashMap;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, Request, RestrictedExpression, Schema,
};

use super::facts::{Caller, DecisionRequest, NamespaceFacts, Surface, ToolFacts, ToolTier};

const DAY_S: i64 = 86_400;

/// Why a request could not be put to Cedar. For the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BuildError(String);

impl BuildError {
    fn new(cause: impl std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// The schema's names, ready for use.
#[derive(Debug)]
pub(super) struct Vocabulary {
    account: EntityTypeName,
    partner: EntityTypeName,
    end_user: EntityTypeName,
    token: EntityTypeName,
    publisher: EntityTypeName,
    namespace: EntityTypeName,
    tool: EntityTypeName,
    tiers: [EntityUid; ToolTier::ALL.len()],
    marketplace: EntityUid,
    http: EntityUid,
    /// The actions with their parents, as the schema declares them.
    actions: HashMap<EntityUid, Entity>,
}

impl Vocabulary {
    /// Reads the actions from `schema`.
    pub(super) fn new(schema: &Schema) -> Result<Self, BuildError> {
        let type_name = |name: &str| name.parse::<EntityTypeName>().map_err(|e: ParseErrors| BuildError::new(e));
        let action_type = type_name("Action")?;
        let tier_type = type_name("Tier")?;
        Ok(Self {
            account: type_name("Account")?,
            partner: type_name("Partner")?,
            end_user: type_name("EndUser")?,
            token: type_name("Token")?,
            publisher: type_name("Publisher")?,
            namespace: type_name("Namespace")?,
            tool: type_name("Tool")?,
            tiers: ToolTier::ALL.map(|tier| uid(&tier_type, tier.name())),
            marketplace: uid(&action_type, "invokeMarketplace"),
            http: uid(&action_type, "invokeHttp"),
            actions: schema
                .action_entities()
                .map_err(BuildError::new)?
                .iter()
                .map(|action| (action.uid(), action.clone()))
                .collect(),
        })
    }

    /// What Cedar is asked. With `schema` the result is checked against it; without, it is trusted.
    pub(super) fn question(
        &self,
        request: &DecisionRequest<'_>,
        schema: Option<&Schema>,
    ) -> Result<(Request, Entities), BuildError> {
        let action = match request.surface {
            Surface::Marketplace => &self.marketplace,
            Surface::Http => &self.http,
        };
        let token = uid(&self.token, request.token);
        let tool = uid(&self.tool, request.tool.id);
        let mut entities = Vec::with_capacity(8);
        entities.extend(self.actions.get(action).cloned());
        self.add_caller(&mut entities, token.clone(), &request.caller)?;
        self.add_tool(&mut entities, tool.clone(), &request.tool)?;
        let context = Context::from_pairs([
            ("now_s".to_owned(), RestrictedExpression::new_long(request.now_s)),
            ("second_of_day".to_owned(), RestrictedExpression::new_long(request.now_s.rem_euclid(DAY_S))),
        ])
        .map_err(BuildError::new)?;
        let question = Request::new(token, action.clone(), tool, context, schema).map_err(BuildError::new)?;
        let entities = Entities::from_entities(entities, schema).map_err(BuildError::new)?;
        Ok((question, entities))
    }

    fn add_caller(&self, to: &mut Vec<Entity>, token: EntityUid, caller: &Caller<'_>) -> Result<(), BuildError> {
        match caller {
            Caller::Account(facts) => {
                let account = uid(&self.account, facts.id);
                to.push(entity(token, [("account", reference(&account))], [account.clone()])?);
                let attributes = [("suspended", flag(facts.is_suspended)), ("verified", flag(facts.is_verified))];
                to.push(entity(account, attributes, [])?);
            }
            Caller::Partner { partner: partner_facts, end_user: end_user_facts } => {
                let partner = uid(&self.partner, partner_facts.id);
                let end_user = uid(&self.end_user, end_user_facts.id);
                let owners = [("partner", reference(&partner)), ("end_user", reference(&end_user))];
                to.push(entity(token, owners, [partner.clone(), end_user.clone()])?);
                to.push(entity(end_user, [("blocked", flag(end_user_facts.is_blocked))], [partner.clone()])?);
                to.push(entity(partner, [("suspended", flag(partner_facts.is_suspended))], [])?);
            }
        }
        Ok(())
    }

    fn add_tool(&self, to: &mut Vec<Entity>, tool: EntityUid, facts: &ToolFacts<'_>) -> Result<(), BuildError> {
        let namespace = facts.namespace.as_ref().map(|namespace| uid(&self.namespace, namespace.id));
        let attributes = [
            ("name", text(facts.name)),
            ("disabled", flag(facts.is_disabled)),
            ("free", flag(facts.is_free)),
            ("tier", reference(self.tier(facts.tier))),
        ];
        let owner = namespace.iter().map(|namespace| ("namespace", reference(namespace)));
        to.push(entity(tool, attributes.into_iter().chain(owner), namespace.clone())?);
        if let (Some(namespace), Some(namespace_facts)) = (namespace, &facts.namespace) {
            self.add_namespace(to, namespace, namespace_facts)?;
        }
        Ok(())
    }

    fn add_namespace(
        &self,
        to: &mut Vec<Entity>,
        namespace: EntityUid,
        facts: &NamespaceFacts<'_>,
    ) -> Result<(), BuildError> {
        let publisher = uid(&self.publisher, facts.publisher.id);
        let attributes =
            [("name", text(facts.name)), ("suspended", flag(facts.is_suspended)), ("publisher", reference(&publisher))];
        to.push(entity(namespace, attributes, [publisher.clone()])?);
        to.push(entity(publisher, [("suspended", flag(facts.publisher.is_suspended))], [])?);
        Ok(())
    }

    fn tier(&self, tier: ToolTier) -> &EntityUid {
        let [unverified, verified, paid] = &self.tiers;
        match tier {
            ToolTier::Unverified => unverified,
            ToolTier::Verified => verified,
            ToolTier::Paid => paid,
        }
    }
}

fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

fn entity(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = (&'static str, RestrictedExpression)>,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, BuildError> {
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
    Entity::new_with_tags(uid, attributes, parents, []).map_err(BuildError::new)
}

fn flag(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn reference(uid: &EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid.clone())
}
