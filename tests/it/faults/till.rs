//! A client that buys under idempotency keys and does not rest until it knows how each purchase ended.

use std::{
    io,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
};

use engine::testing::Dice;
use serde_json::{Value, json};
use tests::{connection::Caller, patience::wait_until};

use super::market::{ATTEMPT_MICROS, Buyer, FIXED_MICROS, micros};

/// A call under a key of its own.
#[derive(Debug)]
pub(super) struct Purchase {
    pub(super) key: String,
    pub(super) buyer: Buyer,
    /// The run of the program whose end broke its first sending off.
    pub(super) cut: Option<usize>,
    /// What the upstream answers if it is asked.
    pub(super) status: u16,
    /// What that costs, in micro-credits.
    pub(super) cost: i64,
    tool: &'static str,
    arguments: Value,
    pub(super) told: Option<Told>,
}

/// The final answer to a purchase.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) invocation: String,
    /// In micro-credits.
    pub(super) charged: i64,
    pub(super) answer: Final,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Final {
    /// The upstream answered, with this status; the body as it came.
    Answered(u16, String),
    /// Nobody knows; settled by rule into this state.
    Unknown(String),
}

impl Purchase {
    fn new(key: String, buyer: Buyer, dice: &mut Dice) -> Self {
        let work_ms = if dice.chance(30) { dice.between(20, 200) } else { 0 };
        let (tool, status, cost) = match dice.below(4) {
            0 => ("attempt", if dice.chance(15) { 500 } else { 200 }, ATTEMPT_MICROS),
            1 => ("metered", 200, dice.between(1, 2_000_000)),
            _ => ("fixed", 200, FIXED_MICROS),
        };
        // As text: the digits must reach the program as they stand here.
        let credits = format!("{}.{:06}", cost / 1_000_000, cost % 1_000_000);
        let arguments = json!({
            "key": key, "work_ms": work_ms, "status": status,
            "credits": serde_json::from_str::<Value>(&credits).unwrap(),
        });
        Self { key, buyer, cut: None, status, cost, tool, arguments, told: None }
    }

    /// The rule for an outcome that nobody knows: the state that it ends in, and the charge in micro-credits.
    pub(super) fn rule(&self) -> (&'static str, i64) {
        if self.tool == "attempt" { ("unknown_captured", ATTEMPT_MICROS) } else { ("unknown_released", 0) }
    }

    /// Sends it, for the first time or again; `None` if that gave no final answer yet.
    pub(super) fn send(&self, caller: &mut Caller) -> io::Result<Option<Told>> {
        let body = json!({ "arguments": self.arguments, "idempotency_key": self.key });
        let answer = caller.post(&format!("/invoke/acme/{}", self.tool), &body)?;
        let charged = match (answer.status, answer.json["error"]["code"].as_str()) {
            (200, _) => &answer.json["credits_charged"],
            // The circuit breaker let nobody through: the key is free again.
            (502, Some("upstream_failed")) if answer.json["error"]["invocation_id"].is_null() => return Ok(None),
            (502, Some("upstream_failed")) => &answer.json["error"]["credits_charged"],
            (504, Some("outcome_unknown")) => {
                let id = answer.json["error"]["invocation_id"].as_str().unwrap();
                let call = caller.get(&format!("/invocations/{id}"))?.json;
                return Ok(call["is_settled"].as_bool().unwrap().then(|| Told {
                    invocation: id.to_owned(),
                    charged: micros(&call["credits_charged"]),
                    answer: Final::Unknown(call["state"].as_str().unwrap().to_owned()),
                }));
            }
            (409, Some("idempotency_in_flight")) | (503, Some("database_unavailable" | "overloaded")) => {
                return Ok(None);
            }
            _ => panic!("{}: {} {}", self.key, answer.status, answer.body),
        };
        Ok(Some(Told {
            invocation: answer.header("x-tollgate-invocation-id").unwrap().to_owned(),
            charged: micros(charged),
            answer: Final::Answered(answer.status, answer.body),
        }))
    }
}

/// One client with everything that it ever bought.
#[derive(Debug)]
pub(super) struct Till {
    number: u64,
    buyer: Buyer,
    dice: Dice,
    pub(super) purchases: Vec<Purchase>,
}

impl Till {
    pub(super) fn new(number: u64, seed: u64) -> Self {
        let buyer = if number.is_multiple_of(2) { Buyer::Account } else { Buyer::PartnerUser(number % 6) };
        Self { number, buyer, dice: Dice::new(seed.wrapping_add(number)), purchases: Vec::new() }
    }

    /// Sends what is still open from earlier runs, then buys and buys until the server is gone or it `is_over`. Every
    /// final answer is told to `news`.
    pub(super) fn work(&mut self, address: &str, run: usize, is_over: &AtomicBool, news: &Sender<()>) {
        let mut caller = self.buyer.call(address);
        for purchase in self.purchases.iter_mut().filter(|purchase| purchase.told.is_none()) {
            match purchase.send(&mut caller) {
                Ok(told) => purchase.told = told,
                Err(_gone) => return,
            }
        }
        while !is_over.load(Ordering::Acquire) {
            let key = format!("run-{run}-client-{}-{}", self.number, self.purchases.len());
            let mut purchase = Purchase::new(key, self.buyer, &mut self.dice);
            let sent = purchase.send(&mut caller);
            let is_gone = sent.is_err();
            purchase.cut = is_gone.then_some(run);
            purchase.told = sent.unwrap_or_default();
            self.purchases.push(purchase);
            // Nobody listens any more once the server has been killed.
            if is_gone || news.send(()).is_err() {
                return;
            }
        }
    }

    /// Sends what is open again and again until everything has its final answer.
    pub(super) fn settle(&mut self, address: &str) {
        let mut caller = self.buyer.call(address);
        for purchase in self.purchases.iter_mut().filter(|purchase| purchase.told.is_none()) {
            let (told, _) = wait_until(&purchase.key, || purchase.send(&mut caller).unwrap());
            purchase.told = Some(told);
        }
    }

    /// Asks for everything once more: a key never changes its answer.
    pub(super) fn ask_again(&self, address: &str) {
        let mut caller = self.buyer.call(address);
        for purchase in &self.purchases {
            let (told, again) = (purchase.told.as_ref().unwrap(), purchase.send(&mut caller).unwrap().unwrap());
            assert_eq!(
                (&told.invocation, told.charged, &told.answer),
                (&again.invocation, again.charged, &again.answer),
                "{}",
                purchase.key
            );
        }
    }
}
