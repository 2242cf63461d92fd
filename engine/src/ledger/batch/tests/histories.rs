//! Random histories: the decision and the reference model say the same, and what must always hold holds after every
//! step. A failure names the seed and the step.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::testing::{History, Model, Step, Sums};

/// Long enough for holds to expire, keys to be met again and an account to be closed.
const STEPS: usize = 300;

/// How many histories a run plays: by default 200, with `TESTS_EXTENT=long` enough for a million steps.
#[expect(clippy::disallowed_methods, reason = "a switch of the test run; the harness of `tests/` reads the same one")]
fn seeds() -> u64 {
    match std::env::var("TESTS_EXTENT").as_deref() {
        Ok("long") => 3_400,
        Ok("default" | "") | Err(_) => 200,
        Ok(other) => panic!("TESTS_EXTENT is `{other}`; it can be `default` or `long`"),
    }
}

/// Both ledgers, and what was written so far.
struct Pair {
    world: World,
    facts: Facts,
    model: Model,
    epoch: i64,
    hot: BTreeMap<LedgerAccountId, (i128, i128)>,
    ended: BTreeSet<EntryId>,
    transactions: usize,
    postings: usize,
    /// How many parts of holds were taken from grants.
    drained: usize,
}

impl Pair {
    fn new(world: &World) -> Self {
        Self {
            world: world.clone(),
            facts: facts(),
            model: Model::new(world),
            epoch: 1,
            hot: BTreeMap::new(),
            ended: BTreeSet::new(),
            transactions: 0,
            postings: 0,
            drained: 0,
        }
    }

    /// One batch with these steps; `is_swept` as the writer does it before anything else.
    fn play(&mut self, steps: &[Step], now_us: i64, is_swept: bool, at: &str) {
        let mut batch = Batch::new(&mut self.facts, now_us, self.epoch);
        if is_swept {
            batch.recover(usize::MAX).unwrap();
            batch.sweep(usize::MAX).unwrap();
            self.model.recover(self.epoch);
            self.model.sweep(now_us);
        }
        for step in steps {
            match step {
                Step::Post(post) => assert_eq!(batch.post(post), self.model.post(post, now_us), "{at}: {step:?}"),
                Step::Hold(hold) => assert_eq!(batch.hold(hold), self.model.hold(hold, now_us), "{at}: {step:?}"),
                Step::Settle(settle) => {
                    assert_eq!(batch.settle(settle), self.model.settle(settle, now_us), "{at}: {step:?}");
                }
                Step::Begin(begin) => {
                    assert_eq!(batch.begin(begin), self.model.begin(begin, self.epoch, now_us), "{at}: {step:?}");
                }
                Step::Finish(finish) => {
                    assert_eq!(batch.finish(finish), self.model.finish(finish, now_us), "{at}: {step:?}");
                }
                Step::Give(give) => {
                    assert_eq!(batch.give(give), self.model.give(give, now_us), "{at}: {step:?}");
                }
                Step::Advance(_) | Step::Close(_) | Step::Restart => panic!("{at}: not a request: {step:?}"),
            }
            check_wallets(batch.facts(), &self.world, &self.model, &format!("{at}: after {step:?}"));
        }
        let plan = batch.into_plan();
        self.write_down(&plan, at);
        self.check(at);
    }

    fn write_down(&mut self, plan: &Plan, at: &str) {
        for (id, delta) in &plan.hot {
            assert!(delta.credits >= 0 && delta.debits >= 0, "{at}: {id} {delta:?}");
            let sums = self.hot.entry(*id).or_default();
            *sums = (sums.0 + i128::from(delta.credits), sums.1 + i128::from(delta.debits));
        }
        for entry in &plan.entries {
            match entry {
                Entry::Settlement(settlement) => {
                    assert!(self.ended.insert(settlement.hold), "{at}: {} ended twice", settlement.hold);
                }
                Entry::Transaction(transaction) => {
                    self.transactions += 1;
                    self.postings += transaction.legs.len();
                    let is_sound = |leg: &Leg| leg.amount > Credits::ZERO && leg.debit != leg.credit;
                    assert!(transaction.legs.iter().all(is_sound), "{at}: {transaction:?}");
                }
                Entry::Hold(hold) => self.drained += hold.sources.len(),
                Entry::Grant(_) | Entry::Refusal(_) => {}
                Entry::Close(close) => panic!("{at}: {close:?}"),
            }
        }
    }

