//! Reports that list: a row for each thing.

use super::{
    Frame, Item, Render,
    out::Out,
    table::{RowFormat, Table},
    value::Value,
};
use crate::{
    id::EntryId,
    ledger::{
        LedgerAccountId, TransactionKind,
        grants::GrantEntry,
        leaf::{Digest, Entry, HoldEntry, RefusalEntry, SettlementEntry, TransactionEntry},
        periods::PeriodClose,
    },
};

fn id(id: EntryId) -> Value<'static> {
    Value::Id(id.uuid())
}

fn optional_id(id: Option<EntryId>) -> Value<'static> {
    id.map_or(Value::Nothing, |id| Value::Id(id.uuid()))
}

fn hash(digest: Option<&Digest>) -> Value<'_> {
    digest.map_or(Value::Nothing, Value::Hash)
}

fn code<'a>(frame: &Frame<'a>, account: LedgerAccountId) -> Value<'a> {
    Value::Text(frame.chart.code(account))
}

fn optional_code<'a>(frame: &Frame<'a>, account: Option<LedgerAccountId>) -> Value<'a> {
    account.map_or(Value::Nothing, |account| code(frame, account))
}

/// Every entry of the books.
#[derive(Debug)]
pub struct Entries(Table);

impl Entries {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        Self(Table::new(
            format,
            &[
                "slot",
                "seq",
                "batch_no",
                "recorded_at",
                "entry",
                "id",
                "kind",
                "effective_at",
                "hold_id",
                "reverses",
                "account",
                "payee",
                "postings",
                "amount_micros",
                "meta_hash",
            ],
        ))
    }

    fn transaction(&mut self, item: &Item<'_>, entry: &TransactionEntry, out: &mut Out<'_>) {
        let amount = entry.legs.iter().fold(0_i128, |sum, leg| sum.saturating_add(leg.amount.micros().into()));
        let postings = i64::try_from(entry.legs.len()).unwrap_or(i64::MAX);
        self.row(
            item,
            ("transaction", id(entry.id), Value::Word(entry.kind.as_str())),
            [Value::Time(entry.effective_us), optional_id(entry.hold), optional_id(entry.reverses)],
            [Value::Nothing, Value::Nothing, Value::Number(postings), Value::Micros(amount), hash(entry.meta.as_ref())],
            out,
        );
    }

    fn hold(&mut self, frame: &Frame<'_>, item: &Item<'_>, entry: &HoldEntry, out: &mut Out<'_>) {
        let amount = Value::Micros(entry.amount.micros().into());
        self.row(
            item,
            ("hold", id(entry.id), Value::Nothing),
            [Value::Nothing; 3],
            [code(frame, entry.wallet), code(frame, entry.payee), Value::Nothing, amount, hash(entry.meta.as_ref())],
            out,
        );
    }

    fn settlement(&mut self, item: &Item<'_>, entry: &SettlementEntry, out: &mut Out<'_>) {
        let amount = Value::Micros(entry.captured.micros().into());
        self.row(
            item,
            ("settlement", id(entry.id), Value::Word(entry.settled.as_str())),
            [Value::Nothing, id(entry.hold), Value::Nothing],
            [Value::Nothing, Value::Nothing, Value::Nothing, amount, hash(entry.meta.as_ref())],
            out,
        );
    }

    fn refusal(&mut self, frame: &Frame<'_>, item: &Item<'_>, entry: &RefusalEntry, out: &mut Out<'_>) {
        let amount = Value::Micros(entry.needed.micros().into());
        self.row(
            item,
            ("refusal", id(entry.id), Value::Word(entry.reason)),
            [Value::Nothing; 3],
            [optional_code(frame, entry.wallet), Value::Nothing, Value::Nothing, amount, Value::Nothing],
            out,
        );
    }

    /// The time of a grant is that of its expiry: when it was given is when it was recorded.
    fn grant(&mut self, frame: &Frame<'_>, item: &Item<'_>, entry: &GrantEntry, out: &mut Out<'_>) {
        self.row(
            item,
            ("grant", id(entry.id), Value::Nothing),
            [Value::Time(entry.expires_us), Value::Nothing, Value::Nothing],
            [code(frame, entry.wallet), code(frame, entry.account), Value::Nothing, Value::Nothing, Value::Nothing],
            out,
        );
    }

    /// The time of a close is the first moment after its period.
    fn close(&mut self, item: &Item<'_>, entry: &PeriodClose, out: &mut Out<'_>) {
        self.row(
            item,
            ("close", id(entry.id), Value::Nothing),
            [Value::Time(entry.end_us), Value::Nothing, Value::Nothing],
            [Value::Nothing, Value::Nothing, Value::Nothing, Value::Nothing, Value::Hash(&entry.digest)],
            out,
        );
    }

    fn row<'a>(
        &mut self,
        item: &Item<'_>,
        (entry, id, kind): (&'a str, Value<'a>, Value<'a>),
        [effective, hold, reverses]: [Value<'a>; 3],
        [account, payee, postings, amount, meta]: [Value<'a>; 5],
        out: &mut Out<'_>,
    ) {
        let row = [
            Value::Number(item.position.slot),
            Value::Number(item.position.seq),
            Value::Number(item.batch.batch_no),
            Value::Time(item.batch.recorded_us),
            Value::Word(entry),
            id,
            kind,
            effective,
            hold,
            reverses,
            account,
            payee,
            postings,
            amount,
            meta,
        ];
        self.0.row(out, &row);
    }
}

impl Render for Entries {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.0.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        match item.entry {
            Entry::Transaction(entry) if is_about(frame, entry) => self.transaction(item, entry, out),
            Entry::Hold(entry) if is_hold_about(frame, entry) => self.hold(frame, item, entry, out),
            // Whose it is says its hold.
            Entry::Settlement(entry) if frame.only.is_none() => self.settlement(item, entry, out),
            Entry::Refusal(entry) if entry.wallet.map_or(frame.only.is_none(), |wallet| frame.is_about(wallet)) => {
                self.refusal(frame, item, entry, out);
            }
            Entry::Grant(entry)
                if frame.only.is_none() || frame.is_about(entry.wallet) || frame.is_about(entry.account) =>
            {
                self.grant(frame, item, entry, out);
            }
            Entry::Close(entry) if frame.only.is_none() => self.close(item, entry, out),
            _ => {}
        }
    }

    fn finish(&mut self, _frame: &Frame<'_>, _out: &mut Out<'_>) {}
}

