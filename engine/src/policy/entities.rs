//! From the facts of a call to Cedar's request and entities.
//!
//! The only place that knows the schema's names. Entity types are parsed once; identifiers are never parsed at all, so
//! quotes or Cedar syntax in one are just characters. A question has three entities (action, token, tool): accounts,
//! namespaces and so on are parents by name, and what is known of them are records of the token or the tool.

use std::fmt;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, Policy,
    PolicySet, Request, RestrictedExpression, Schema,
};
use serde_json::{Value, json};

use super::{
    chain::Parents,
    facts::{Caller, DecisionRequest, Surface, ToolFacts},
    kinds::Kinds,
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
        let stage = self.stage(request.surface);
        let token = self.token_entity(request.token, &request.caller, &parents.token)?;
        let tool = self.tool_entity(&request.tool, &parents.tool)?;
        let context = circumstances(request.now_s)?;
        let question =
            Request::new(token.uid(), stage.action.clone(), tool.uid(), context, schema).map_err(BuildError::new)?;
        let entities = stage.entities.clone().add_entities([token, tool], schema).map_err(BuildError::new)?;
        Ok((question, entities))
    }

    /// What Cedar is asked about a call of which no policy reads a name. Without `with_time` it has no circumstances.
    pub(super) fn question_of_kind(
        &self,
        request: &DecisionRequest<'_>,
        kinds: &Kinds,
        with_time: bool,
    ) -> Result<Request, BuildError> {
        let (caller, tool) = kinds
            .of(&request.caller, &request.tool)
            .ok_or_else(|| BuildError::new("a caller or a tool of a kind that there is not"))?;
        let context = if with_time { circumstances(request.now_s)? } else { Context::empty() };
        let action = self.stage(request.surface).action.clone();
        Request::new(caller.clone(), action, tool.clone(), context, None).map_err(BuildError::new)
    }

    /// The entities of all kinds of callers and tools, numbered, and of the actions.
    pub(super) fn kinds(&self) -> Result<Kinds, BuildError> {
        let number = |type_name, place: usize| uid(type_name, &place.to_string());
        let mut kinds = Kinds { callers: Vec::new(), tools: Vec::new(), entities: self.marketplace.entities.clone() };
        let mut entities: Vec<Entity> = self.http.entities.iter().cloned().collect();
        for (place, caller) in Caller::of_all_kinds().enumerate() {
            kinds.callers.push(number(&self.token, place));
            entities.push(self.token_entity(&place.to_string(), &caller, &[])?);
        }
        for (place, tool) in ToolFacts::of_all_kinds().enumerate() {
            kinds.tools.push(number(&self.tool, place));
            entities.push(self.tool_entity(&ToolFacts { id: &place.to_string(), ..tool }, &[])?);
        }
        kinds.entities = kinds.entities.add_entities(entities, None).map_err(BuildError::new)?;
        Ok(kinds)
    }

    /// Whether a policy with this `action` in its head is about the calls of a surface. Cedar is asked.
    pub(super) fn is_meant(&self, surface: Surface, action: &Value) -> Result<bool, BuildError> {
        let all = json!({"op": "All"});
        let head = json!({"effect": "permit", "principal": all, "action": action, "resource": all, "conditions": []});
        let policies = PolicySet::from_policies([Policy::from_json(None, head).map_err(BuildError::new)?])
            .map_err(BuildError::new)?;
        let stage = self.stage(surface);
        let question =
            Request::new(uid(&self.token, ""), stage.action.clone(), uid(&self.tool, ""), Context::empty(), None)
                .map_err(BuildError::new)?;
        let response = Authorizer::new().is_authorized(&question, &policies, &stage.entities);
        Ok(response.decision() == Decision::Allow)
    }

    const fn stage(&self, surface: Surface) -> &Stage {
        match surface {
            Surface::Marketplace => &self.marketplace,
            Surface::Http => &self.http,
        }
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

fn circumstances(now_s: i64) -> Result<Context, BuildError> {
    Context::from_pairs([
        named("now_s", RestrictedExpression::new_long(now_s)),
        named("second_of_day", RestrictedExpression::new_long(now_s.rem_euclid(DAY_S))),
    ])
    .map_err(BuildError::new)
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
