//! Enrolling a second factor: an offer that nothing is stored of, and a code that shows that an authenticator has it.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{OperatorProfile, OperatorSession};
use crate::{
    audit::{Action, OpContext},
    id::OperatorId,
    operator::{
        open_factor, seal_factor,
        totp::{SECRET_BYTES, TotpSecret, step_at},
    },
    sealing::{NONCE_BYTES, SealError, Sealing},
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// What an authenticator shows as whose code it is.
const ISSUER: &str = "Tollgate";

/// A secret that may become somebody's second factor. `Debug` does not print it.
#[derive(Clone)]
pub struct FactorOffer {
    /// For whoever types it: base32 in groups of four.
    pub secret_text: String,
    /// For whoever reads it from a picture: an `otpauth://` URI.
    pub uri: String,
    /// What [`Services::enrol_factor`] wants back.
    pub seed: String,
}

impl std::fmt::Debug for FactorOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorOffer")
    }
}

/// Why no second factor was enrolled.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// This process was not told how to seal secrets.
    #[error("this process has no key for second factors")]
    NotSetUp,
    /// The password has to be shown again first: whoever finds a session open may not put their own factor there.
    #[error("show the password again first")]
    NotFresh,
    /// What came back is not what was offered.
    #[error("this is not the secret that was offered: begin again")]
    BadSeed,
    /// Not the code of the present half minute.
    #[error("this is not the code of this moment: enter the one that the authenticator shows now")]
    WrongCode,
    /// The library fails.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn offer_of(secret: &TotpSecret, operator: &OperatorProfile) -> FactorOffer {
    FactorOffer { secret_text: secret.grouped_text(), uri: secret.uri(ISSUER, &operator.email), seed: secret.text() }
}

impl Services {
    /// A new secret for this operator. Nothing is stored.
    pub fn offer_factor(&self, operator: &OperatorProfile) -> FactorOffer {
        let mut random = [0; SECRET_BYTES];
        (self.random)(&mut random);
        offer_of(&TotpSecret::new(random), operator)
    }

    /// The offer whose `seed` came back with a wrong code, once more; `None` if it is not one.
    pub fn offer_factor_again(&self, operator: &OperatorProfile, seed: &str) -> Option<FactorOffer> {
        TotpSecret::parse(seed).map(|secret| offer_of(&secret, operator))
    }

    /// Makes the secret of an offer the second factor of whoever is signed in, if `code` is its code of now. It takes the
    /// place of an older one, the code counts as used, and the other sessions end. The session has to be fresh.
    ///
    /// # Errors
    /// See [`FactorError`].
    pub async fn enrol_factor(
        &self,
        by: &OpContext,
        session: &OperatorSession,
        seed: &str,
        code: &str,
    ) -> Result<(), FactorError> {
        let setup = self.console.load_full().ok_or(FactorError::NotSetUp)?;
        let now_us = self.clock.now_us();
        if !session.is_fresh(now_us) {
            return Err(FactorError::NotFresh);
        }
        let secret = TotpSecret::parse(seed).ok_or(FactorError::BadSeed)?;
        let step = step_at(self.clock.wall_us());
        if !secret.is_code(step, code) {
            return Err(FactorError::WrongCode);
        }
        let id = session.operator.id;
        let known = self.find_factor(id).await?;
        if is_enrolled(&setup.sealing, id, (&secret, step), &known) {
            return Ok(());
        }
        let mut nonce = [0; NONCE_BYTES];
        (self.random)(&mut nonce);
        let sealed = seal_factor(&setup.sealing, &secret, id, nonce)?;
        let mut unit = UnitOfWork::new();
        let change =
            entity::operator::ActiveModel { factor: Set(Some(sealed)), factor_step: Set(step), ..Default::default() };
        let update = entity::operator::Entity::update_many()
            .set(change)
            .filter(entity::operator::Column::Id.eq(id.uuid()))
            .filter(entity::operator::Column::IsDisabled.eq(false))
            .filter(entity::operator::Column::PasswordHash.is_not_null())
            // Of two copies of the form one is told.
            .filter(match known.0 {
                Some(sealed) => entity::operator::Column::Factor.eq(sealed),
                None => entity::operator::Column::Factor.is_null(),
            });
        unit.one(self.db.backend(), &update);
        self.end_sessions_and_links(&mut unit, id, Some(session.key));
        let facts = |has_factor: bool| serde_json::json!({"has_factor": has_factor});
        let told = by
            .entry(Action::OperatorEnrolFactor, "operator", id)
            .before(facts(session.operator.has_factor))
            .after(facts(true));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(()),
            // Enrolled by another copy of the form, or shut out or reset a moment ago: then the session is over.
            Err(NotSaved::Conflict { .. }) => {
                let now = self.find_factor(id).await?;
                if is_enrolled(&setup.sealing, id, (&secret, step), &now) { Ok(()) } else { Err(FactorError::NotFresh) }
            }
            Err(not_saved) => Err(unexpected("operator", not_saved).into()),
        }
    }

    /// The sealed factor of an operator, if there is one, and the step of the code that was used last.
    async fn find_factor(&self, id: OperatorId) -> Result<(Option<Vec<u8>>, i64), StoreError> {
        let row = entity::operator::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.map_or((None, 0), |row| (row.factor, row.factor_step)))
    }
}

/// The same form was sent before: this is the factor already, and its code of this half minute is used.
fn is_enrolled(
    sealing: &Sealing,
    id: OperatorId,
    (secret, step): (&TotpSecret, i64),
    (factor, used): &(Option<Vec<u8>>, i64),
) -> bool {
    let known = factor.as_ref().filter(|_| *used == step).and_then(|sealed| open_factor(sealing, sealed, id).ok());
    known.is_some_and(|known| known.as_bytes() == secret.as_bytes())
}
