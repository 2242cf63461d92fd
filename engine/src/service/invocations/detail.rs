//! One call with everything that the books say of it: what was reserved, how that ended, where the money went, and what of
//! it went back.

use sea_orm::EntityTrait;
use uuid::Uuid;

use super::list::{ListedCall, listed, wanted_of};
use crate::{
    credits::{Credits, Decimal},
    id::{EntryId, InvocationId, PriceVersionId, TokenId},
    ledger::{
        AccountKind, LedgerAccountId, TransactionKind,
        key::KEY_TTL_US,
        leaf::{Position, Settled},
    },
    pricing::{Price, ReturnedValue, read_units},
    service::{Services, catalog::spec_from_json, policies::decisions::named},
    store::{
        StoreError,
        calls::{self, HoldRow, PostingRow, SettlementRow, TransactionRow},
        entity,
    },
};

/// How many refunds of one call are shown.
const REFUNDS_SHOWN: i64 = 100;
/// How many postings of one transaction are shown: a charge has as many as it has sources and shares.
const POSTINGS_SHOWN: i64 = 400;

/// Where something stands in the books.
pub type Place = Position;

/// A call as operators see it. Times are microseconds since the Unix epoch, amounts micro-credits.
#[derive(Debug, Clone, PartialEq)]
pub struct CallDetail {
    /// What a list says of it.
    pub call: ListedCall,
    /// The token that was shown, with its name.
    pub token: Option<(TokenId, String)>,
    /// Who pays.
    pub wallet: Option<LedgerAccountId>,
    /// The price that was in force.
    pub price: Option<CallPrice>,
    /// What the arguments counted that the price is by, in its order; none where it looked at none.
    pub units: Vec<Decimal>,
    /// What stood at the price's path.
    pub returned: Option<ReturnedValue>,
    /// The policy that decided: the number of a version, a hyphen, and sixteen digits for everything that decides.
    pub policy_version: String,
    /// The version of the catalog that it was decided on.
    pub catalog_version: i64,
    /// The policies that said no.
    pub denied_by: Vec<String>,
    /// What the tool wanted beyond the hold: the publisher bears it.
    pub shortfall: Credits,
    /// What was wrong with the cost that the tool returned, in words for its publisher.
    pub warning: Option<String>,
    /// Of an open hold with an unknown outcome: when its rule is followed.
    pub resolves_us: Option<i64>,
    /// On the gateway: the session, the channel and the account on it, and whether the caller owns the gateway.
    pub session_key: Option<String>,
    /// See [`Self::session_key`].
    pub channel: Option<String>,
    /// See [`Self::session_key`].
    pub channel_account: Option<String>,
    /// See [`Self::session_key`].
    pub is_owner: Option<bool>,
    /// The idempotency key, if the caller sent one.
    pub key: Option<CallKey>,
    /// What the books say.
    pub money: CallMoney,
}

/// A price version as a call was made under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPrice {
    /// Which.
    pub id: PriceVersionId,
    /// Its terms.
    pub price: Price,
}

/// An idempotency key and what is remembered of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallKey {
    /// As the caller sent it.
    pub key: String,
    /// The call that has it now; `None` if it is forgotten or was freed.
    pub holder: Option<InvocationId>,
    /// The HTTP status that repetitions are answered with, once there is one.
    pub status: Option<i64>,
    /// Until when it is remembered.
    pub until_us: Option<i64>,
}

