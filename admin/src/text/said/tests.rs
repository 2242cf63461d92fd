//! What the console says of an error is what the error says of itself, word for word: commands and console do not drift
//! apart. Left out is what the console says in fewer words: why the database cannot be used.

use std::fmt::Display;

use engine::{
    credits::Credits,
    dialect::FailureKind,
    document::{
        DocumentPath,
        edit::EditProblem,
        written::{Position, TextProblem},
    },
    gateway::request::RequestFault,
    id::{
        AccountId, ApprovalId, AuditorId, CapAlertId, EntryId, OperatorId, PriceVersionId, PurchaseId, TokenId,
        WebhookId,
    },
    ledger::{
        LedgerAccountId, TransactionKind,
        export::request::{Format, Report, RequestError},
        periods::TooLarge,
        refusal::{Difference, Limit, Refusal},
        signing::KeyError,
    },
    policy::{
        EvaluationFault, PolicySources,
        console::{ConsoleCaller, ConsoleDecision, ConsoleDenialCode, ConsolePolicies},
        lanes::LaneEditProblem,
    },
    publishing::FieldFault,
    service::{
        accounts::{
            AccountProfile, CreateAccountError, FundedAccountError, GrantError, MailLinkError, PasswordError,
            SuspendAccountError,
        },
        approvals::{
            ApprovalState, CountedWith, DecideApprovalError, Deed, DeedFailure, RequestApprovalError, Senseless,
            WithdrawApprovalError,
        },
        auditors::{CreateAuditorError, RevokeAuditorError},
        caps::CapError,
        catalog::CatalogError,
        checkpoints::CheckpointError,
        explain::NotExplained,
        movements::{ChargebackState, MovementError},
        operators::{ChangeOperatorError, CreateOperatorError, FactorError},
        outbox::ChangeMailError,
        partners::{
            BlockEndUserError, CapAlertError, EraseEndUserError, Funding, FundingError, HeldByUsers, PartnerError,
            WebhookError,
        },
        periods::ClosePeriodError,
        policies::PolicyVersionError,
        prices::{CancelPriceError, SchedulePriceError},
        publishing::PublishingError,
        purchases::ConfirmError,
        tokens::{CreateTokenError, TokenNameError},
        verification::StartVerificationError,
    },
};
use uuid::Uuid;

use super::*;

mod money;
mod terms;

fn check<E: Said + Display>(errors: impl IntoIterator<Item = E>) {
    for error in errors {
        assert_eq!(error.said(), error.to_string());
    }
}

fn credits(whole: i64) -> Credits {
    Credits::from_micros(whole * 1_000_000)
}

fn weight() -> Weight {
    Weight { amount: credits(1_500), before: credits(20), with: CountedWith::Gifts }
}

fn store() -> StoreError {
    StoreError::Inconsistent { table: "wallet", what: "a secret place".to_owned() }
}

fn text() -> String {
    "a `b` { $c } 12000".to_owned()
}

#[test]
fn the_database_is_told_of_in_one_calm_sentence() {
    let said = store().said();
    assert!(!said.contains("secret") && said.contains("try again"), "{said}");
    assert_eq!(MovementError::Store(store()).said(), said);
    assert_eq!(FundedAccountError::Account(CreateAccountError::Store(store())).said(), said);
}

#[test]
fn amounts_weights_and_identifiers() {
    check(
        ["", "x", "1.23456789", "1e3", "99999999999999999999", "-1"]
            .map(Credits::parse_exact)
            .into_iter()
            .filter_map(Result::err),
    );
    check([
        CreditsError::NotANumber,
        CreditsError::TooPrecise,
        CreditsError::Exponent,
        CreditsError::OutOfRange,
        CreditsError::Negative,
    ]);
    check([weight()]);
    check([SealError]);
    check(["{ $x }".parse::<AccountId>().unwrap_err()]);
}

