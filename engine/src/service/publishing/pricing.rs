//! What the tools of a group cost: the group's price, in which a tool's own units take their place. What is charged are the
//! price versions of the tools, as for any other tool.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Query, SelectStatement},
};
use uuid::Uuid;

use super::{Change, ListingDraft, PublishingError, own_json};
use crate::{
    audit::Action,
    id::PriceVersionId,
    pricing::{Price, PriceError, PricingSpec},
    service::{
        Services,
        catalog::{price_facts, spec_from_json, spec_to_json},
    },
    store::{StoreError, entity},
};

/// The mode in which units count.
const TOOL_RETURNED: &str = "tool_returned";
/// The field that a group may lack whose tools count units.
const ESTIMATE: &str = "estimated_max_credit_cost";

/// By which arguments a tool alone is priced, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolUnits {
    /// The names of the arguments.
    pub fields: Vec<String>,
    /// The price of one unit, in credits.
    pub credits_per_unit: Option<String>,
}

impl ToolUnits {
    pub(super) fn of(row: &entity::tool::Model) -> Self {
        let fields = row.unit_fields.as_deref().map(own_json).unwrap_or_default();
        let fields = fields.as_array().into_iter().flatten().filter_map(|field| field.as_str().map(str::to_owned));
        Self { fields: fields.collect(), credits_per_unit: row.credits_per_unit.clone() }
    }
}

/// The price that a namespace begins with: its tools cost nothing.
pub(super) fn free() -> String {
    spec_to_json(&PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some("0".to_owned()),
        ..PricingSpec::default()
    })
}

fn check(spec: &PricingSpec) -> Result<Price, PublishingError> {
    Ok(Price::from_spec(PriceVersionId::from(Uuid::nil()), 0, spec)?)
}

/// What a tool of a group costs that has this price.
pub(super) fn price_of(group: &PricingSpec, units: &ToolUnits) -> Result<String, PublishingError> {
    let mut spec = group.clone();
    if spec.pricing_mode.as_deref() == Some(TOOL_RETURNED) {
        spec.pricing_unit_fields = (!units.fields.is_empty()).then(|| units.fields.clone());
        spec.pricing_credits_per_unit.clone_from(&units.credits_per_unit);
    }
    Ok(spec_to_json(&check(&spec)?.to_spec()))
}

/// Why a tool cannot have the price of its group; `None` if it can, or is in no group.
pub(super) fn price_fault(
    tool: &entity::tool::Model,
    groups: &HashMap<Uuid, PricingSpec>,
) -> Result<Option<PriceError>, PublishingError> {
    let Some(group) = tool.group_id.and_then(|id| groups.get(&id)) else { return Ok(None) };
    match price_of(group, &ToolUnits::of(tool)) {
        Ok(_) => Ok(None),
        Err(PublishingError::Price(error)) => Ok(Some(error)),
        Err(other) => Err(other),
    }
}

/// Checks the price of a group and of its tools: without an estimate of its own all of them have to count units.
pub(super) fn check_group(spec: &PricingSpec, tools: &[&entity::tool::Model]) -> Result<(), PublishingError> {
    for tool in tools {
        price_of(spec, &ToolUnits::of(tool))?;
    }
    match check(spec) {
        Err(PublishingError::Price(error)) if error.field() == ESTIMATE && !tools.is_empty() => Ok(()),
        checked => checked.map(drop),
    }
}

/// A price that the database has.
pub(super) fn stored(spec: &str) -> Result<PricingSpec, StoreError> {
    spec_from_json(spec).map_err(|what| StoreError::Inconsistent { table: "tool_group", what })
}

/// The price of every group, those of a draft among them.
pub(super) fn prices_of_groups(
    groups: &[entity::tool_group::Model],
    draft: &ListingDraft,
) -> Result<HashMap<Uuid, PricingSpec>, StoreError> {
    let spec = |row: &entity::tool_group::Model| {
        stored(draft.pricing_of(row.id.into()).unwrap_or(&row.pricing)).map(|spec| (row.id, spec))
    };
    groups.iter().map(spec).collect()
}