/// What the books say of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallMoney {
    /// What was reserved. A free call has none.
    pub hold: Option<CallHold>,
    /// How that ended; `None` while it is open.
    pub settlement: Option<CallSettlement>,
    /// What was charged; `None` if that was nothing.
    pub charge: Option<CallTransaction>,
    /// What went back of it, the oldest first.
    pub refunds: Vec<CallTransaction>,
    /// How much that comes to.
    pub refunded: Credits,
    /// How much of the charge can still go back.
    pub refundable: Credits,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHold {
    /// Where it stands in the books.
    pub place: Place,
    /// When it was recorded.
    pub recorded_us: i64,
    /// How much.
    pub amount: Credits,
    /// From whose wallet.
    pub wallet: LedgerAccountId,
    /// For whom.
    pub payee: LedgerAccountId,
    /// The publisher's share of a charge, in basis points.
    pub publisher_bps: i64,
    /// The partner's share of a charge, in basis points.
    pub partner_bps: i64,
    /// What is charged if nobody settles it in time; `None`: nothing.
    pub on_expiry: Option<Credits>,
    /// What of it came from credits that expire.
    pub grants: Vec<(EntryId, Credits)>,
    /// Nobody has settled it.
    pub is_open: bool,
    /// Of an open one: when it is settled by rule; `None`: never.
    pub expires_us: Option<i64>,
}

/// The end of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSettlement {
    /// Where it stands in the books.
    pub place: Place,
    /// When it was recorded.
    pub recorded_us: i64,
    /// How.
    pub settled: Settled,
    /// How much was charged; the rest went back.
    pub captured: Credits,
}

/// A transaction of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTransaction {
    /// Which. A charge has the identifier of its call.
    pub id: EntryId,
    /// Why.
    pub kind: TransactionKind,
    /// Where it stands in the books.
    pub place: Place,
    /// When it was recorded.
    pub recorded_us: i64,
    /// Its postings in their order.
    pub postings: Vec<CallPosting>,
}

impl CallTransaction {
    /// What it moved in all.
    pub fn total(&self) -> Credits {
        Credits::checked_sum(self.postings.iter().map(|posting| posting.amount)).unwrap_or(Credits::MAX)
    }
}

/// Money that went from one account to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPosting {
    /// From where: the account's name in the chart.
    pub from: String,
    /// To where.
    pub to: String,
    /// What kind of account that is; `None` if the books have another word for it.
    pub to_kind: Option<AccountKind>,
    /// How much.
    pub amount: Credits,
}

impl Services {
    /// A call with everything that is known of it; `None` if there is none.
    ///
    /// # Errors
    /// The database cannot be read, or holds something that makes no sense.
    pub async fn find_call(&self, id: InvocationId) -> Result<Option<CallDetail>, StoreError> {
        let row = entity::invocation::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let mut wanted = wanted_of(std::slice::from_ref(&row));
        wanted.tokens.extend(row.token_id);
        let names = self.load_names(wanted).await?;
        let denied_by = row.denied_by.as_deref().unwrap_or_default();
        let token = row.token_id.map(|id| {
            let name = names.tokens.get(&id).cloned().unwrap_or_default();
            (TokenId::from(id), name)
        });
        Ok(Some(CallDetail {
            call: listed(&row, &names)?,
            token,
            wallet: row.wallet.map(LedgerAccountId::from_raw),
            price: self.find_call_price(row.price_id).await?,
            units: row.priced_units.as_deref().and_then(read_units).unwrap_or_default(),
            returned: row.returned_value.as_deref().and_then(ReturnedValue::from_text),
            catalog_version: row.snapshot_version,
            denied_by: named(denied_by).map(str::to_owned).collect(),
            shortfall: Credits::from_micros(row.shortfall),
            key: self.find_call_key(&row).await?,
            money: self.load_call_money(row.id).await?,
            policy_version: row.policy_version,
            warning: row.warning,
            resolves_us: row.resolves_us,
            session_key: row.session_key,
            channel: row.channel,
            channel_account: row.channel_account,
            is_owner: row.is_owner,
        }))
    }