/// Whether a transaction moves money of the accounts that the export is about; without a limit all are.
fn is_about(frame: &Frame<'_>, entry: &TransactionEntry) -> bool {
    frame.only.is_none() || entry.legs.iter().any(|leg| frame.is_about(leg.debit) || frame.is_about(leg.credit))
}

fn is_hold_about(frame: &Frame<'_>, entry: &HoldEntry) -> bool {
    let partner = entry.partner.is_some_and(|partner| frame.is_about(partner));
    frame.is_about(entry.wallet) || frame.is_about(entry.payee) || partner
}

/// Every posting.
#[derive(Debug)]
pub struct Postings(Table);

impl Postings {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        Self(Table::new(
            format,
            &[
                "slot",
                "seq",
                "ord",
                "batch_no",
                "recorded_at",
                "effective_at",
                "transaction",
                "kind",
                "hold_id",
                "reverses",
                "debit",
                "credit",
                "amount_micros",
            ],
        ))
    }
}

impl Render for Postings {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.0.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        let touched = entry.legs.iter().enumerate();
        for (ord, leg) in touched.filter(|(_, leg)| frame.is_about(leg.debit) || frame.is_about(leg.credit)) {
            let row = [
                Value::Number(item.position.slot),
                Value::Number(item.position.seq),
                Value::Number(i64::try_from(ord).unwrap_or(i64::MAX)),
                Value::Number(item.batch.batch_no),
                Value::Time(item.batch.recorded_us),
                Value::Time(entry.effective_us),
                id(entry.id),
                Value::Word(entry.kind.as_str()),
                optional_id(entry.hold),
                optional_id(entry.reverses),
                code(frame, leg.debit),
                code(frame, leg.credit),
                Value::Micros(leg.amount.micros().into()),
            ];
            self.0.row(out, &row);
        }
    }

    fn finish(&mut self, _frame: &Frame<'_>, _out: &mut Out<'_>) {}
}

