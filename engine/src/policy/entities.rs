//! From the facts of a call to Cedar's request and entities.
//!
//! The only place that knows the schema's names. Entity types are parsed once; identifiers are never parsed at all, so
//! quotes or Cedar syntax in one are just characters. A question has three entities (action, token, tool): accounts,
//! namespaces and so on are parents by name, and what is known of them are records of the token or the tool.

use std::{collections::HashSet, fmt};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, Request, RestrictedExpression, Schema,
};

use super::{
    chain::Parents,
    facts::{Caller, DecisionRequest, Surface, ToolFacts},
};
use crate::catalog::Tier;

const DAY_S: i64 = 86_400;

/// Why a request could not be put to Cedar. For the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BuildError(String);

impl BuildError {
    pub(super) fn new(cause: impl fmt::Display) -> Self {
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
    tier_unverified: EntityUid,
    tier_standard: EntityUid,
    marketplace: Stage,
    http: Stage,
}

/// What all questions of one surface share.
#[derive(Debug)]
struct Stage {
    action: EntityUid,
    /// The action with its parents, as the schema declares it. Kept as a finished set: adding two entities to one is much
    /// cheaper than closing the hierarchy of a new one.
    entities: Entities,
}

/// An attribute of an entity or a member of a record.
type Named = (String, RestrictedExpression);

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
            tier_unverified: uid(&tier_type, Tier::Unverified.as_str()),
            tier_standard: uid(&tier_type, Tier::Standard.as_str()),
            marketplace: Stage::new(uid(&action_type, "invokeMarketplace"), schema)?,
            http: Stage::new(uid(&action_type, "invokeHttp"), schema)?,
        })
    }

    /// What Cedar is asked. With `schema` the result is checked against it; without, it is trusted.
    pub(super) fn question(
        &self,
        request: &DecisionRequest<'_>,
        parents: &Parents,
        schema: Option<&Schema>,
    ) -> Result<(Request, Entities), BuildError> {
        let stage = match request.surface {
            Surface::Marketplace => &self.marketplace,
            Surface::Http => &self.http,
        };
        let token = self.token_entity(request.token, &request.caller, &parents.token)?;
        let tool = self.tool_entity(&request.tool, &parents.tool)?;
        let context = Context::from_pairs([
            named("now_s", RestrictedExpression::new_long(request.now_s)),
            named("second_of_day", RestrictedExpression::new_long(request.now_s.rem_euclid(DAY_S))),
        ])
        .map_err(BuildError::new)?;
        let question =
            Request::new(token.uid(), stage.action.clone(), tool.uid(), context, schema).map_err(BuildError::new)?;
        let entities = stage.entities.clone().add_entities([token, tool], schema).map_err(BuildError::new)?;
        Ok((question, entities))
    }

    /// What the slices of a chain are asked: they look at nothing but the sets that the tool is in.
    pub(super) fn chain_question(
        &self,
        request: &DecisionRequest<'_>,
        tool_parents: HashSet<EntityUid>,
    ) -> Result<(Request, Entities), BuildError> {
        let (token, tool) = (uid(&self.token, request.token), uid(&self.tool, request.tool.id));
        let question = Request::new(token, self.http.action.clone(), tool.clone(), Context::empty(), None)
            .map_err(BuildError::new)?;
        let entities =
            Entities::from_entities([Entity::new_no_attrs(tool, tool_parents)], None).map_err(BuildError::new)?;
        Ok((question, entities))
    }

    fn token_entity(&self, id: &str, caller: &Caller<'_>, within: &[EntityUid]) -> Result<Entity, BuildError> {
        let token = uid(&self.token, id);
        match caller {
            Caller::Account(account) => {
                let facts = [flag("suspended", account.is_suspended), flag("verified", account.is_verified)];
                let own = [uid(&self.account, account.id)];
                entity(token, [record("account", facts)?], own.into_iter().chain(within.iter().cloned()))
            }
            Caller::Partner { partner, end_user } => {
                let facts = [
                    record("partner", [flag("suspended", partner.is_suspended)])?,
                    record("end_user", [flag("blocked", end_user.is_blocked)])?,
                ];
                let own = [uid(&self.partner, partner.id), uid(&self.end_user, end_user.id)];
                entity(token, facts, own.into_iter().chain(within.iter().cloned()))
            }
        }
    }

    fn tool_entity(&self, facts: &ToolFacts<'_>, within: &[EntityUid]) -> Result<Entity, BuildError> {
        let tier = match facts.tier {
            Tier::Unverified => &self.tier_unverified,
            Tier::Standard => &self.tier_standard,
        };
        let tool = uid(&self.tool, facts.id);
        let own = [
            text("name", facts.name),
            flag("disabled", facts.is_disabled),
            flag("free", facts.is_free),
            named("tier", RestrictedExpression::new_entity_uid(tier.clone())),
        ];
        let Some(namespace) = &facts.namespace else { return entity(tool, own, within.iter().cloned()) };
        let publisher = &namespace.publisher;
        let owners = [
            record("namespace", [text("name", namespace.name), flag("suspended", namespace.is_suspended)])?,
            record("publisher", [flag("suspended", publisher.is_suspended)])?,
        ];
        let parents = [uid(&self.namespace, namespace.id), uid(&self.publisher, publisher.id)];
        entity(tool, own.into_iter().chain(owners), parents.into_iter().chain(within.iter().cloned()))
    }
}

impl Stage {
    fn new(action: EntityUid, schema: &Schema) -> Result<Self, BuildError> {
        let actions = schema.action_entities().map_err(BuildError::new)?;
        let own = actions.get(&action).cloned();
        let entities = Entities::from_entities(own, None).map_err(BuildError::new)?;
        Ok(Self { action, entities })
    }
}

fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

fn entity(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = Named>,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, BuildError> {
    Entity::new_with_tags(uid, attributes, parents, []).map_err(BuildError::new)
}

fn named(name: &str, value: RestrictedExpression) -> Named {
    (name.to_owned(), value)
}

fn flag(name: &str, value: bool) -> Named {
    named(name, RestrictedExpression::new_bool(value))
}

fn text(name: &str, value: &str) -> Named {
    named(name, RestrictedExpression::new_string(value.to_owned()))
}

fn record(name: &str, members: impl IntoIterator<Item = Named>) -> Result<Named, BuildError> {
    Ok(named(name, RestrictedExpression::new_record(members).map_err(BuildError::new)?))
}
