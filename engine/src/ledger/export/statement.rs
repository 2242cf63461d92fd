//! Statements: what somebody had, what came and went, what they have. Balances are credits less debits.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Frame, Item, Render, day_of,
    out::Out,
    table::{RowFormat, Table},
    value::{Value, date_of},
};
use crate::ledger::{
    LedgerAccountId,
    leaf::{Entry, TransactionEntry},
};

/// Every posting of one account with a running balance.
#[derive(Debug)]
pub struct AccountStatement {
    table: Table,
    balances: BTreeMap<LedgerAccountId, i128>,
    is_open: bool,
}

impl AccountStatement {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        let columns = &[
            "line",
            "recorded_at",
            "effective_at",
            "account",
            "counterpart",
            "kind",
            "transaction",
            "hold_id",
            "reverses",
            "slot",
            "seq",
            "ord",
            "debit_micros",
            "credit_micros",
            "balance_micros",
        ];
        Self { table: Table::new(format, columns), balances: BTreeMap::new(), is_open: false }
    }

    /// A row for each account: the opening or the closing balance.
    fn balance_rows(&mut self, line: &'static str, frame: &Frame<'_>, out: &mut Out<'_>) {
        let balances = &self.balances;
        let is_listed = |id: LedgerAccountId| frame.was_opened(id) || balances.contains_key(&id);
        for account in frame.only.into_iter().flatten().filter(|id| is_listed(**id)) {
            let balance = self.balances.get(account).copied().unwrap_or(0);
            let mut row = [Value::Nothing; 15];
            let [first, _, _, name, .., last] = &mut row;
            (*first, *name, *last) =
                (Value::Word(line), Value::Text(frame.chart.code(*account)), Value::Micros(balance));
            self.table.row(out, &row);
        }
    }

    fn open(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        if !self.is_open {
            self.is_open = true;
            self.balance_rows("opening", frame, out);
        }
    }

    fn posting(
        &mut self,
        frame: &Frame<'_>,
        (item, entry, ord): (&Item<'_>, &TransactionEntry, usize),
        (account, counterpart): (LedgerAccountId, LedgerAccountId),
        (debit, credit): (i128, i128),
        out: &mut Out<'_>,
    ) {
        let balance = self.balances.entry(account).or_insert(0);
        *balance = balance.saturating_add(credit).saturating_sub(debit);
        let balance = *balance;
        if item.is_before {
            return;
        }
        let amount = |side: i128| if side == 0 { Value::Nothing } else { Value::Micros(side) };
        let optional = |id: Option<crate::id::EntryId>| id.map_or(Value::Nothing, |id| Value::Id(id.uuid()));
        let row = [
            Value::Word("posting"),
            Value::Time(item.batch.recorded_us),
            Value::Time(entry.effective_us),
            Value::Text(frame.chart.code(account)),
            Value::Text(frame.chart.code(counterpart)),
            Value::Word(entry.kind.as_str()),
            Value::Id(entry.id.uuid()),
            optional(entry.hold),
            optional(entry.reverses),
            Value::Number(item.position.slot),
            Value::Number(item.position.seq),
            Value::Number(i64::try_from(ord).unwrap_or(i64::MAX)),
            amount(debit),
            amount(credit),
            Value::Micros(balance),
        ];
        self.table.row(out, &row);
    }
}

impl Render for AccountStatement {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.table.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        if !item.is_before {
            self.open(frame, out);
        }
        for (ord, leg) in entry.legs.iter().enumerate() {
            let amount = i128::from(leg.amount.micros());
            if frame.is_about(leg.debit) {
                self.posting(frame, (item, entry, ord), (leg.debit, leg.credit), (amount, 0), out);
            }
            if frame.is_about(leg.credit) {
                self.posting(frame, (item, entry, ord), (leg.credit, leg.debit), (0, amount), out);
            }
        }
    }

    fn finish(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        self.open(frame, out);
        self.balance_rows("closing", frame, out);
    }
}