/// The prices that were taken back before they counted.
fn taken_back() -> SelectStatement {
    Query::select()
        .column(entity::price_cancellation::Column::PriceVersionId)
        .from(entity::price_cancellation::Entity)
        .to_owned()
}

impl Services {
    /// The arguments that a tool is priced by: by its own word, by the price in force at `at_us` (microseconds since the Unix
    /// epoch) and by every later one.
    pub(super) async fn priced_by(
        &self,
        tool: &entity::tool::Model,
        at_us: i64,
    ) -> Result<HashSet<String>, StoreError> {
        use entity::price_version::Column;
        let later = entity::price_version::Entity::find()
            .filter(Column::ToolId.eq(tool.id))
            .filter(Column::EffectiveFromUs.gt(at_us))
            .filter(Column::Id.not_in_subquery(taken_back()))
            .all(self.db.readers())
            .await?;
        let mut names: HashSet<String> = ToolUnits::of(tool).fields.into_iter().collect();
        for version in self.find_price_in_force(tool.id, at_us).await?.into_iter().chain(later) {
            let broken = |what| StoreError::Inconsistent { table: "price_version", what };
            let spec = spec_from_json(&version.spec).map_err(broken)?;
            names.extend(spec.pricing_unit_fields.into_iter().flatten());
        }
        Ok(names)
    }

    /// What the tools of a namespace cost at `at_us` (microseconds since the Unix epoch), as JSON.
    pub(super) async fn prices_of_tools(
        &self,
        namespace: Uuid,
        at_us: i64,
    ) -> Result<HashMap<Uuid, String>, StoreError> {
        use entity::price_version::Column;
        let tools = Query::select()
            .column(entity::tool::Column::Id)
            .from(entity::tool::Entity)
            .and_where(entity::tool::Column::NamespaceId.eq(namespace))
            .to_owned();
        let rows = entity::price_version::Entity::find()
            .filter(Column::ToolId.in_subquery(tools))
            .filter(Column::EffectiveFromUs.lte(at_us))
            .filter(Column::Id.not_in_subquery(taken_back()))
            .order_by_asc(Column::EffectiveFromUs);
        // The last one stands.
        Ok(rows.all(self.db.readers()).await?.into_iter().map(|row| (row.tool_id, row.spec)).collect())
    }
}

impl Change<'_> {
    /// Makes these tools of `namespace` cost what their groups say, from now on; one that costs that already is left alone.
    pub(super) async fn reprice(
        &mut self,
        namespace: &str,
        tools: &[entity::tool::Model],
        groups: &HashMap<Uuid, PricingSpec>,
    ) -> Result<(), PublishingError> {
        for tool in tools {
            let Some(group) = tool.group_id.and_then(|id| groups.get(&id)) else { continue };
            let spec = price_of(group, &ToolUnits::of(tool))?;
            let from_us = self.services.first_free_moment(tool.id, self.now_us).await?;
            let last = self.services.find_price_in_force(tool.id, from_us).await?;
            if last.as_ref().is_none_or(|last| last.spec != spec) {
                self.set_price(&format!("{namespace}/{}", tool.name), tool.id, (spec, from_us), last.as_ref());
            }
        }
        Ok(())
    }

    /// Adds a price of a tool.
    pub(super) fn set_price(
        &mut self,
        path: &str,
        tool: Uuid,
        (spec, from_us): (String, i64),
        last: Option<&entity::price_version::Model>,
    ) {
        let id = PriceVersionId::new(&*self.services.ids, self.now_us);
        let told = self.by.entry(Action::PriceSet, "price", id).after(price_facts(path, &spec, from_us));
        self.tell(match last {
            Some(last) => told.before(price_facts(path, &last.spec, last.effective_from_us)),
            None => told,
        });
        let row = entity::price_version::Model {
            id: id.uuid(),
            tool_id: tool,
            effective_from_us: from_us,
            spec,
            created_us: self.now_us,
            key: None,
        };
        self.services.add_price(&mut self.unit, row, self.now_us);
    }
}
