//! What a deed would do, worked out without doing it, for whoever decides.

use engine::{
    credits::Credits,
    id::{OperatorId, PriceVersionId},
    ledger::LedgerAccountId,
    operator::Role,
    policy::console::ConsoleAction,
    service::{
        accounts::GrantTerms,
        approvals::{Approval, ApprovalState, Deed},
        movements::{MovementError, Posting},
        operators::{CreateOperatorError, NewOperator, OperatorProfile},
        prices::CancelPriceError,
        purchases::PurchaseStatus,
    },
};

use crate::{
    console::{Fault, Visit},
    kit::{Block, Cell, Diff, Facts, Link, Notice, Tone, lines},
    pages::{
        movements::{adjustment_effect, payout_effect, postings_table, refund_effect},
        operators, places,
    },
    text::{said::Said as _, t, t_with},
};

/// What was asked for, in its own words.
pub(super) fn facts(deed: &Deed) -> Facts {
    let facts = Facts::new();
    match deed {
        Deed::RefundCreate { of, credits, reason } => {
            let amount = credits.map_or_else(|| Cell::text(t("approvals-all-left")), Cell::Money);
            facts
                .fact(t("approvals-charge"), Cell::id(of, format!("/admin/ledger/transactions/{of}")))
                .fact(t("approvals-amount"), amount)
                .fact(t("approvals-reason"), Cell::text(reason))
        }
        Deed::ReversalCreate { of, reason } => {
            let transaction = Cell::id(of, format!("/admin/ledger/transactions/{of}"));
            facts.fact(t("approvals-transaction"), transaction).fact(t("approvals-reason"), Cell::text(reason))
        }
        Deed::AccountAdjust { account, credits, reason } => facts
            .fact(t("approvals-account"), Cell::id(account, format!("/admin/accounts/{account}")))
            .fact(t("approvals-amount"), Cell::Money(*credits))
            .fact(t("approvals-reason"), Cell::text(reason)),
        Deed::GrantCreate { account, credits, terms, reason } => {
            let facts = facts
                .fact(t("approvals-account"), Cell::id(account, format!("/admin/accounts/{account}")))
                .fact(t("approvals-amount"), Cell::Money(*credits))
                .fact(t("approvals-reason"), Cell::text(reason));
            match terms {
                Some(GrantTerms { expires_us, priority }) => facts
                    .fact(t("approvals-grant-expires"), Cell::Time(*expires_us))
                    .fact(t("approvals-grant-priority"), Cell::Number(*priority)),
                None => facts.fact(t("approvals-grant-expires"), Cell::text(t("approvals-never"))),
            }
        }
        Deed::PartnerGrant { partner, credits, reason } => facts
            .fact(t("approvals-partner"), Cell::id(partner, format!("/admin/partners/{partner}")))
            .fact(t("approvals-amount"), Cell::Money(*credits))
            .fact(t("approvals-reason"), Cell::text(reason)),
        Deed::PayoutCreate { payee, credits, reason, .. } => {
            let amount = credits.map_or_else(|| Cell::text(t("approvals-all-left")), Cell::Money);
            facts
                .fact(t("approvals-payee"), Cell::id(payee, format!("/admin/payouts?view=paid&payee={payee}")))
                .fact(t("approvals-amount"), amount)
                .fact(t("approvals-reason"), Cell::text(reason))
        }
        Deed::PurchaseConfirm { purchase, reason } => facts
            .fact(t("approvals-purchase"), Cell::id(purchase, format!("/admin/purchases/{purchase}")))
            .fact(t("approvals-reason"), Cell::text(reason)),
        Deed::PriceCancel { price, reason, .. } => {
            facts.fact(t("approvals-price"), Cell::id(price, "")).fact(t("approvals-reason"), Cell::text(reason))
        }
        Deed::PriceSchedule { tool, from_us, reason, .. } => facts
            .fact(t("approvals-tool"), Cell::Mono(tool.clone()))
            .fact(t("approvals-from"), from(*from_us))
            .fact(t("approvals-reason"), Cell::text(reason)),
        Deed::PolicyPublish { number, .. } => facts.fact(t("approvals-policy"), version(*number)),
        Deed::OperatorCreate { email, name, roles, reason } => facts
            .fact(t("approvals-name"), Cell::text(name))
            .fact(t("approvals-email"), Cell::text(email))
            .fact(t("approvals-roles"), Cell::Mono(Role::join(roles)))
            .fact(t("approvals-reason"), Cell::text(reason)),
        Deed::OperatorReset { operator, reason } | Deed::OperatorEnable { operator, reason } => {
            facts.fact(t("approvals-operator"), whom(*operator)).fact(t("approvals-reason"), Cell::text(reason))
        }
        Deed::OperatorRoles { operator, roles, reason, .. } => facts
            .fact(t("approvals-operator"), whom(*operator))
            .fact(t("approvals-roles"), Cell::Mono(Role::join(roles)))
            .fact(t("approvals-reason"), Cell::text(reason)),
    }
}

