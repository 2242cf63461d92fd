//! What is said of money, and of the books.

use super::*;

#[test]
fn gifts_and_purchases() {
    let account = AccountId::from(Uuid::nil());
    check([
        GrantError::NotFound,
        GrantError::NotPositive,
        GrantError::Reason,
        GrantError::Expired { expires_us: 1, now_us: 2 },
        GrantError::Priority(12_000),
        GrantError::TooMany,
        GrantError::Key,
        GrantError::KeyReused { account, credits: credits(12_000), reason: text() },
        GrantError::FourEyes(weight()),
        GrantError::Changed,
        Refusal::Overflow.into(),
    ]);
    let profile = AccountProfile {
        id: account,
        email: "a@example.org".to_owned(),
        is_verified: true,
        is_suspended: false,
        has_password: true,
        wallet: LedgerAccountId::from_raw(7),
        created_us: 0,
    };
    check([
        TokenNameError.into(),
        CreateAccountError::EmailTaken.into(),
        FundedAccountError::MadeBefore(Box::new(profile)),
        FundedAccountError::KeyReused,
        FundedAccountError::FourEyes(weight()),
        FundedAccountError::Changed,
        Refusal::Overflow.into(),
    ]);
    check([
        ConfirmError::NotFound,
        ConfirmError::AlreadyConfirmed(credits(12_000)),
        ConfirmError::AlreadyFailed(credits(1)),
        ConfirmError::Reason,
        ConfirmError::FourEyes(weight()),
        ConfirmError::Changed,
        Refusal::Overflow.into(),
    ]);
}

#[test]
fn movements() {
    check([
        MovementError::Reason,
        MovementError::Key,
        MovementError::KeyReused { kind: text(), amount: "12000".to_owned(), subject: text(), reason: text() },
        MovementError::NotPositive,
        MovementError::Address,
        MovementError::Nothing,
        MovementError::NotFound("charge"),
        MovementError::NotConfirmed("pending"),
        MovementError::NotDisputed(None),
        MovementError::FourEyes(weight()),
        Refusal::Overflow.into(),
        MovementError::Changed,
    ]);
    for state in [ChargebackState::Open, ChargebackState::Won, ChargebackState::Lost] {
        let disputed = MovementError::AlreadyDisputed { credits: credits(12_000), state };
        check([disputed, MovementError::NotDisputed(Some(state))]);
    }
}

#[test]
fn the_ledger() {
    let account = LedgerAccountId::from_raw(12_345_678);
    let [few, some, many] = [credits(3), credits(40), credits(12_000)];
    let differences = [
        Difference::Operation,
        Difference::Hold,
        Difference::DebitAccount,
        Difference::CreditAccount,
        Difference::Amount,
        Difference::Ttl,
        Difference::Metadata,
    ];
    check(differences.map(Refusal::Exists));
    check([
        Refusal::OutOfRange,
        Refusal::SameAccount,
        Refusal::UnknownAccount(account),
        Refusal::WrongKind(TransactionKind::Purchase),
        Refusal::TransactionNotFound,
        Refusal::NotReversible(Some(TransactionKind::Grant)),
        Refusal::NotReversible(None),
        Refusal::AlreadyReversed { captured: many, refunded: some },
        Refusal::ExceedsRefundable { needed: some, captured: many, refunded: few },
        Refusal::HoldNotFound,
        Refusal::NotAHold,
        Refusal::HoldHasOtherWallet,
        Refusal::HoldHasOtherPayee,
        Refusal::ExceedsHold { held: many },
        Refusal::ReleaseIsPartial { held: many },
        Refusal::AlreadyCaptured,
        Refusal::AlreadyReleased,
        Refusal::HoldExpired,
        Refusal::AccountClosed(account),
        Refusal::Insufficient { limit: Limit::Wallet(account), needed: many, available: few },
        Refusal::ExceedsPayable { needed: many, payable: some, owed: few },
        Refusal::Overflow,
    ]);
}

#[test]
fn the_books() {
    check([
        ClosePeriodError::Empty,
        ClosePeriodError::NotOver { period: 2_026, end_us: 1, now_us: 0 },
        ClosePeriodError::EndsBeforeStart { period: 2_026, start_us: 1, until_us: 0 },
        ClosePeriodError::Closed { period: 2_026, end_us: 1 },
        ClosePeriodError::Changed { period: 2_026 },
        ClosePeriodError::TooMany { period: 2_026, entries: 12_000, entries_max: 10_000 },
        TooLarge.into(),
        Refusal::Overflow.into(),
    ]);
    check([KeyError.into(), CheckpointError::NotSetUp, CheckpointError::Busy]);
    check([StartVerificationError::Running, StartVerificationError::NoCheckpoint, StartVerificationError::NoRoom]);
    let (report, format) = (Report::Refunds, Format::Hledger);
    check([
        RequestError::NotAJournal { report, format },
        RequestError::AlwaysFull { format },
        RequestError::Missing { report, what: "account" },
        RequestError::NotLimited { report, format, what: "account" },
        RequestError::EndsBeforeItBegins { from_us: 12_000, to_us: 1_000 },
    ]);
}
