//! The credit ledger: what may be recorded, and the proof that it was.
//!
//! Reading order: [`accounts`] (who can own money), [`command`] and [`movement`] (what can be asked), [`facts`] (what must
//! be known to answer), [`grants`] (credits that expire), [`batch`] (the decision: a pure function from facts and requests
//! to a plan), then the proof: [`leaf`], [`fact`], [`merkle`], [`chain`], [`checkpoint`], [`signing`], [`receipt`],
//! [`periods`], [`verify`]; last what auditors take home: [`jsonl`], the books as text, and [`export`].
//!
//! A posting is one row with a debit account, a credit account and an amount above zero: it is balanced by
//! construction, and no sum has to be checked. Only wallets are limited; all other accounts may take any sign.
#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects, clippy::integer_division)]

pub mod accounts;
pub mod batch;
pub mod caps;
pub mod chain;
pub mod checkpoint;
pub mod command;
pub mod export;
pub mod fact;
pub mod facts;
pub mod grants;
pub mod hex;
pub mod jsonl;
pub mod key;
pub mod leaf;
pub mod merkle;
pub mod movement;
pub mod periods;
pub mod plan;
pub mod receipt;
pub mod refusal;
pub mod signing;
pub mod verify;

pub use accounts::{AccountKind, LedgerAccountId};
pub use command::{CaptureAmount, Leg, OnExpiry, PlaceHold, Post, Settle, SettleAction, TransactionKind};
pub use movement::{Collect, Payout, Refund, Revert, Secure};
pub use refusal::Refusal;