fn whom(operator: OperatorId) -> Cell {
    Cell::id(operator, places::href(&format!("/operators/{operator}")))
}

/// When a price is to begin, as soon as possible where no time was said.
fn from(from_us: i64) -> Cell {
    if from_us > 0 { Cell::Time(from_us) } else { Cell::text(t("approvals-soon")) }
}

/// A version of the policy.
fn version(number: i64) -> Cell {
    Cell::link(number.to_string(), format!("/admin/policies/{number}"))
}

/// The way out of what was approved, where there is one in a single step: the policy that was in force before.
pub(super) async fn way_back(visit: &Visit, approval: &Approval) -> Result<Option<Link>, Fault> {
    let deed =
        (approval.state == ApprovalState::Approved).then(|| Deed::from_payload(&approval.payload).ok()).flatten();
    let Some(Deed::PolicyPublish { number, over: Some(over) }) = deed else { return Ok(None) };
    let in_force = visit.services().find_published_policy().await?.map(|(info, _)| info.number);
    let may = visit.may(ConsoleAction::PolicyRollback) && in_force == Some(number);
    let text = t_with("policies-rollback-to", &[("number", over.to_string().into())]);
    Ok(may.then(|| Link::new(text, format!("/admin/policies/{over}/rollback"))))
}

/// What is asked for, with the dry run.
pub(super) async fn effect(visit: &Visit, deed: &Deed) -> Result<Vec<Block>, Fault> {
    let mut blocks: Vec<Block> = vec![facts(deed).into()];
    blocks.extend(rehearse(visit, deed).await?);
    Ok(blocks)
}

