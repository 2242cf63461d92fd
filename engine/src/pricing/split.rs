//! Who gets how much of a charge, and how a refund takes it back.

use crate::credits::{Credits, CreditsError};

/// The whole, in basis points (hundredths of a per cent).
pub const BASIS_POINTS: u16 = 10_000;

/// The agreed shares of a charge. What they leave is the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShareTerms {
    publisher_bps: u16,
    partner_bps: u16,
}

/// The agreed shares come to more than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`share_bps` {publisher_bps} and `margin_bps` {partner_bps} together must be at most {BASIS_POINTS}")]
pub struct ShareTermsError {
    publisher_bps: u16,
    partner_bps: u16,
}

/// A charge, or a part of one, divided. The shares add up to it exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shares {
    /// Who sells the tool.
    pub publisher: Credits,
    /// Whose end user called, if a partner was in between.
    pub partner: Credits,
    /// The platform.
    pub platform: Credits,
}

/// A refund cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    /// The amount is zero or negative.
    #[error("a refund must be above zero")]
    NotPositive,
    /// More than what is left of the charge.
    #[error("only {refundable} credits of this charge can still be refunded")]
    ExceedsRefundable {
        /// What is left of it.
        refundable: Credits,
    },
    /// The figures of the charge contradict each other: a negative share, shares beyond all amounts, or more refunded
    /// than charged.
    #[error("the recorded shares of this charge are not consistent")]
    Inconsistent,
}

impl ShareTerms {
    /// Terms by which publisher and partner get these basis points of every charge.
    pub const fn new(publisher_bps: u16, partner_bps: u16) -> Result<Self, ShareTermsError> {
        match publisher_bps.checked_add(partner_bps) {
            Some(sum) if sum <= BASIS_POINTS => Ok(Self { publisher_bps, partner_bps }),
            _ => Err(ShareTermsError { publisher_bps, partner_bps }),
        }
    }

    /// The publisher's share in basis points.
    pub const fn publisher_bps(self) -> u16 {
        self.publisher_bps
    }

    /// The partner's share in basis points.
    pub const fn partner_bps(self) -> u16 {
        self.partner_bps
    }
}

impl Shares {
    /// The sum of the shares, or nothing when it is out of range.
    pub fn total(self) -> Option<Credits> {
        Credits::checked_sum([self.publisher, self.partner, self.platform])
    }
}

/// Divides a charge: publisher and partner get their basis points, each rounded down, the platform the rest.
///
/// A negative charge is refused with [`CreditsError::Negative`].
pub fn split(charge: Credits, terms: ShareTerms) -> Result<Shares, CreditsError> {
    let charge = charge.non_negative()?;
    let share = |bps: u16| part_down(charge, bps.into(), BASIS_POINTS.into()).ok_or(CreditsError::OutOfRange);
    let publisher = share(terms.publisher_bps)?;
    let partner = share(terms.partner_bps)?;
    let platform =
        charge.checked_sub(publisher).and_then(|rest| rest.checked_sub(partner)).ok_or(CreditsError::OutOfRange)?;
    Ok(Shares { publisher, partner, platform })
}

/// What each party gives back when `refund` credits of a charge are refunded, after `refunded_before` already were.
///
/// `posted` is what the charge gave to each. The sum of all reversals so far depends on the sum of all refunds so far
/// only, not on how they were cut: each party's is its share of it, rounded down, and what the rounding leaves over is
/// given back in the order publisher, partner, platform. Hence any series of refunds adds up exactly, no reversal is
/// negative, none exceeds what was posted, and a full refund reverses exactly what was posted.
pub fn refund_shares(posted: Shares, refunded_before: Credits, refund: Credits) -> Result<Shares, RefundError> {
    let charge = posted.total().ok_or(RefundError::Inconsistent)?;
    let parts = [posted.publisher, posted.partner, posted.platform];
    if parts.iter().any(|part| part.is_negative()) || refunded_before.is_negative() || refunded_before > charge {
        return Err(RefundError::Inconsistent);
    }
    if refund <= Credits::ZERO {
        return Err(RefundError::NotPositive);
    }
    let refundable = charge.checked_sub(refunded_before).ok_or(RefundError::Inconsistent)?;
    if refund > refundable {
        return Err(RefundError::ExceedsRefundable { refundable });
    }
    let before = cumulative(posted, charge, refunded_before);
    let after = refunded_before.checked_add(refund).and_then(|refunded| cumulative(posted, charge, refunded));
    before.zip(after).and_then(|(before, after)| difference(after, before)).ok_or(RefundError::Inconsistent)
}

/// All reversals so far, when `refunded` of `charge` has been refunded in all.
///
/// The publisher is served first (its part rounded up: it gets the first left-over unit), then the partner from what
/// the publisher leaves, then the platform. Serving the partner from the rest, instead of rounding it on its own, keeps
/// every part growing with every further refund; three parts rounded on their own can make one of them shrink.
fn cumulative(posted: Shares, charge: Credits, refunded: Credits) -> Option<Shares> {
    let others = charge.checked_sub(posted.publisher)?;
    let publisher = part_up(refunded, posted.publisher, charge)?;
    let rest = refunded.checked_sub(publisher)?;
    let partner = part_up(rest, posted.partner, others)?;
    let platform = rest.checked_sub(partner)?;
    Some(Shares { publisher, partner, platform })
}

fn difference(after: Shares, before: Shares) -> Option<Shares> {
    Some(Shares {
        publisher: after.publisher.checked_sub(before.publisher)?,
        partner: after.partner.checked_sub(before.partner)?,
        platform: after.platform.checked_sub(before.platform)?,
    })
}

/// `amount × part / whole`, rounded up; nothing of nothing when the whole is zero.
fn part_up(amount: Credits, part: Credits, whole: Credits) -> Option<Credits> {
    if whole.is_zero() {
        return Some(Credits::ZERO);
    }
    let product = i128::from(amount.micros()).checked_mul(part.micros().into())?;
    let whole = i128::from(whole.micros());
    let floor = product.checked_div(whole)?;
    let has_rest = product.checked_rem(whole)? != 0;
    i64::try_from(floor.checked_add(has_rest.into())?).ok().map(Credits::from_micros)
}

/// `amount × part / whole` of a non-negative amount, rounded down.
fn part_down(amount: Credits, part: i128, whole: i128) -> Option<Credits> {
    let product = i128::from(amount.micros()).checked_mul(part)?;
    i64::try_from(product.checked_div(whole)?).ok().map(Credits::from_micros)
}
