//! Money that has moved before, as operators correct, refund, dispute and pay it.

use engine::{
    audit::OpContext,
    credits::{Credits, CreditsError},
    id::{EntryId, InvalidId, InvocationId},
    ledger::LedgerAccountId,
    service::{
        Services,
        movements::{Chargeback, ChargebackState, MovementError, Note, PaidOut, Refunded},
    },
};
use serde::{Deserialize, Serialize};

use super::{Amount, Done, NotDone, done, find_account, parse_credits};

/// What is to be done with money.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Correct a wallet.
    Adjust {
        /// The account's identifier or address.
        account: String,
        /// How many to put in, or with a minus to take out, as decimal text.
        credits: String,
    },
    /// Give a charge back.
    Refund {
        /// The call's identifier, or that of a charge.
        of: String,
        /// How many, as decimal text; none: all that is left.
        credits: Option<String>,
    },
    /// A payment is disputed.
    ChargebackOpen {
        /// The purchase's identifier.
        purchase: String,
        /// How many, as decimal text; none: all that is left.
        credits: Option<String>,
    },
    /// A disputed payment stays.
    ChargebackWon {
        /// The purchase's identifier.
        purchase: String,
    },
    /// A disputed payment is gone.
    ChargebackLost {
        /// The purchase's identifier.
        purchase: String,
    },
    /// Pay a publisher or a partner.
    Payout {
        /// The publisher's slug or identifier, or the partner's identifier.
        payee: String,
        /// How many, as decimal text; none: all that is payable.
        credits: Option<String>,
    },
}

impl Order {
    /// What logs and messages call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adjust { .. } => "account adjust",
            Self::Refund { .. } => "refund",
            Self::ChargebackOpen { .. } => "chargeback open",
            Self::ChargebackWon { .. } => "chargeback won",
            Self::ChargebackLost { .. } => "chargeback lost",
            Self::Payout { .. } => "payout",
        }
    }
}

#[derive(Serialize)]
struct AdjustmentView<'a> {
    adjustment: String,
    account: String,
    email: &'a str,
    credits: Amount,
    reason: &'a str,
    key: Option<&'a str>,
    replayed: bool,
    available: Amount,
}

#[derive(Serialize)]
struct RefundView<'a> {
    refund: String,
    of: &'a str,
    credits: Amount,
    publisher: Amount,
    publisher_owes: Amount,
    partner: Amount,
    platform: Amount,
    charged: Amount,
    refunded: Amount,
    refundable: Amount,
    reason: &'a str,
    key: Option<&'a str>,
    replayed: bool,
    available: Amount,
}

#[derive(Serialize)]
struct ChargebackView<'a> {
    chargeback: String,
    purchase: &'a str,
    state: &'static str,
    credits: Amount,
    held: Amount,
    missing: Amount,
    taken: Amount,
    loss: Amount,
    reason: &'a str,
    key: Option<&'a str>,
    replayed: bool,
    available: Amount,
}

#[derive(Serialize)]
struct StatementView {
    opening: Amount,
    earned: Amount,
    taken_back: Amount,
    netted: Amount,
    paid: Amount,
    closing: Amount,
    owed: Amount,
}

#[derive(Serialize)]
struct PayoutView<'a> {
    payout: String,
    payee: &'a str,
    name: &'a str,
    credits: Amount,
    statement: StatementView,
    reason: &'a str,
    key: Option<&'a str>,
    replayed: bool,
}

impl From<MovementError> for NotDone {
    fn from(error: MovementError) -> Self {
        match error {
            MovementError::Store(error) => error.into(),
            other => Self::refused(other),
        }
    }
}

/// Carries out an order.
///
/// # Errors
/// It was refused, its arguments make no sense, or the database failed. Nothing was changed.
pub(super) async fn execute(
    services: &Services,
    by: &OpContext,
    order: &Order,
    note: Note<'_>,
) -> Result<Done, NotDone> {
    match order {
        Order::Adjust { account, credits } => adjust(services, by, (account, credits), note).await,
        Order::Refund { of, credits } => {
            let refunded = services.refund(by, charge(of)?, parse(credits.as_deref())?, note).await;
            refund_done(services, of, &refunded.map_err(|error| about(of, error))?, note).await
        }
        Order::ChargebackOpen { purchase, credits } => {
            let opened = services.open_chargeback(by, parse_id(purchase)?, parse(credits.as_deref())?, note).await;
            chargeback_done(services, purchase, opened, note).await
        }
        Order::ChargebackWon { purchase } => {
            let won = services.win_chargeback(by, parse_id(purchase)?, note).await;
            chargeback_done(services, purchase, won, note).await
        }
        Order::ChargebackLost { purchase } => {
            let lost = services.lose_chargeback(by, parse_id(purchase)?, note).await;
            chargeback_done(services, purchase, lost, note).await
        }
        Order::Payout { payee, credits } => {
            let credits = parse(credits.as_deref())?;
            let to = services.find_payee(payee).await.map_err(|error| about(payee, error))?;
            let paid = services.pay_out(by, &to, credits, note).await.map_err(|error| about(payee, error))?;
            payout_done(&to.id, &to.name, &paid, note)
        }
    }
}

/// Says in front of a refusal what it is about.
fn about(what: &str, error: MovementError) -> NotDone {
    match error {
        MovementError::Store(error) => error.into(),
        other => NotDone::refused(format!("`{what}`: {other}")),
    }
}

fn parse(credits: Option<&str>) -> Result<Option<Credits>, NotDone> {
    credits.map(|text| parse_credits("credits", text)).transpose()
}

fn parse_id<T: std::str::FromStr<Err = InvalidId>>(text: &str) -> Result<T, NotDone> {
    text.parse().map_err(NotDone::refused)
}

