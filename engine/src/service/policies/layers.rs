//! What the layers of the policy did with the calls of the last day: how many came to each of them, how many it denied, and
//! how many it let through to the next one.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::decisions::named;
use crate::{
    id::first_at,
    invocation::{CallState, Surface},
    ledger::export::DAY_US,
    policy::chain::StepKind,
    service::{
        Services,
        recent::{RECENT_CALLS, looked_through_since},
    },
    store::{StoreError, entity},
};

/// One layer that a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyLayer {
    /// The policies beside the chain: the program's own, and the operators'. They are asked first. What no policy permits,
    /// and what cannot be evaluated, ends here too: no policy is named of it.
    Beside,
    /// A kind of step of the chain.
    Step(StepKind),
}

impl PolicyLayer {
    /// Every layer, in the order in which they are asked.
    fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Beside).chain(StepKind::ALL.into_iter().map(Self::Step))
    }

    /// The layer that denied a call: the first of those whose policies did. Every one that would deny is recorded, so the
    /// others never had a say.
    fn of_denial(surface: Surface, denied_by: &str) -> Self {
        let layer = |id: &str| StepKind::of_policy(id).map_or(Self::Beside, Self::Step);
        match surface {
            Surface::Marketplace => Self::Beside,
            Surface::Gateway => named(denied_by).map(layer).min().unwrap_or(Self::Beside),
        }
    }
}

/// What a layer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerCount {
    /// Which.
    pub layer: PolicyLayer,
    /// How many calls it denied.
    pub denied: i64,
    /// How many it let through.
    pub passed: i64,
}

/// What the layers did with the calls of the last day, whichever versions of the policy decided them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayerCounts {
    /// With calls of `/tools/invoke`: every layer in the order in which they are asked, each with what the one before it let
    /// through. None if there was no such call.
    pub gateway: Vec<LayerCount>,
    /// With calls of `/invoke`: the one layer that there is for them.
    pub marketplace: Option<LayerCount>,
    /// There may be older calls of that day: those since this moment, in microseconds since the Unix epoch, were counted.
    pub since_us: Option<i64>,
}

/// What is read of a recorded call.
#[derive(Debug)]
struct Decided {
    surface: i16,
    state: i16,
    denied_by: Option<String>,
    /// Some policy was asked: the tool was there, and had a price.
    was_asked: bool,
}

impl Services {
    /// What the layers did with the calls of the last 24 hours, of the newest [`RECENT_CALLS`] at most. The primary key serves
    /// this: it rises with time. Calls that no policy was asked about are passed over.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_layer_counts(&self) -> Result<LayerCounts, StoreError> {
        use entity::invocation::{Column, Entity};
        type Row = (i16, i16, Option<String>, Option<Uuid>, Option<Uuid>, i64);
        let from_us = self.clock.now_us().saturating_sub(DAY_US);
        let columns =
            [Column::Surface, Column::State, Column::DeniedBy, Column::ToolId, Column::PriceId, Column::CreatedUs];
        // No other condition: a range of the key and a bound are all that the database looks at.
        let calls: Vec<Row> = Entity::find()
            .select_only()
            .columns(columns)
            .filter(Column::Id.gte(first_at(from_us)))
            .order_by_desc(Column::Id)
            .limit(RECENT_CALLS)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let since_us = looked_through_since(&calls, |(.., created_us)| *created_us);
        let decided = calls.into_iter().map(|(surface, state, denied_by, tool, price, _)| {
            let was_asked = tool.is_some() && price.is_some();
            Decided { surface, state, denied_by, was_asked }
        });
        let mut counts = counts_of(decided);
        // Not every dialect has this step.
        let has_owners = self.gateway.load().as_ref().is_some_and(|setup| !setup.dialect.chain.owner_only.is_empty());
        let owner = PolicyLayer::Step(StepKind::Owner);
        counts.gateway.retain(|count| count.layer != owner || has_owners || count.denied > 0);
        Ok(LayerCounts { since_us, ..counts })
    }
}

fn counts_of(calls: impl Iterator<Item = Decided>) -> LayerCounts {
    let (mut gateway, mut marketplace) = (Vec::<(PolicyLayer, i64)>::new(), (0_i64, 0_i64));
    let mut of_gateway = 0_i64;
    for call in calls.filter(|call| call.was_asked) {
        let Some(surface) = Surface::from_raw(call.surface) else { continue };
        let is_denied = CallState::from_raw(call.state) == Some(CallState::Denied);
        if surface == Surface::Marketplace {
            let count = if is_denied { &mut marketplace.0 } else { &mut marketplace.1 };
            *count = count.saturating_add(1);
            continue;
        }
        of_gateway = of_gateway.saturating_add(1);
        if !is_denied {
            continue;
        }
        let layer = PolicyLayer::of_denial(surface, call.denied_by.as_deref().unwrap_or_default());
        match gateway.iter_mut().find(|(known, _)| *known == layer) {
            Some((_, denied)) => *denied = denied.saturating_add(1),
            None => gateway.push((layer, 1)),
        }
    }
    let mut left = of_gateway;
    let layers = PolicyLayer::all().map(|layer| {
        let denied = gateway.iter().find(|(known, _)| *known == layer).map_or(0, |(_, denied)| *denied);
        left = left.saturating_sub(denied);
        LayerCount { layer, denied, passed: left }
    });
    let (denied, passed) = marketplace;
    LayerCounts {
        gateway: if of_gateway > 0 { layers.collect() } else { Vec::new() },
        marketplace: (denied > 0 || passed > 0).then_some(LayerCount { layer: PolicyLayer::Beside, denied, passed }),
        since_us: None,
    }
}

#[cfg(test)]
mod tests;