#[test]
fn people() {
    use PasswordError::{Busy, Failed, Guessable, Length};

    check([Length, Guessable, Busy, Failed]);
    check([CreateAccountError::EmailInvalid, CreateAccountError::EmailTaken, Length.into()]);
    check([
        SuspendAccountError::NotFound,
        SuspendAccountError::AlreadySo(true),
        SuspendAccountError::AlreadySo(false),
        SuspendAccountError::Reason,
    ]);
    check([MailLinkError::NotFound, MailLinkError::Reason]);
    check([TokenNameError]);
    let token = TokenId::from(Uuid::nil());
    check([TokenNameError.into(), CreateTokenError::TooMany, CreateTokenError::MadeBefore(token)]);
    let auditor = AuditorId::from(Uuid::nil());
    check([TokenNameError.into(), CreateAuditorError::Days(12_000), CreateAuditorError::MadeBefore(auditor)]);
    check([RevokeAuditorError::NotFound, RevokeAuditorError::AlreadyRevoked]);
    check([
        CreateOperatorError::EmailInvalid,
        CreateOperatorError::EmailTaken,
        CreateOperatorError::Name,
        CreateOperatorError::NoRole,
        Guessable.into(),
    ]);
    check([
        ChangeOperatorError::NotFound,
        ChangeOperatorError::NoRole,
        ChangeOperatorError::LastOwner,
        ChangeOperatorError::Disabled,
        ChangeOperatorError::Stale,
        ChangeOperatorError::Unchanged,
        ChangeOperatorError::Changed,
    ]);
    check([
        FactorError::NotSetUp,
        FactorError::NotFresh,
        FactorError::BadSeed,
        FactorError::WrongCode,
        SealError.into(),
    ]);
    check([
        ChangeMailError::NotFound,
        ChangeMailError::Reason,
        ChangeMailError::Sent,
        ChangeMailError::Cancelled,
        ChangeMailError::OnItsWay,
        ChangeMailError::Wiped,
        ChangeMailError::Changed,
    ]);
}

#[test]
fn partners() {
    check([
        PartnerError::NotFound,
        PartnerError::Name,
        PartnerError::MadeBefore(text()),
        PartnerError::NameTaken,
        PartnerError::Reason,
        PartnerError::Margin { margin_bps: 3_000, share_bps: 8_000 },
        PartnerError::AlreadySo(true),
        PartnerError::AlreadySo(false),
        PartnerError::Changed { now_bps: 3_000 },
        PartnerError::Overtaken,
    ]);
    check([
        FundingError::NotFound,
        FundingError::AlreadySo(Funding::PerUser),
        FundingError::AlreadySo(Funding::Partner),
        FundingError::Reason,
        FundingError::Held(HeldByUsers { users: 12_000, credits: credits(12_000) }),
    ]);
    check([
        BlockEndUserError::NotFound,
        BlockEndUserError::AlreadySo(true),
        BlockEndUserError::AlreadySo(false),
        BlockEndUserError::Reason,
    ]);
    check([
        EraseEndUserError::NotFound,
        EraseEndUserError::Already,
        EraseEndUserError::Reason,
        EraseEndUserError::Changed,
    ]);
    check([WebhookError::NotFound, WebhookError::TooMany, WebhookError::MadeBefore(WebhookId::from(Uuid::nil()))]);
    check([
        CapAlertError::NoHolder,
        CapAlertError::NotFound,
        CapAlertError::Window,
        CapAlertError::Percent,
        CapAlertError::Email,
        CapAlertError::TooManyMails,
        CapAlertError::TooMany,
        CapAlertError::MadeBefore(CapAlertId::from(Uuid::nil())),
    ]);
    check([
        CapError::NoHolder,
        CapError::NotFound,
        CapError::Negative,
        CapError::Reason,
        CapError::Changed { now: Some(credits(12_000)) },
        CapError::Changed { now: None },
        CapError::Imposed,
    ]);
}

#[test]
fn approvals() {
    check([
        RequestApprovalError::Reason,
        RequestApprovalError::Key,
        RequestApprovalError::KeyReused(ApprovalId::from(Uuid::nil())),
        RequestApprovalError::TooLong(70_000),
        RequestApprovalError::Senseless(Senseless::Zero),
    ]);
    check([
        Senseless::NotPositive,
        Senseless::Zero,
        Senseless::Priority(12_000),
        Senseless::Price(text()),
        Senseless::Operator(CreateOperatorError::EmailInvalid),
        Senseless::NoRole,
        Senseless::Reason,
        Senseless::NoTool(text()),
        Senseless::NothingLeft(EntryId::from(Uuid::nil())),
        Senseless::Payee(MovementError::Reason),
        Senseless::NotPending(PurchaseId::from(Uuid::nil())),
    ]);
    check([
        DecideApprovalError::NotFound,
        DecideApprovalError::Note,
        DecideApprovalError::OwnRequest,
        DecideApprovalError::AuthorMayNot,
        DecideApprovalError::LetInByAuthor,
        DecideApprovalError::NotVouchedFor,
        DecideApprovalError::Expired,
    ]);
    check(ApprovalState::ALL.map(|(state, _)| DecideApprovalError::NotWaiting { state }));
    check([WithdrawApprovalError::NotFound, WithdrawApprovalError::Note, WithdrawApprovalError::NotOwn]);
    check(ApprovalState::ALL.map(|(state, _)| WithdrawApprovalError::NotWaiting { state }));
    check([DeedFailure::Refused(text()), DeedFailure::Overtaken(text()), DeedFailure::FourEyes(weight())]);
    check([Deed::from_payload(&serde_json::json!({})).unwrap_err()]);
}

