//! What waits for somebody else's decision.

use engine::{
    ledger::grants::PRIORITY_MAX,
    service::approvals::{
        APPROVAL_NOTE_CHARS_MAX, APPROVAL_PAYLOAD_BYTES_MAX, ApprovalState, DecideApprovalError, DeedFailure,
        DeedUnreadable, RequestApprovalError, Senseless, WithdrawApprovalError,
    },
};

use super::{Said, key, reason, with};
use crate::text::{t, t_with};

impl Said for RequestApprovalError {
    fn said(&self) -> String {
        match self {
            Self::Reason => reason(),
            Self::Key => key(),
            Self::KeyReused(approval) => with("said-approval-key-reused", "approval", approval),
            Self::TooLong(bytes) => {
                let values =
                    [("bytes", bytes.to_string().into()), ("max", APPROVAL_PAYLOAD_BYTES_MAX.to_string().into())];
                t_with("said-approval-too-long", &values)
            }
            Self::Senseless(why) => why.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for Senseless {
    fn said(&self) -> String {
        match self {
            Self::NotPositive => t("said-senseless-not-positive"),
            Self::Zero => t("said-senseless-zero"),
            Self::Priority(number) => {
                let values = [("max", PRIORITY_MAX.to_string().into()), ("number", number.to_string().into())];
                t_with("said-senseless-priority", &values)
            }
            // The console writes this text itself: who made a mistake there is no operator.
            Self::Price(message) => message.clone(),
            Self::Operator(error) => error.said(),
            Self::NoRole => t("said-senseless-no-role"),
            Self::Reason => reason(),
            Self::NoTool(tool) => with("said-price-no-tool", "tool", tool),
            Self::NothingLeft(of) => with("said-senseless-nothing-left", "of", of),
            Self::Payee(error) => error.said(),
            Self::NotPending(purchase) => with("said-senseless-not-pending", "purchase", purchase),
        }
    }
}

impl Said for DecideApprovalError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-approval-gone"),
            Self::Note => with("said-approval-note", "max", APPROVAL_NOTE_CHARS_MAX),
            Self::OwnRequest => t("said-approval-own"),
            Self::AuthorMayNot => t("said-approval-author-may-not"),
            Self::LetInByAuthor => t("said-approval-let-in"),
            Self::NotVouchedFor => t("said-approval-not-vouched-for"),
            Self::NotWaiting { state } => with("said-approval-not-waiting", "state", said_state(*state)),
            Self::Expired => t("said-approval-expired"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for WithdrawApprovalError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-approval-gone"),
            Self::Note => with("said-approval-note", "max", APPROVAL_NOTE_CHARS_MAX),
            Self::NotOwn => t("said-approval-not-own"),
            Self::NotWaiting { state } => with("said-approval-not-waiting", "state", said_state(*state)),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for DeedFailure {
    fn said(&self) -> String {
        match self {
            // The sentence that is kept with the request.
            Self::Refused(why) | Self::Overtaken(why) => why.clone(),
            Self::FourEyes(weight) => weight.said(),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for DeedUnreadable {
    fn said(&self) -> String {
        with("said-approval-unreadable", "why", self.why())
    }
}

/// How a request stands, within a sentence.
fn said_state(state: ApprovalState) -> String {
    t(match state {
        ApprovalState::Waiting => "approvals-state-waiting",
        ApprovalState::Approved => "approvals-state-approved",
        ApprovalState::Rejected => "approvals-state-rejected",
        ApprovalState::Withdrawn => "approvals-state-withdrawn",
        ApprovalState::Expired => "approvals-state-expired",
        // The list says more of it than fits here.
        ApprovalState::Failed => "said-approval-failed",
    })
}
