//! Rows as sea-orm reads and builds them: one file a table, private to the store and the services. The journal itself
//! (`txn`, `posting`, `hold`, `hold_resolution`, `refusal`, `batch`) is written and verified by the ledger's own SQL.
#![expect(
    unreachable_pub,
    reason = "DeriveEntityModel makes public items; the columns are documented in the migrations"
)]

/// A customer with a wallet.
pub mod account;
/// A warning of a call that its publisher has seen.
pub mod acknowledged_call;
/// What one operator asks and another one decides.
pub mod approval;
/// A picture.
pub mod asset;
/// The audit trail.
pub mod audit;
/// Of a trail's head, what a checkpoint needs to know.
pub mod audit_head;
/// Who may read the books from outside.
pub mod auditor_token;
/// Of a batch, what a checkpoint needs to know.
pub mod batch;
/// A limit on spending.
pub mod cap;
/// At which part of a limit a partner wants to be told.
pub mod cap_alert;
/// Counters of caps.
pub mod cap_window;
/// Which namespaces a version of the catalog has changed.
pub mod catalog_change;
/// Of a chain's head, what a checkpoint needs to know.
pub mod chain_head;
/// Payments that their provider took back.
pub mod chargeback;
/// A signed statement of what all chains had come to.
pub mod checkpoint;
/// A publisher's server.
pub mod connection;
/// Credits given by an operator.
pub mod credit_grant;
/// A partner's customer.
pub mod end_user;
/// What a partner has moved between its wallet and an end user's.
pub mod end_user_transfer;
/// An end user's own wallet.
pub mod end_user_wallet;
/// The name of an erased end user whom an operator has limited.
pub mod erased_name;
/// A slug that a namespace had before it was renamed.
pub mod former_name;
/// A name that a tool had before it was renamed.
pub mod former_tool_name;
/// What the configuration's catalog last brought in.
pub mod import;
/// Calls.
pub mod invocation;
/// A key that outlives the master key that it was made from.
pub mod kept_key;
/// The chart of accounts.
pub mod ledger_account;
/// A single-use link.
pub mod login_link;
/// The outbox.
pub mod mail;
/// What an operator did with money, and why.
pub mod movement;
/// A publisher's slug.
pub mod namespace;
/// Holds that nobody has settled.
pub mod open_hold;
/// Who may use the console.
pub mod operator;
/// A single-use link of an operator.
pub mod operator_link;
/// Who is signed in to the console.
pub mod operator_session;
/// A platform that calls for its own end users.
pub mod partner;
/// What a partner was told.
pub mod partner_event;
/// A partner whose end users pay themselves.
pub mod partner_funding;
/// What a call carried, sealed.
pub mod payload;
/// What a payout was worked out from.
pub mod payout;
/// A version of the policy: an immutable text with its state.
pub mod policy_version;
/// A price that was taken back before its time.
pub mod price_cancellation;
/// An immutable price; `spec` is JSON in the wire's field names.
pub mod price_version;
/// Who sells tools.
pub mod publisher;
/// A bought amount of credits.
pub mod purchase;
/// How much of a transaction has been taken back.
pub mod refund_total;
/// A key that signs checkpoints.
pub mod signing_key;
/// A bearer token: the digest of its secret.
pub mod token;
/// A callable tool.
pub mod tool;
/// Tools of a namespace with one price.
pub mod tool_group;
/// Counters that rise with every change.
pub mod version;
/// Balances of limited accounts.
pub mod wallet_balance;
/// Where a partner is told.
pub mod webhook;
/// What is sent there, and how often it was tried.
pub mod webhook_delivery;