#[test]
fn policies() {
    check([
        PolicyVersionError::Broken(vec![text(), text()]),
        PolicyVersionError::Author,
        PolicyVersionError::Note,
        PolicyVersionError::TooLong,
        PolicyVersionError::NotFound(12_000),
        PolicyVersionError::InForce(12_000),
        PolicyVersionError::Retired(12_000),
        PolicyVersionError::Draft(12_000),
        PolicyVersionError::Stale(12_000),
        PolicyVersionError::NothingBefore,
        PolicyVersionError::Overtaken,
        PolicyVersionError::Unprepared,
    ]);
    let path = || DocumentPath::default().key("tools").key("a b").index(12_000);
    let unreadable = |line| TextProblem { at: Position { line, column: 3 }, message: text() };
    check([
        EditProblem::Unreadable(vec![unreadable(1), unreadable(12_000)]),
        EditProblem::Missing(path()),
        EditProblem::Misfit(path()),
    ]);
    check([
        LaneEditProblem::Nothing,
        LaneEditProblem::TooLong,
        LaneEditProblem::There(text()),
        LaneEditProblem::Gone(text()),
        LaneEditProblem::NoChannel,
        EditProblem::Missing(path()).into(),
    ]);
    check([
        EvaluationFault::Policy { policy: "a.b".into(), message: text() },
        EvaluationFault::Request { message: text() },
    ]);
    let session = RequestFault::new(FailureKind::ALL.first().copied().unwrap(), text());
    check([
        NotExplained::NoTool(text()),
        NotExplained::NoPrice,
        NotExplained::NoAccount(text()),
        "tok".parse::<TokenId>().unwrap_err().into(),
        NotExplained::NoToken(text()),
        NotExplained::NoEndUser,
        NotExplained::NotForEndUsers,
        NotExplained::Session(session),
        NotExplained::NoVersion(12_000),
        NotExplained::Broken(vec![text()]),
        NotExplained::Unprepared,
    ]);
}

#[test]
fn every_deed_has_its_sentence() {
    for (action, word, _) in ConsoleAction::ALL {
        assert_eq!(deed(action), action.sentence(), "{word}");
    }
}

#[test]
fn every_denial_has_its_sentence() {
    let policies = include_str!("../../../../policies/console.cedar");
    let noted = |note: &str, text: &str| {
        let (_, value) = text.split_once(&format!("@{note}(\""))?;
        value.split_once("\")").map(|(value, _)| value.to_owned())
    };
    let mut seen = 0;
    for policy in policies.split("@id(\"").skip(1) {
        let (id, rest) = policy.split_once("\")").unwrap();
        let Some(reason) = noted("reason", rest) else { continue };
        let denial = |reason: &str| ConsoleDenial {
            policy: id.to_owned(),
            code: ConsoleDenialCode::Amount,
            reason: reason.to_owned(),
        };
        assert_eq!(denial("written elsewhere").said(), reason, "{id}");
        seen += 1;
    }
    assert_eq!(seen, 3, "forbids of the shipped policies");
}

#[test]
fn whoever_has_no_role_is_told_so() {
    let schema = include_str!("../../../../policies/console.cedarschema");
    let policies = include_str!("../../../../policies/console.cedar");
    let policies = ConsolePolicies::load(PolicySources { schema, policies }).unwrap();
    let nobody = ConsoleCaller {
        id: OperatorId::from(Uuid::nil()),
        roles: &[],
        is_fresh: true,
        has_factor: true,
        may_postpone: false,
    };
    let ConsoleDecision::Denied(denial) = policies.decide(&nobody, ConsoleAction::GrantCreate, Some(1)) else {
        panic!("somebody without a role may give credits");
    };
    assert_eq!(denial.policy, NO_PERMIT);
    assert_eq!(denial.said(), denial.reason);
}