/// Everything that takes an earlier transaction back.
#[derive(Debug)]
pub struct Refunds(Table);

impl Refunds {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        Self(Table::new(
            format,
            &[
                "slot",
                "seq",
                "recorded_at",
                "effective_at",
                "id",
                "kind",
                "reverses",
                "wallet",
                "publisher",
                "wallet_micros",
                "publisher_micros",
                "partner_micros",
                "platform_micros",
                "other_micros",
            ],
        ))
    }
}

impl Render for Refunds {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.0.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        let Entry::Transaction(entry) = item.entry else { return };
        let takes_back =
            matches!(entry.kind, TransactionKind::Refund | TransactionKind::Chargeback | TransactionKind::Reversal);
        // A fact names in the same place the row that it states, and takes nothing back.
        let names_one = entry.reverses.is_some() && entry.kind != TransactionKind::Fact;
        if !(takes_back || names_one) || !is_about(frame, entry) {
            return;
        }
        let flows = frame.chart.flows(&entry.legs);
        let publisher = flows.publisher.map_or(Value::Nothing, |id| Value::Text(frame.chart.publisher_of(id)));
        let row = [
            Value::Number(item.position.slot),
            Value::Number(item.position.seq),
            Value::Time(item.batch.recorded_us),
            Value::Time(entry.effective_us),
            id(entry.id),
            Value::Word(entry.kind.as_str()),
            optional_id(entry.reverses),
            optional_code(frame, flows.wallet),
            publisher,
            Value::Micros(flows.wallets),
            Value::Micros(flows.publishers),
            Value::Micros(flows.partners),
            Value::Micros(flows.platform),
            Value::Micros(flows.others),
        ];
        self.0.row(out, &row);
    }

    fn finish(&mut self, _frame: &Frame<'_>, _out: &mut Out<'_>) {}
}

/// Holds that have not ended at the end of the export.
#[derive(Debug)]
pub struct OpenHolds(Table);

impl OpenHolds {
    /// As a table of this format.
    pub fn new(format: RowFormat) -> Self {
        Self(Table::new(
            format,
            &[
                "slot",
                "seq",
                "recorded_at",
                "id",
                "wallet",
                "payee",
                "partner",
                "amount_micros",
                "expires_at",
                "publisher_bps",
                "partner_bps",
            ],
        ))
    }
}

impl Render for OpenHolds {
    fn begin(&mut self, _frame: &Frame<'_>, out: &mut Out<'_>) {
        self.0.begin(out);
    }

    fn take(&mut self, frame: &Frame<'_>, item: &Item<'_>, out: &mut Out<'_>) {
        let Entry::Hold(entry) = item.entry else { return };
        if item.end.is_some() || !is_hold_about(frame, entry) {
            return;
        }
        let expires = match entry.ttl_us {
            0 => Value::Nothing,
            ttl_us => Value::Time(item.batch.recorded_us.saturating_add(ttl_us)),
        };
        let row = [
            Value::Number(item.position.slot),
            Value::Number(item.position.seq),
            Value::Time(item.batch.recorded_us),
            id(entry.id),
            code(frame, entry.wallet),
            code(frame, entry.payee),
            optional_code(frame, entry.partner),
            Value::Micros(entry.amount.micros().into()),
            expires,
            Value::Number(entry.shares.publisher_bps().into()),
            Value::Number(entry.shares.partner_bps().into()),
        ];
        self.0.row(out, &row);
    }

    fn finish(&mut self, _frame: &Frame<'_>, _out: &mut Out<'_>) {}
}