    fn check(&self, at: &str) {
        assert_eq!(self.ended.len(), self.model.ended_holds(), "{at}: ended holds");
        assert_eq!(self.transactions, self.model.transactions(), "{at}: transactions");
        assert_eq!(self.postings, self.model.postings(), "{at}: postings");
        let open: BTreeSet<_> = self.facts.holds.keys().copied().collect();
        assert_eq!(open, self.model.open_holds().into_iter().collect(), "{at}: open holds");
        assert!(open.is_disjoint(&self.ended), "{at}: a hold is open and ended");
        let calls: BTreeSet<_> = self.facts.calls.keys().copied().collect();
        assert_eq!(calls, self.model.open_calls().into_iter().collect(), "{at}: open calls");
        let keys: HashMap<_, _> = self.model.keys().iter().cloned().collect();
        assert_eq!(self.facts.keys, keys, "{at}: keys");
        for (key, counter) in &self.facts.counters {
            let sums = self.model.counter(*key);
            assert_eq!((counter.spent.into(), counter.held.into()), (sums.spent, sums.held), "{at}: {key:?}");
        }
        let mut grants = self.model.open_grants();
        for wallet in self.world.wallets.iter().map(|(id, _)| *id) {
            let (of_wallet, others): (Vec<_>, Vec<_>) = grants.into_iter().partition(|grant| grant.wallet == wallet);
            let mut found: Vec<_> = self.facts.grants.of(wallet).iter().map(|grant| grant.0).collect();
            assert!(found.is_sorted_by_key(|grant| OpenGrant(*grant).order()), "{at}: {found:?}");
            found.sort_by_key(|grant| grant.account);
            assert_eq!(found, of_wallet, "{at}: grants of {wallet}");
            grants = others;
        }
        assert_eq!(grants, [], "{at}: grants of nobody");
        self.check_conservation(at);
    }

    /// Nothing is made and nothing is lost: all credits are all debits.
    fn check_conservation(&self, at: &str) {
        let wallets = self.facts.wallets.values().map(|wallet| (wallet.credits.into(), wallet.debits.into()));
        let (credits, debits) = wallets
            .chain(self.hot.values().copied())
            .fold((0_i128, 0_i128), |sum, (credits, debits)| (sum.0 + credits, sum.1 + debits));
        assert_eq!(credits, debits, "{at}: credits and debits");
        for (id, kind) in self.world.accounts().into_iter().filter(|(_, kind)| !kind.is_limited()) {
            let Sums { credits, debits, held } = self.model.sums(id);
            assert_eq!(self.hot.get(&id).copied().unwrap_or_default(), (credits, debits), "{at}: {id} {kind:?}");
            assert_eq!(held, 0, "{at}: a hold on {id}");
        }
    }
}

fn check_wallets(facts: &Facts, world: &World, model: &Model, at: &str) {
    let granted = model.grant_accounts();
    for (id, overdraft) in world.wallets.iter().copied().chain(granted.into_iter().map(|account| (account, 0))) {
        let (id, overdraft) = (&id, &overdraft);
        let wallet = facts.wallets[id];
        let sums = model.sums(*id);
        let found = Sums { credits: wallet.credits.into(), debits: wallet.debits.into(), held: wallet.held.into() };
        assert_eq!(found, sums, "{at}: {id}");
        assert!(sums.credits - sums.debits - sums.held + i128::from(*overdraft) >= 0, "{at}: {id} is below zero");
    }
}

/// Plays the history of `seed`. Returns how many of its steps were requests.
fn play(seed: u64) -> (usize, usize) {
    let world = World::standard();
    let mut pair = Pair::new(&world);
    let mut history = History::new(seed, world, NOW_US);
    let (mut requests, mut waiting) = (0, Vec::new());
    for step_no in 0..STEPS {
        let at = format!("seed {seed}, step {step_no}");
        let now_us = history.now_us();
        let step = history.next_step();
        match step {
            Step::Advance(_) | Step::Close(_) | Step::Restart => {
                pair.play(&std::mem::take(&mut waiting), now_us, true, &at);
                match step {
                    Step::Close(id) => {
                        close(&mut pair.facts, id);
                        pair.model.close(id);
                    }
                    Step::Restart => pair.epoch += 1,
                    _ => {}
                }
            }
            Step::Give(ref give) => {
                requests += 1;
                pair.play(&std::mem::take(&mut waiting), now_us, true, &at);
                pair.facts.accounts.insert(give.account, AccountFacts { kind: AccountKind::Grant, is_closed: false });
                pair.facts.wallets.insert(give.account, Wallet::default());
                pair.play(&[step.clone()], now_us, false, &at);
                if pair.facts.grants.find(give.account).is_none() {
                    pair.facts.accounts.remove(&give.account);
                    pair.facts.wallets.remove(&give.account);
                }
            }
            // Now and then a settlement meets a hold whose time is over and that nobody has swept.
            Step::Settle(_) if waiting.is_empty() && step_no % 2 == 0 => {
                requests += 1;
                pair.play(&[step], now_us, false, &at);
            }
            request => {
                requests += 1;
                waiting.push(request);
                if waiting.len() > step_no % 7 {
                    pair.play(&std::mem::take(&mut waiting), now_us, true, &at);
                }
            }
        }
    }
    (requests, pair.drained)
}

