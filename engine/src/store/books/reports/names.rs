//! Reads the names that reports use, and finds the accounts that an export is limited to.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Books, ReportError, page::each, plan::nonsense};
use crate::{
    id::{AccountId, PartnerId, PublisherId},
    ledger::{
        AccountKind, LedgerAccountId,
        export::{
            chart::{Chart, ChartAccount},
            request::Only,
        },
    },
    store::books::{
        rows,
        source::{Row, Select, Source as _, Statement as _},
    },
};

const ACCOUNTS: Select =
    Select { table: "ledger_account", sql: "SELECT id, code, kind, created_us FROM ledger_account ORDER BY id" };
const PUBLISHERS: Select = Select { table: "publisher", sql: "SELECT id, slug FROM publisher" };
const PARTNERS: Select = Select { table: "partner", sql: "SELECT id, name, wallet, margin FROM partner" };
const TOOLS: Select = Select {
    table: "tool",
    sql: "SELECT t.id, n.name, t.name FROM tool t LEFT JOIN namespace n ON n.id = t.namespace_id",
};
const BUYERS: Select = Select { table: "account", sql: "SELECT id, email, wallet FROM account" };

/// Reads all names. An account is opened before anything is posted to it: none is missing of entries that were there
/// before.
pub(super) fn read_chart(books: &impl Books) -> Result<Chart, ReportError> {
    let mut chart = Chart::new();
    let page = books.page(&[]);
    each(&mut page.prepare(ACCOUNTS)?.open()?, |row| {
        let (id, kind, code) = rows::account(row).map_err(|column| nonsense("ledger_account", column))?;
        let opened_us = row.read(3).ok_or_else(|| nonsense("ledger_account", "created_us"))?;
        chart.account(id, kind, code, opened_us);
        Ok(())
    })?;
    each(&mut page.prepare(PUBLISHERS)?.open()?, |row| {
        chart.publisher(PublisherId::from(uuid(row, "publisher")?).to_string(), text(row, 1, "publisher")?);
        Ok(())
    })?;
    each(&mut page.prepare(TOOLS)?.open()?, |row| {
        let name = text(row, 2, "tool")?;
        let namespace: Option<String> = row.read(1).ok_or_else(|| nonsense("namespace", "name"))?;
        chart.tool(
            uuid(row, "tool")?,
            namespace.map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}")),
        );
        Ok(())
    })?;
    Ok(chart)
}

/// The accounts that `only` names; `None`: all.
pub(super) fn find_accounts(
    books: &impl Books,
    chart: &Chart,
    only: &Only,
) -> Result<Option<BTreeSet<LedgerAccountId>>, ReportError> {
    let found = match only {
        Only::Everything => return Ok(None),
        Only::Account(name) => find_account(books, chart, name)?,
        Only::Publisher(name) => of_owner(chart, |id, account| {
            let is_theirs = matches!(account.kind, AccountKind::Payable | AccountKind::Receivable);
            is_theirs && (account.owner() == name || chart.publisher_of(id) == name)
        }),
        Only::Partner(name) => find_partner(books, chart, name)?,
    };
    match only.named() {
        Some((what, name)) if found.is_empty() => Err(ReportError::Unknown { what, name: name.clone() }),
        _ => Ok(Some(found)),
    }
}

/// What those that `only` names are called for ever: their identifiers, which are no addresses; `None`: all.
pub(super) fn identify(books: &impl Books, chart: &Chart, only: &Only) -> Result<Option<String>, ReportError> {
    let Some(found) = find_accounts(books, chart, only)? else { return Ok(None) };
    // An account that was named itself is meant without its owner's others.
    let is_alone = matches!(only, Only::Account(name) if !in_chart(chart, name).is_empty());
    let name = |id: &LedgerAccountId| match chart.accounts().get(id) {
        Some(account) if is_alone => account.code.clone(),
        Some(account) => identifier(account).to_owned(),
        None => id.to_string(),
    };
    let names: BTreeSet<String> = found.iter().map(name).collect();
    Ok(Some(names.into_iter().collect::<Vec<_>>().join(", ")))
}

/// Whose account it is; the account's own name if it is nobody's.
fn identifier(account: &ChartAccount) -> &str {
    let owner = account.owner().split(':').next().unwrap_or_default();
    if owner.is_empty() { &account.code } else { owner }
}

fn of_owner(chart: &Chart, is_theirs: impl Fn(LedgerAccountId, &ChartAccount) -> bool) -> BTreeSet<LedgerAccountId> {
    chart.accounts().iter().filter(|(id, account)| is_theirs(**id, account)).map(|(id, _)| *id).collect()
}

/// By its name in the chart, its number, its owner's identifier or address.
fn find_account(books: &impl Books, chart: &Chart, name: &str) -> Result<BTreeSet<LedgerAccountId>, ReportError> {
    let mut found = in_chart(chart, name);
    if !found.is_empty() {
        return Ok(found);
    }
    let page = books.page(&[]);
    each(&mut page.prepare(BUYERS)?.open()?, |row| {
        let id = AccountId::from(uuid(row, "account")?).to_string();
        if id == name || text(row, 1, "account")? == name {
            found.extend(row.read(2).map(LedgerAccountId::from_raw));
            found.extend(of_owner(chart, |_, account| is_part_of(account, &id)));
        }
        Ok(())
    })?;
    Ok(found)
}

/// By its name in the chart or its number.
fn in_chart(chart: &Chart, name: &str) -> BTreeSet<LedgerAccountId> {
    let mut found = BTreeSet::new();
    found.extend(chart.accounts().iter().find(|(_, account)| account.code == name).map(|(id, _)| *id));
    let number = name.parse().ok().map(LedgerAccountId::from_raw);
    found.extend(number.filter(|id| chart.accounts().contains_key(id)));
    found
}

/// Whether an account carries this owner's identifier, alone or before what tells several apart.
fn is_part_of(account: &ChartAccount, id: &str) -> bool {
    account.owner().strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// By name or identifier: the wallet and the margin, and whatever else carries the identifier.
fn find_partner(books: &impl Books, chart: &Chart, name: &str) -> Result<BTreeSet<LedgerAccountId>, ReportError> {
    let mut found = BTreeSet::new();
    let page = books.page(&[]);
    each(&mut page.prepare(PARTNERS)?.open()?, |row| {
        let id = PartnerId::from(uuid(row, "partner")?).to_string();
        if id == name || text(row, 1, "partner")? == name {
            found.extend([row.read(2), row.read(3)].into_iter().flatten().map(LedgerAccountId::from_raw));
            found.extend(of_owner(chart, |_, account| is_part_of(account, &id)));
        }
        Ok(())
    })?;
    Ok(found)
}

fn uuid(row: &impl Row, table: &'static str) -> Result<Uuid, ReportError> {
    row.read(0).map(Uuid::from_bytes).ok_or_else(|| nonsense(table, "id"))
}

fn text(row: &impl Row, index: usize, table: &'static str) -> Result<String, ReportError> {
    row.read(index).ok_or_else(|| nonsense(table, "name"))
}
