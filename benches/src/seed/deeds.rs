//! What people do beside the calls: purchases and their mail, disputes, refunds, requests for approval, payouts.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, EntryId, OperatorId, PurchaseId},
    operator::Role,
    service::{
        Services,
        access::Owner,
        approvals::Deed,
        movements::{Note, PayeeKind},
        operators::NewOperator,
        purchases::Provider,
    },
};

use super::world::World;
use crate::failure::{Context as _, Failure, Outcome};

const MICRO: i64 = 1_000_000;
const NOTE: Note<'static> = Note { reason: "seeded", key: None };

/// How far they are.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    /// Charges that go back with the next wave.
    pub(super) refund: Vec<EntryId>,
    purchases: usize,
    refunds: usize,
    author: Option<OperatorId>,
}

impl Deeds {
    /// Those of wave `wave` of `waves`: in all of them together one purchase for every two accounts, and what was noted to
    /// go back.
    pub(super) async fn carry_out(
        &mut self,
        services: &Services,
        world: &World,
        (wave, waves): (u64, u64),
    ) -> Outcome<()> {
        let by = OpContext::system();
        let all = u128::from(u64::try_from(world.accounts.len() >> 1).unwrap_or(u64::MAX));
        let due = all.saturating_mul(u128::from(wave).saturating_add(1)).checked_div(u128::from(waves)).unwrap_or(0);
        while u128::from(u64::try_from(self.purchases).unwrap_or(u64::MAX)) < due {
            let number = self.purchases;
            self.purchases = self.purchases.saturating_add(1);
            let account = world.accounts.get(number).and_then(|principal| account_of(&principal.owner));
            buy(services, &by, account.ok_or_else(|| Failure::new("no account"))?, number).await?;
        }
        for charge in std::mem::take(&mut self.refund) {
            self.refunds = self.refunds.saturating_add(1);
            // every tenth waits for somebody to approve it
            if self.refunds.is_multiple_of(10) {
                self.ask(services, &by, charge).await?;
            } else {
                services.refund(&by, charge, None, NOTE).await.context(|| "a refund".to_owned())?;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, services: &Services, by: &OpContext, of: EntryId) -> Outcome<()> {
        let author = if let Some(author) = self.author {
            author
        } else {
            let new = NewOperator { email: "asks@example.com", name: "Asks", roles: &[Role::Support] };
            let made = services.create_operator(by, new).await.context(|| "an operator".to_owned())?;
            *self.author.insert(made.operator.id)
        };
        let deed = Deed::RefundCreate { of, credits: None, reason: "seeded".to_owned() };
        let asked = services.request_deed(by, author, &deed, "seeded", None).await;
        asked.map(drop).context(|| "a request".to_owned())
    }

    /// Pays every publisher half of what it has earned.
    pub(super) async fn finish(&self, services: &Services) -> Outcome<()> {
        let by = OpContext::system();
        let payees = services.list_payees(PayeeKind::Publishers, None).await.context(|| "payees".to_owned())?;
        for payee in payees.rows {
            let half = Credits::from_micros(payee.due().micros() >> 1);
            if half > Credits::ZERO {
                services.pay_out(&by, &payee.payee, Some(half), NOTE).await.context(|| "a payout".to_owned())?;
            }
        }
        Ok(())
    }
}

fn account_of(owner: &Owner) -> Option<AccountId> {
    match owner {
        Owner::Account(account) => Some(account.id),
        Owner::Partner(_) => None,
    }
}

/// Of twenty purchases one stays open, one fails, the others are paid; of those every fiftieth is disputed.
async fn buy(services: &Services, by: &OpContext, account: AccountId, number: usize) -> Outcome<()> {
    let credits = Credits::from_micros(500 * MICRO);
    let bought = services.purchase(by, account, credits, Provider::Manual, None).await;
    let id: PurchaseId = bought.context(|| "a purchase".to_owned())?.id;
    match number % 20 {
        0 => return Ok(()),
        1 => services.fail_purchase(by, id, "seeded").await.map(drop).context(|| "a failure".to_owned())?,
        _ => services.confirm_purchase(by, id, None).await.map(drop).context(|| "a payment".to_owned())?,
    }
    if number % 50 == 2 {
        services.open_chargeback(by, id, None, NOTE).await.context(|| "a dispute".to_owned())?;
    }
    send_mail(services).await
}

async fn send_mail(services: &Services) -> Outcome<()> {
    let now_us = services.clock.now_us();
    for mail in services.list_due_mail(now_us).await.context(|| "mail".to_owned())? {
        services.mark_mail_sent(&mail, now_us).await.context(|| "mail".to_owned())?;
    }
    Ok(())
}