    async fn find_call_price(&self, id: Option<Uuid>) -> Result<Option<CallPrice>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let row = entity::price_version::Entity::find_by_id(id).one(self.db.readers()).await?;
        // A built-in tool costs nothing by a price that no row holds.
        let Some(row) = row else { return Ok(None) };
        let broken = |what: String| StoreError::Inconsistent { table: "price_version", what };
        let spec = spec_from_json(&row.spec).map_err(broken)?;
        let id = PriceVersionId::from(row.id);
        let price = Price::from_spec(id, row.effective_from_us, &spec).map_err(|error| broken(error.to_string()))?;
        Ok(Some(CallPrice { id, price }))
    }

    async fn find_call_key(&self, row: &entity::invocation::Model) -> Result<Option<CallKey>, StoreError> {
        let (Some(scope), Some(key)) = (row.key_scope, &row.key) else { return Ok(None) };
        let known = calls::key(self.db.readers(), scope, key).await?;
        Ok(Some(CallKey {
            key: key.clone(),
            holder: known.map(|known| InvocationId::from(known.call)),
            status: known.and_then(|known| known.status),
            until_us: known.map(|known| known.created_us.saturating_add(KEY_TTL_US)),
        }))
    }

    async fn load_call_money(&self, id: Uuid) -> Result<CallMoney, StoreError> {
        let readers = self.db.readers();
        let Some(hold) = calls::hold(readers, id).await? else { return Ok(CallMoney::default()) };
        let sources = calls::sources(readers, &hold).await?;
        let mut money = CallMoney { hold: Some(hold_of(&hold, sources)), ..CallMoney::default() };
        let Some(settlement) = calls::settlement(readers, id).await? else { return Ok(money) };
        money.settlement = Some(settlement_of(&settlement)?);
        if let Some(charge) = calls::charge(readers, id, &settlement).await? {
            money.charge = Some(self.load_call_transaction(&charge).await?);
        }
        for row in calls::taken_back(readers, id, REFUNDS_SHOWN).await? {
            money.refunds.push(self.load_call_transaction(&row).await?);
        }
        let total = entity::refund_total::Entity::find_by_id(id).one(readers).await?;
        money.refunded = Credits::from_micros(total.map_or(0, |total| total.refunded));
        let captured = Credits::from_micros(settlement.captured);
        money.refundable = captured.checked_sub(money.refunded).unwrap_or_default();
        Ok(money)
    }

    async fn load_call_transaction(&self, row: &TransactionRow) -> Result<CallTransaction, StoreError> {
        let place = Position { slot: row.slot, seq: row.seq };
        let postings = calls::postings(self.db.readers(), (row.slot, row.seq), POSTINGS_SHOWN).await?;
        let kind = TransactionKind::from_raw(row.kind)
            .ok_or_else(|| StoreError::Inconsistent { table: "txn", what: format!("`kind` of {}", row.seq) })?;
        Ok(CallTransaction {
            id: EntryId::from(row.id),
            kind,
            place,
            recorded_us: row.recorded_us,
            postings: postings.into_iter().map(posting_of).collect(),
        })
    }
}

fn hold_of(row: &HoldRow, sources: Vec<(Uuid, i64)>) -> CallHold {
    let source = |(grant, amount): (Uuid, i64)| (EntryId::from(grant), Credits::from_micros(amount));
    CallHold {
        place: Position { slot: row.slot, seq: row.seq },
        recorded_us: row.recorded_us,
        amount: Credits::from_micros(row.amount),
        wallet: LedgerAccountId::from_raw(row.wallet),
        payee: LedgerAccountId::from_raw(row.payee),
        publisher_bps: row.publisher_bps,
        partner_bps: row.partner_bps,
        on_expiry: row.expiry_capture.map(Credits::from_micros),
        grants: sources.into_iter().map(source).collect(),
        is_open: row.is_open,
        expires_us: row.expires_us,
    }
}

fn settlement_of(row: &SettlementRow) -> Result<CallSettlement, StoreError> {
    let settled = Settled::from_raw(row.outcome).ok_or_else(|| StoreError::Inconsistent {
        table: "hold_resolution",
        what: format!("`outcome` of {}", row.seq),
    })?;
    Ok(CallSettlement {
        place: Position { slot: row.slot, seq: row.seq },
        recorded_us: row.recorded_us,
        settled,
        captured: Credits::from_micros(row.captured),
    })
}

fn posting_of(row: PostingRow) -> CallPosting {
    CallPosting {
        from: row.debit_code,
        to: row.credit_code,
        to_kind: AccountKind::from_raw(row.credit_kind),
        amount: Credits::from_micros(row.amount),
    }
}