#[test]
fn the_decision_agrees_with_the_reference_model_on_random_histories() {
    let seeds = seeds();
    let played = (0..seeds).map(play);
    let (requests, drained) = played.fold((0, 0), |sum, (requests, drained)| (sum.0 + requests, sum.1 + drained));
    println!("{seeds} histories, {requests} requests, {drained} parts of holds taken from grants");
    assert!(drained > STEPS / 10, "hardly any hold took from a grant");
    assert!(requests > STEPS / 2, "the histories hold hardly any requests");
}

/// A history in which everything is refused would prove nothing: every answer must be met.
#[test]
fn random_histories_meet_every_answer() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..60 {
        let world = World::standard();
        let (mut model, mut epoch) = (Model::new(&world), 1);
        let mut history = History::new(seed, world, NOW_US);
        for _ in 0..STEPS {
            let now_us = history.now_us();
            let step = history.next_step();
            model.sweep(now_us);
            let answer = match &step {
                Step::Post(post) => word(model.post(post, now_us)),
                Step::Give(give) => match model.give(give, now_us) {
                    Ok(_) => "given",
                    Err(_) => "not given",
                },
                Step::Hold(hold) => word(model.hold(hold, now_us)),
                Step::Settle(settle) => word(model.settle(settle, now_us)),
                Step::Begin(begin) => begun_word(&model.begin(begin, epoch, now_us)),
                Step::Finish(finish) => match model.finish(finish, now_us) {
                    Ok(Ended { is_too_late: true, .. }) => "finished too late",
                    Ok(_) => "finished",
                    Err(_) => "not finished",
                },
                Step::Close(id) => {
                    model.close(*id);
                    "closed"
                }
                Step::Restart => {
                    epoch += 1;
                    model.recover(epoch);
                    "restarted"
                }
                Step::Advance(_) => "advanced",
            };
            *met.entry(answer).or_default() += 1;
        }
    }
    let expected = [
        "posted",
        "held",
        "captured",
        "released",
        "exists",
        "exists_different_operation",
        "exists_different_hold",
        "exists_different_debit_account",
        "exists_different_credit_account",
        "exists_different_amount",
        "exists_different_ttl",
        "exists_different_metadata",
        "out_of_range",
        "same_account",
        "unknown_account",
        "hold_not_found",
        "not_a_hold",
        "hold_has_different_debit_account",
        "hold_has_different_credit_account",
        "exceeds_hold_amount",
        "release_is_partial",
        "already_captured",
        "already_released",
        "hold_expired",
        "account_closed",
        "insufficient_funds",
        "cap_reached",
        "go",
        "refused",
        "replay",
        "outcome unknown",
        "in flight",
        "reused",
        "finished",
        "finished too late",
        "not finished",
        "given",
        "not given",
        "closed",
        "restarted",
        "advanced",
    ];
    let missing: Vec<_> = expected.iter().filter(|word| !met.contains_key(*word)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}; met: {met:?}");
}

fn word(answer: Result<Done, Refusal>) -> &'static str {
    match answer {
        Ok(Done::Posted) => "posted",
        Ok(Done::Held) => "held",
        Ok(Done::Settled { settled, .. }) => settled.as_str(),
        Ok(Done::Exists) => "exists",
        Err(refusal) => refusal.as_str(),
    }
}

fn begun_word(begun: &Begun) -> &'static str {
    match begun {
        Begun::Go => "go",
        Begun::Refused { .. } => "refused",
        Begun::Key(KeyVerdict::Fresh) => "fresh",
        Begun::Key(KeyVerdict::Replay { .. }) => "replay",
        Begun::Key(KeyVerdict::OutcomeUnknown { .. }) => "outcome unknown",
        Begun::Key(KeyVerdict::InFlight { .. }) => "in flight",
        Begun::Key(KeyVerdict::Reused { .. }) => "reused",
    }
}