/// What a deed would do, worked out without doing it.
///
/// # Errors
/// What it is about is gone, or the database failed.
pub(in crate::pages) async fn rehearse(visit: &Visit, deed: &Deed) -> Result<Vec<Block>, Fault> {
    Ok(match deed {
        Deed::RefundCreate { of, credits, .. } => {
            worked_out(visit.services().rehearse_refund(*of, *credits).await, |rehearsal| refund_effect(&rehearsal))?
        }
        Deed::ReversalCreate { of, .. } => {
            worked_out(visit.services().rehearse_reversal(*of).await, |postings: Vec<Posting>| {
                vec![postings_table(&postings).into()]
            })?
        }
        Deed::AccountAdjust { account, credits, .. } => {
            let profile = visit.services().find_profile(*account).await?.ok_or(Fault::NotFound)?;
            let balance = visit.services().load_balance(profile.wallet, visit.now_us).await?;
            let rehearsed = visit.services().rehearse_adjustment(*account, *credits).await;
            worked_out(rehearsed, |postings| adjustment_effect(&balance, *credits, &postings))?
        }
        Deed::GrantCreate { account, credits, .. } => {
            let Some(profile) = visit.services().find_profile(*account).await? else { return Ok(Vec::new()) };
            let facts = Facts::new().fact(t("approvals-email"), Cell::text(profile.email));
            vec![filled(visit, facts, profile.wallet, *credits).await?]
        }
        Deed::PartnerGrant { partner, credits, .. } => {
            let Some(profile) = visit.services().find_partner(*partner).await? else { return Ok(Vec::new()) };
            let facts = Facts::new().fact(t("approvals-name"), Cell::text(profile.name));
            vec![filled(visit, facts, profile.wallet, *credits).await?]
        }
        Deed::PurchaseConfirm { purchase, .. } => {
            let Some(purchase) = visit.services().find_purchase(*purchase).await? else { return Ok(Vec::new()) };
            let Some(profile) = visit.services().find_profile(purchase.account).await? else { return Ok(Vec::new()) };
            if purchase.status != PurchaseStatus::Pending {
                return Ok(vec![Notice::new(Tone::Bad, t("movements-purchase-closed")).into()]);
            }
            let facts = Facts::new()
                .fact(t("approvals-amount"), Cell::Money(purchase.credits))
                .fact(t("approvals-email"), Cell::text(profile.email));
            vec![filled(visit, facts, profile.wallet, purchase.credits).await?]
        }
        Deed::PayoutCreate { payee, credits, .. } => {
            let rehearsed = match visit.services().find_payee(payee).await {
                Ok(payee) => visit.services().rehearse_payout(&payee, *credits).await,
                Err(error) => Err(error),
            };
            worked_out(rehearsed, |rehearsal| payout_effect(&rehearsal))?
        }
        Deed::PriceCancel { price, instead, .. } => cancel_diff(visit, *price, *instead).await?,
        Deed::PriceSchedule { tool, spec, from_us, over, .. } => {
            price_diff(visit, (tool, spec), (*from_us, *over)).await?
        }
        Deed::PolicyPublish { number, over } => policy_diff(visit, *number, *over).await?,
        Deed::OperatorCreate { email, name, roles, .. } => {
            let new = NewOperator { email, name, roles };
            match visit.services().check_new_operator(&new).await {
                Ok(()) => vec![Notice::new(Tone::Warn, t("approvals-link-yours")).into()],
                Err(CreateOperatorError::Store(error)) => return Err(error.into()),
                Err(error) => vec![Notice::new(Tone::Bad, error.said()).into()],
            }
        }
        Deed::OperatorReset { operator, .. }
        | Deed::OperatorEnable { operator, .. }
        | Deed::OperatorRoles { operator, .. } => {
            let Some(profile) = visit.services().find_operator(*operator).await? else { return Ok(Vec::new()) };
            operator_effect(deed, &profile)
        }
    })
}

/// Who it is about, as they are now, and what it comes to.
fn operator_effect(deed: &Deed, operator: &OperatorProfile) -> Vec<Block> {
    let facts = Facts::new()
        .fact(t("approvals-name"), Cell::text(&operator.name))
        .fact(t("approvals-state"), operators::state(operator))
        .fact(t("approvals-roles-now"), Cell::Mono(Role::join(&operator.roles)));
    let bad = |key: &str| Some(Notice::new(Tone::Bad, t(key)));
    let (facts, notice) = match deed {
        Deed::OperatorReset { .. } if operator.is_disabled => (facts, bad("operators-link-disabled")),
        Deed::OperatorReset { .. } => (facts, Some(Notice::new(Tone::Warn, t("approvals-link-yours")))),
        Deed::OperatorEnable { .. } if !operator.is_disabled => (facts, bad("operators-enabled-already")),
        Deed::OperatorRoles { roles, over, .. } => {
            let is_stale = over.as_ref().is_some_and(|seen| Role::join(seen) != Role::join(&operator.roles));
            let facts = facts.fact(t("approvals-roles-then"), Cell::Mono(Role::join(roles)));
            (facts, if is_stale { bad("approvals-roles-stale") } else { None })
        }
        _ => (facts, None),
    };
    notice.map(Block::from).into_iter().chain([facts.into()]).collect()
}

/// What is in a wallet before and after so much comes in, behind `facts`.
async fn filled(visit: &Visit, facts: Facts, wallet: LedgerAccountId, credits: Credits) -> Result<Block, Fault> {
    let available = visit.services().load_balance(wallet, visit.now_us).await?.available();
    let after = available.checked_add(credits).unwrap_or(Credits::MAX);
    let facts = facts
        .fact(t("approvals-available"), Cell::Money(available))
        .fact(t("approvals-available-after"), Cell::Money(after));
    Ok(facts.into())
}

