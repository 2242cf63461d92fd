//! The chart of accounts. The unit everywhere is the micro-credit.

use std::fmt;

/// Names one ledger account. Narrow on purpose: every posting stores two of them and two indexes repeat them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerAccountId(i64);

impl LedgerAccountId {
    /// `revenue:platform:fee`: the platform's part of every charge.
    pub const PLATFORM_FEE: Self = Self(1);
    /// `expenses:promo`: what granted credits cost the platform.
    pub const PROMO: Self = Self(2);
    /// `equity:opening`: balances carried in from elsewhere, and operators' adjustments.
    pub const OPENING: Self = Self(3);
    /// `expenses:loss:unbilled`: work that was delivered and could not be charged.
    pub const LOSS_UNBILLED: Self = Self(4);
    /// `assets:clearing:manual`: purchases that an operator confirmed.
    pub const CLEARING_MANUAL: Self = Self(5);
    /// `assets:clearing:demo`: purchases that confirm themselves in the demo.
    pub const CLEARING_DEMO: Self = Self(6);
    /// `expenses:loss:chargeback`: purchases that were charged back after their credits had been spent.
    pub const LOSS_CHARGEBACK: Self = Self(7);

    /// The accounts that every database has from its first day, with their kind.
    pub const WELL_KNOWN: [(Self, AccountKind); 7] = [
        (Self::PLATFORM_FEE, AccountKind::PlatformFee),
        (Self::PROMO, AccountKind::Promo),
        (Self::OPENING, AccountKind::Opening),
        (Self::LOSS_UNBILLED, AccountKind::Loss),
        (Self::CLEARING_MANUAL, AccountKind::Clearing),
        (Self::CLEARING_DEMO, AccountKind::Clearing),
        (Self::LOSS_CHARGEBACK, AccountKind::Loss),
    ];

    /// An identifier as the database stores it.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// As the database stores it.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// What the owner of this payable owes stands on this account: its number with the other sign.
    #[must_use]
    pub const fn receivable(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// Makes an identifier for an account opened at `now_us` (microseconds since the Unix epoch) from random bits:
    /// 41 bits of milliseconds since 2024 (enough until 2093), then 21 random bits. Those of one unit of work are kept apart
    /// by it; between units the primary key catches the rare collision, and nothing is written.
    pub fn for_time(now_us: i64, random: u32) -> Self {
        const EPOCH_2024_MS: i64 = 1_704_067_200_000;
        let millis = now_us.checked_div(1_000).unwrap_or(0).saturating_sub(EPOCH_2024_MS).clamp(1, (1 << 41) - 1);
        Self((millis << 21) | i64::from(random & ((1 << 21) - 1)))
    }
}

impl fmt::Display for LedgerAccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What stands between the owner of a wallet and the name of a grant in the code of the grant's account.
pub const GRANT_MARK: &str = ":grant:";

/// What an account is for. The numbers are stored and hashed: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// `liabilities:wallet:…`: credits a customer may spend. Only its balance, and that of its grants, is limited.
    Wallet,
    /// `liabilities:payable:…`: what a publisher has earned and not been paid.
    Payable,
    /// `liabilities:partner:…`: the margin a partner has earned.
    PartnerMargin,
    /// `revenue:platform:fee`.
    PlatformFee,
    /// `expenses:promo`.
    Promo,
    /// `assets:clearing:…`: money on its way in from a payment provider.
    Clearing,
    /// `assets:receivable:publisher:…`: what a publisher owes after a refund of money already paid out.
    Receivable,
    /// `expenses:loss:…`.
    Loss,
    /// `equity:opening`.
    Opening,
    /// `liabilities:wallet:…:grant:…`: credits of one customer that expire. Limited, as a wallet is.
    Grant,
}

impl AccountKind {
    const ALL: [(Self, i16, &'static str); 10] = [
        (Self::Wallet, 1, "liabilities:wallet"),
        (Self::Payable, 2, "liabilities:payable"),
        (Self::PartnerMargin, 3, "liabilities:partner"),
        (Self::PlatformFee, 4, "revenue:platform:fee"),
        (Self::Promo, 5, "expenses:promo"),
        (Self::Clearing, 6, "assets:clearing"),
        (Self::Receivable, 7, "assets:receivable:publisher"),
        (Self::Loss, 8, "expenses:loss"),
        (Self::Opening, 9, "equity:opening"),
        (Self::Grant, 10, "liabilities:wallet"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(kind, ..)| *kind)
    }

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(kind, ..)| *kind)
    }

    /// The account's name in the chart: the class, then the owner where there is one.
    pub fn code(self, owner: &str) -> String {
        let class = Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., class)| *class);
        if owner.is_empty() { class.to_owned() } else { format!("{class}:{owner}") }
    }

    /// Whether decisions rest on the balance of such an account though it has no limit: what was earned, what is owed.
    pub const fn is_weighed(self) -> bool {
        matches!(self, Self::Payable | Self::PartnerMargin | Self::Receivable)
    }

    /// Whether `code` is that of an account of this kind.
    pub fn has_code(self, code: &str) -> bool {
        let class = self.code("");
        let belongs = code.strip_prefix(&class).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        belongs && (self == Self::Grant) == code.contains(GRANT_MARK)
    }

    /// Whether a debit is checked against the balance.
    pub const fn is_limited(self) -> bool {
        matches!(self, Self::Wallet | Self::Grant)
    }
}
