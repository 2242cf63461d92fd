//! Reports that add up.

use std::collections::BTreeMap;

use super::{
    Frame, Item, Render,
    chart::Flows,
    day_of,
    out::Out,
    table::{RowFormat, Table},
    value::{Value, date_of},
};
use crate::ledger::{LedgerAccountId, TransactionKind, leaf::Entry};

/// What an account had, received, spent and has, in micro-credits.
#[derive(Debug, Clone, Copy, Default)]
struct AccountSums {
    opening: i128,
    debits: i128,
    credits: i128,
}

/// What every account received and spent. Balances are credits less debits.
#[derive(Debug)]
pub struct TrialBalanceReport {
    table: Table,
    sums: BTreeMap<LedgerAccountId, AccountSums>,
}

impl TrialBalanceReport {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        let columns = &["account", "opening_micros", "debits_micros", "credits_micros", "closing_micros"];
        Self { table: Table::new(format, columns), sums: BTreeMap::new() }
    }
}

impl Render for TrialBalanceReport {
    fn begin(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        let opened = frame.chart.accounts().keys().filter(|id| frame.was_opened(**id));
        self.sums = opened.map(|id| (*id, AccountSums::default())).collect();
        self.table.begin(out);
    }

    fn take(&mut self, _frame: &Frame<'_>, item: &Item<'_>, _out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        for leg in &entry.legs {
            let amount = i128::from(leg.amount.micros());
            let debited = self.sums.entry(leg.debit).or_default();
            if item.is_before {
                debited.opening = debited.opening.saturating_sub(amount);
            } else {
                debited.debits = debited.debits.saturating_add(amount);
            }
            let credited = self.sums.entry(leg.credit).or_default();
            if item.is_before {
                credited.opening = credited.opening.saturating_add(amount);
            } else {
                credited.credits = credited.credits.saturating_add(amount);
            }
        }
    }

    fn finish(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        for (id, sums) in std::mem::take(&mut self.sums) {
            let closing = sums.opening.saturating_add(sums.credits).saturating_sub(sums.debits);
            let amounts = [sums.opening, sums.debits, sums.credits, closing].map(Value::Micros);
            let [opening, debits, credits, closing] = amounts;
            self.table.row(out, &[Value::Text(frame.chart.code(id)), opening, debits, credits, closing]);
        }
    }
}

/// What is added up: month, publisher, tool, kind.
type RevenueKey = (String, String, String, &'static str);

/// Who got what, and how often.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    count: i64,
    flows: Flows,
}

/// Who got what of the charges and what of it was taken back, by month, publisher and tool.
#[derive(Debug)]
pub struct Revenue {
    table: Table,
    sums: BTreeMap<RevenueKey, Shares>,
    month: (i64, String),
}

impl Revenue {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        let columns = &[
            "period",
            "publisher",
            "tool",
            "kind",
            "transactions",
            "paid_micros",
            "publisher_micros",
            "partner_micros",
            "platform_micros",
            "other_micros",
        ];
        Self { table: Table::new(format, columns), sums: BTreeMap::new(), month: (i64::MIN, String::new()) }
    }

    fn month_of(&mut self, us: i64) -> String {
        let day = day_of(us);
        if self.month.0 != day {
            self.month = (day, date_of(day).strftime("%Y-%m").to_string());
        }
        self.month.1.clone()
    }
}

impl Render for Revenue {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.table.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, _out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        let flows = frame.chart.flows(&entry.legs);
        let is_revenue = matches!(entry.kind, TransactionKind::Charge | TransactionKind::Refund) || flows.has_fee;
        let mut sides = entry.legs.iter().flat_map(|leg| [leg.debit, leg.credit]);
        if !is_revenue || entry.legs.is_empty() || !sides.any(|account| frame.is_about(account)) {
            return;
        }
        let publisher = flows.publisher.map_or("", |account| frame.chart.publisher_of(account)).to_owned();
        let tool = frame.chart.tool_name(item.tool).to_owned();
        let key = (self.month_of(item.batch.recorded_us), publisher, tool, entry.kind.as_str());
        let sums = self.sums.entry(key).or_default();
        sums.count = sums.count.saturating_add(1);
        let total = &mut sums.flows;
        total.wallets = total.wallets.saturating_add(flows.wallets);
        total.publishers = total.publishers.saturating_add(flows.publishers);
        total.partners = total.partners.saturating_add(flows.partners);
        total.platform = total.platform.saturating_add(flows.platform);
        total.others = total.others.saturating_add(flows.others);
    }

    fn finish(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        for ((period, publisher, tool, kind), Shares { count, flows }) in std::mem::take(&mut self.sums) {
            let row = [
                Value::Word(&period),
                Value::Text(&publisher),
                Value::Text(&tool),
                Value::Word(kind),
                Value::Number(count),
                Value::Micros(flows.wallets.saturating_neg()),
                Value::Micros(flows.publishers),
                Value::Micros(flows.partners),
                Value::Micros(flows.platform),
                Value::Micros(flows.others),
            ];
            self.table.row(out, &row);
        }
    }
}