/// What a rehearsal has come to, or why it would be refused as things stand.
fn worked_out<T>(rehearsed: Result<T, MovementError>, show: impl FnOnce(T) -> Vec<Block>) -> Result<Vec<Block>, Fault> {
    match rehearsed {
        Ok(come_to) => Ok(show(come_to)),
        Err(MovementError::Store(error)) => Err(error.into()),
        Err(error) => Ok(vec![Notice::new(Tone::Bad, error.said()).into()]),
    }
}

/// The price that it takes the place of beside it. One whose time has passed begins as soon as it is approved.
async fn price_diff(
    visit: &Visit,
    (tool, spec): (&str, &str),
    (from_us, over): (i64, Option<PriceVersionId>),
) -> Result<Vec<Block>, Fault> {
    let standing = visit.services().find_standing_price(tool, from_us.max(visit.now_us)).await?;
    let mut blocks: Vec<Block> = Vec::new();
    if over.is_some() && over != standing.as_ref().map(|standing| standing.id) {
        blocks.push(Notice::new(Tone::Bad, t("approvals-price-stale")).into());
    } else if (1..=visit.now_us).contains(&from_us) {
        blocks.push(Notice::new(Tone::Warn, t("approvals-price-late")).into());
    }
    let before = standing.as_ref().map_or("{}", |standing| &standing.spec);
    let lines = lines::compare(&pretty(before), &pretty(spec));
    blocks.push(Diff { caption: t("approvals-price-diff"), lines }.into());
    Ok(blocks)
}

/// A price that would be taken back, and the one that is in force instead.
async fn cancel_diff(
    visit: &Visit,
    price: PriceVersionId,
    instead: Option<PriceVersionId>,
) -> Result<Vec<Block>, Fault> {
    let Some(version) = visit.services().find_price(price).await? else { return Ok(Vec::new()) };
    let planned = match visit.services().plan_price_cancel(price).await {
        Ok(planned) => planned,
        Err(CancelPriceError::Store(error)) => return Err(error.into()),
        Err(error) => return Ok(vec![Notice::new(Tone::Bad, error.said()).into()]),
    };
    let now = planned.instead.as_ref().map(|instead| instead.id);
    let stale = instead.is_some() && instead != now;
    let stale = stale.then(|| Notice::new(Tone::Bad, t("approvals-price-stale")).into());
    let facts = Facts::new().fact(t("approvals-from"), Cell::Time(version.effective_from_us));
    let after = planned.instead.as_ref().map_or("{}", |instead| &instead.spec);
    let lines = lines::compare(&pretty(&version.spec), &pretty(after));
    let diff = Diff { caption: t("approvals-price-cancel-diff"), lines };
    Ok(stale.into_iter().chain([facts.into(), diff.into()]).collect())
}

async fn policy_diff(visit: &Visit, number: i64, over: Option<i64>) -> Result<Vec<Block>, Fault> {
    let Some((info, policy)) = visit.services().find_policy(number).await? else {
        return Ok(vec![Notice::new(Tone::Bad, t("approvals-policy-missing")).into()]);
    };
    let in_force = visit.services().find_published_policy().await?;
    let written = |value: serde_json::Value| serde_json::to_string_pretty(&value).unwrap_or_default();
    let before = in_force.as_ref().map(|(_, policy)| written(policy.to_value())).unwrap_or_default();
    let now = in_force.as_ref().map(|(info, _)| info.number);
    let stale = over.filter(|seen| now != Some(*seen));
    let stale = stale.map(|seen| t_with("approvals-policy-stale", &[("number", seen.to_string().into())]));
    let facts = Facts::new()
        .fact(t("approvals-policy-author"), Cell::text(info.author))
        .fact(t("approvals-policy-note"), Cell::text(info.note))
        .fact(t("approvals-policy-in-force"), now.map_or(Cell::None, version));
    let lines = lines::compare(&before, &written(policy.to_value()));
    let stale = stale.map(|text| Notice::new(Tone::Bad, text).into());
    let diff = Diff { caption: t("approvals-policy-diff"), lines };
    Ok(stale.into_iter().chain([facts.into(), diff.into()]).collect())
}

/// JSON over several lines; anything else as it is.
fn pretty(text: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}