/// A call's charge has the call's identifier.
fn charge(text: &str) -> Result<EntryId, NotDone> {
    match text.parse::<EntryId>() {
        Ok(id) => Ok(id),
        Err(_) => parse_id::<InvocationId>(text).map(EntryId::from),
    }
}

async fn available(services: &Services, wallet: LedgerAccountId) -> Result<Credits, NotDone> {
    Ok(services.load_balance(wallet, services.clock.now_us()).await?.available())
}

async fn adjust(
    services: &Services,
    by: &OpContext,
    (account, credits): (&str, &str),
    note: Note<'_>,
) -> Result<Done, NotDone> {
    let amount = Credits::parse_exact(credits);
    let amount = amount.map_err(|error: CreditsError| NotDone::refused(format!("`credits` {error}: `{credits}`")))?;
    let profile = find_account(services, account).await?;
    let adjusted = services.adjust(by, profile.id, amount, note).await?;
    let available = available(services, adjusted.wallet).await?;
    let view = AdjustmentView {
        adjustment: adjusted.id.to_string(),
        account: profile.id.to_string(),
        email: &profile.email,
        credits: Amount(amount),
        reason: note.reason,
        key: note.key,
        replayed: adjusted.is_replay,
        available: Amount(available),
    };
    let line = if adjusted.is_replay {
        format!("this key adjusted {} by {amount} credits before: nothing was changed", profile.email)
    } else {
        format!("adjusted {} by {amount} credits, who has {available}", profile.email)
    };
    done(&view, vec![line])
}

async fn refund_done(services: &Services, of: &str, refunded: &Refunded, note: Note<'_>) -> Result<Done, NotDone> {
    let available = match refunded.wallet {
        Some(wallet) => available(services, wallet).await?,
        None => Credits::ZERO,
    };
    let refundable = refunded.charged.checked_sub(refunded.refunded).unwrap_or_default();
    let view = RefundView {
        refund: refunded.id.to_string(),
        of,
        credits: Amount(refunded.credits),
        publisher: Amount(refunded.publisher),
        publisher_owes: Amount(refunded.owed),
        partner: Amount(refunded.partner),
        platform: Amount(refunded.platform),
        charged: Amount(refunded.charged),
        refunded: Amount(refunded.refunded),
        refundable: Amount(refundable),
        reason: note.reason,
        key: note.key,
        replayed: refunded.is_replay,
        available: Amount(available),
    };
    let (credits, charged) = (refunded.credits, refunded.charged);
    let mut lines = vec![if refunded.is_replay {
        format!("this key refunded {credits} credits of {of} before: nothing was changed")
    } else {
        format!("refunded {credits} credits of the {charged} of {of}; {refundable} can still be refunded")
    }];
    lines.push(format!(
        "publisher {}, partner {}, platform {}",
        refunded.publisher, refunded.partner, refunded.platform
    ));
    if refunded.owed > Credits::ZERO {
        lines.push(format!("the publisher owes {}: it had been paid out", refunded.owed));
    }
    done(&view, lines)
}

async fn chargeback_done(
    services: &Services,
    purchase: &str,
    chargeback: Result<Chargeback, MovementError>,
    note: Note<'_>,
) -> Result<Done, NotDone> {
    let chargeback = chargeback.map_err(|error| about(purchase, error))?;
    let available = available(services, chargeback.wallet).await?;
    let missing = chargeback.credits.checked_sub(chargeback.held).unwrap_or_default();
    let view = ChargebackView {
        chargeback: chargeback.id.to_string(),
        purchase,
        state: chargeback.state.as_str(),
        credits: Amount(chargeback.credits),
        held: Amount(chargeback.held),
        missing: Amount(missing),
        taken: Amount(chargeback.taken),
        loss: Amount(chargeback.loss),
        reason: note.reason,
        key: note.key,
        replayed: chargeback.is_replay,
        available: Amount(available),
    };
    let Chargeback { credits, held, taken, loss, .. } = chargeback;
    let line = match chargeback.state {
        ChargebackState::Open => {
            format!("{credits} credits of {purchase} are disputed: {held} are held, {missing} are not there any more")
        }
        ChargebackState::Won => format!("{held} credits of {purchase} are the customer's again, who has {available}"),
        ChargebackState::Lost => {
            format!("{credits} credits of {purchase} are gone: {taken} came from the wallet, {loss} are lost")
        }
    };
    let mut lines = vec![line];
    if chargeback.is_replay {
        lines.push("this key did that before: nothing was changed".to_owned());
    }
    done(&view, lines)
}

fn payout_done(payee: &str, name: &str, paid: &PaidOut, note: Note<'_>) -> Result<Done, NotDone> {
    let statement = StatementView {
        opening: Amount(paid.opening),
        earned: Amount(paid.earned),
        taken_back: Amount(paid.taken_back),
        netted: Amount(paid.netted),
        paid: Amount(paid.paid),
        closing: Amount(paid.closing),
        owed: Amount(paid.owed),
    };
    let view = PayoutView {
        payout: paid.id.to_string(),
        payee,
        name,
        credits: Amount(paid.paid),
        statement,
        reason: note.reason,
        key: note.key,
        replayed: paid.is_replay,
    };
    let first = if paid.is_replay {
        format!("this key paid {} credits to {name} before: nothing was changed", paid.paid)
    } else {
        format!("paid {} credits to {name}", paid.paid)
    };
    let lines = vec![
        first,
        format!("payable before {}, earned {}, taken back {}", paid.opening, paid.earned, paid.taken_back),
        format!(
            "kept for a debt {}, paid {}, still payable {}, owed {}",
            paid.netted, paid.paid, paid.closing, paid.owed
        ),
    ];
    done(&view, lines)
}