/// What is added up within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    account: LedgerAccountId,
    kind: i16,
    tool: Option<Uuid>,
}

/// Sums of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    kind: &'static str,
    count: i64,
    debits: i128,
    credits: i128,
}

/// The accounts of a publisher or a partner: sums by day, account, kind and tool.
#[derive(Debug)]
pub struct PartyStatement {
    table: Table,
    balances: BTreeMap<LedgerAccountId, i128>,
    is_open: bool,
    day: Option<i64>,
    groups: BTreeMap<Group, Sums>,
}

impl PartyStatement {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        let columns =
            &["line", "date", "account", "kind", "tool", "postings", "debit_micros", "credit_micros", "balance_micros"];
        Self {
            table: Table::new(format, columns),
            balances: BTreeMap::new(),
            is_open: false,
            day: None,
            groups: BTreeMap::new(),
        }
    }

    fn balance_rows(&mut self, line: &'static str, frame: &Frame<'_>, out: &mut Out<'_>) {
        let balances = &self.balances;
        let is_listed = |id: LedgerAccountId| frame.was_opened(id) || balances.contains_key(&id);
        for account in frame.only.into_iter().flatten().filter(|id| is_listed(**id)) {
            let balance = Value::Micros(self.balances.get(account).copied().unwrap_or(0));
            let mut row = [Value::Nothing; 9];
            let [first, _, name, .., last] = &mut row;
            (*first, *name, *last) = (Value::Word(line), Value::Text(frame.chart.code(*account)), balance);
            self.table.row(out, &row);
        }
    }

    fn open(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        if !self.is_open {
            self.is_open = true;
            self.balance_rows("opening", frame, out);
        }
    }

    /// Writes the sums of the day that is over.
    fn end_day(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        let Some(day) = self.day.take() else { return };
        let date = date_of(day).to_string();
        for (group, sums) in std::mem::take(&mut self.groups) {
            let balance = self.balances.entry(group.account).or_insert(0);
            *balance = balance.saturating_add(sums.credits).saturating_sub(sums.debits);
            let row = [
                Value::Word("day"),
                Value::Word(&date),
                Value::Text(frame.chart.code(group.account)),
                Value::Word(sums.kind),
                Value::Text(frame.chart.tool_name(group.tool)),
                Value::Number(sums.count),
                Value::Micros(sums.debits),
                Value::Micros(sums.credits),
                Value::Micros(*balance),
            ];
            self.table.row(out, &row);
        }
    }

    fn side(
        &mut self,
        (item, entry): (&Item<'_>, &TransactionEntry),
        account: LedgerAccountId,
        (debit, credit): (i128, i128),
    ) {
        if item.is_before {
            let balance = self.balances.entry(account).or_insert(0);
            *balance = balance.saturating_add(credit).saturating_sub(debit);
            return;
        }
        let group = Group { account, kind: entry.kind.raw(), tool: item.tool };
        let sums = self.groups.entry(group).or_default();
        sums.kind = entry.kind.as_str();
        sums.count = sums.count.saturating_add(1);
        sums.debits = sums.debits.saturating_add(debit);
        sums.credits = sums.credits.saturating_add(credit);
    }
}

impl Render for PartyStatement {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.table.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        if !item.is_before {
            self.open(frame, out);
            let day = day_of(item.batch.recorded_us);
            if self.day.is_some_and(|open| open != day) {
                self.end_day(frame, out);
            }
            self.day = Some(day);
        }
        for leg in &entry.legs {
            let amount = i128::from(leg.amount.micros());
            if frame.is_about(leg.debit) {
                self.side((item, entry), leg.debit, (amount, 0));
            }
            if frame.is_about(leg.credit) {
                self.side((item, entry), leg.credit, (0, amount));
            }
        }
    }

    fn finish(&mut self, frame: &Frame<'_>, out: &mut Out<'_>) {
        self.open(frame, out);
        self.end_day(frame, out);
        self.balance_rows("closing", frame, out);
    }
}
