//! Of which tools' charges something went back lately.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Movement, MovementKind, list::order};
use crate::{
    credits::Credits,
    id::{EntryId, ToolId},
    service::{Services, invocations::Wanted},
    store::{StoreError, entity},
};

mod rates;

pub use rates::{RATE_DAYS, RefundRates, ToolRate};

/// How many of the newest orders of operators are looked at, refunds or not: orders have no index by kind or by tool.
pub const ORDERS_LOOKED_AT: u64 = 1_000;

/// What went back of one tool's charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRefunds {
    /// Which tool.
    pub tool: ToolId,
    /// What it is called: `namespace/tool`.
    pub path: String,
    /// How many refunds and reversals.
    pub refunds: i64,
    /// What they gave back together, in micro-credits.
    pub credits: Credits,
}

/// What went back for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonRefunds {
    /// The reason, in the words of whoever ordered it.
    pub reason: String,
    /// How many refunds and reversals.
    pub refunds: i64,
    /// What they gave back together, in micro-credits.
    pub credits: Credits,
}

/// What went back lately, by tool and by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundsByTool {
    /// The tool of which most went back first. What was no call's charge has no tool, and is left out.
    pub tools: Vec<ToolRefunds>,
    /// The reason that was given most often first. Of all refunds and reversals, also those of no tool.
    pub reasons: Vec<ReasonRefunds>,
    /// How often calls of tools went back; `None` where too little is known to say it.
    pub rates: Option<RefundRates>,
    /// There may be older orders: those since this moment, in microseconds since the Unix epoch, were looked at.
    pub since_us: Option<i64>,
}

impl Services {
    /// Refunds and reversals among the newest [`ORDERS_LOOKED_AT`] orders, by the tool whose charge they gave back. Orders
    /// are read along their primary key, and the calls by theirs: a call's charge has its name.
    ///
    /// # Errors
    /// The database cannot be read, or holds an order that makes no sense.
    pub async fn load_refunds_by_tool(&self) -> Result<RefundsByTool, StoreError> {
        let newest = entity::movement::Entity::find().order_by_desc(entity::movement::Column::Id);
        let rows = newest.limit(ORDERS_LOOKED_AT).all(self.db.readers()).await?;
        let is_full = u64::try_from(rows.len()).is_ok_and(|count| count >= ORDERS_LOOKED_AT);
        let since_us = rows.last().filter(|_oldest| is_full).map(|oldest| oldest.created_us);
        let orders: Vec<Movement> = rows.into_iter().map(order).collect::<Result<_, _>>()?;
        let is_refund = |order: &Movement| matches!(order.kind, MovementKind::Refund | MovementKind::Reversal);
        let mut refunds: Vec<Movement> = orders.into_iter().filter(is_refund).collect();
        self.fill_amounts(&mut refunds).await?;
        let tools = self.load_tools_of_charges(refunds.iter().filter_map(charge_of).collect()).await?;
        let wanted = Wanted { tools: tools.values().copied().collect(), ..Wanted::default() };
        let names = self.load_names(wanted).await?.tools;
        let rates = self.load_refund_rates(&refunds, (&tools, &names), since_us).await?;
        Ok(RefundsByTool { tools: by_tool(&refunds, &tools, &names), reasons: by_reason(&refunds), rates, since_us })
    }

    /// Whose calls these charges are of; those that are of no tool's call are left out.
    async fn load_tools_of_charges(&self, charges: Vec<Uuid>) -> Result<HashMap<Uuid, Uuid>, StoreError> {
        use entity::invocation::{Column, Entity};
        if charges.is_empty() {
            return Ok(HashMap::new());
        }
        let calls: Vec<(Uuid, Option<Uuid>)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::ToolId])
            .filter(Column::Id.is_in(charges))
            .into_tuple()
            .all(self.db.readers())
            .await?;
        Ok(calls.into_iter().filter_map(|(call, tool)| Some((call, tool?))).collect())
    }
}

/// The charge that an order is about.
fn charge_of(order: &Movement) -> Option<Uuid> {
    order.subject.parse::<EntryId>().ok().map(EntryId::uuid)
}

/// The refunds by the tools of their charges, with the names of these tools.
fn by_tool(refunds: &[Movement], tools: &HashMap<Uuid, Uuid>, names: &HashMap<Uuid, String>) -> Vec<ToolRefunds> {
    let mut sums: HashMap<Uuid, (i64, Credits)> = HashMap::new();
    for refund in refunds {
        let Some(tool) = charge_of(refund).and_then(|charge| tools.get(&charge)) else { continue };
        let (count, credits) = sums.entry(*tool).or_default();
        *count = count.saturating_add(1);
        *credits = credits.checked_add(refund.credits.unwrap_or_default()).unwrap_or(Credits::MAX);
    }
    let told = |(tool, (refunds, credits)): (Uuid, (i64, Credits))| ToolRefunds {
        tool: ToolId::from(tool),
        path: names.get(&tool).cloned().unwrap_or_default(),
        refunds,
        credits,
    };
    let mut found: Vec<ToolRefunds> = sums.into_iter().map(told).collect();
    found.sort_by(|one, other| other.credits.cmp(&one.credits).then_with(|| one.path.cmp(&other.path)));
    found
}

/// The refunds by their reasons.
fn by_reason(refunds: &[Movement]) -> Vec<ReasonRefunds> {
    let mut sums: HashMap<&str, (i64, Credits)> = HashMap::new();
    for refund in refunds {
        let (count, credits) = sums.entry(refund.reason.trim()).or_default();
        *count = count.saturating_add(1);
        *credits = credits.checked_add(refund.credits.unwrap_or_default()).unwrap_or(Credits::MAX);
    }
    let told = |(reason, (refunds, credits)): (&str, (i64, Credits))| ReasonRefunds {
        reason: reason.to_owned(),
        refunds,
        credits,
    };
    let mut found: Vec<ReasonRefunds> = sums.into_iter().map(told).collect();
    found.sort_by(|one, other| {
        let most = (other.refunds, other.credits).cmp(&(one.refunds, one.credits));
        most.then_with(|| one.reason.cmp(&other.reason))
    });
    found
}

#[cfg(test)]
mod tests;
