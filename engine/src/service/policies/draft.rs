//! Policies that are kept and decide nothing yet.

use super::{
    PolicyState, PolicyVersionError, PolicyVersionInfo, TRIES_MAX, Text, check_author, check_note, failed, info,
};
use crate::{
    audit::OpContext,
    policy::{Policies, PolicyText, WrittenPolicy, chain::Chain},
    service::Services,
    store::{NotSaved, StoreError, UnitOfWork},
};

impl Services {
    /// Keeps a policy as a draft. Returns it with what is odd about it.
    ///
    /// # Errors
    /// It is wrong, its author or note cannot be used, or the database failed.
    pub async fn draft_policy(
        &self,
        by: &OpContext,
        policy: &WrittenPolicy,
        author: &str,
        note: &str,
    ) -> Result<(PolicyVersionInfo, Vec<String>), PolicyVersionError> {
        check_author(author)?;
        check_note(note)?;
        let text = Text::of(policy)?;
        let compiled = self.compile_policy(policy).await?;
        let kept = self.keep_draft(by, &text, author, note, false).await?;
        Ok((kept, warnings(&compiled)))
    }

    /// The same for a policy that somebody has written, whose comments are kept. What the same author has kept with the same
    /// note, and nobody has published, is not kept twice: a form that is sent again does nothing.
    ///
    /// # Errors
    /// As for [`Services::draft_policy`].
    pub async fn draft_policy_text(
        &self,
        by: &OpContext,
        written: &PolicyText,
        author: &str,
        note: &str,
    ) -> Result<PolicyVersionInfo, PolicyVersionError> {
        check_author(author)?;
        check_note(note)?;
        let broken = |problems: Vec<_>| PolicyVersionError::Broken(problems.iter().map(ToString::to_string).collect());
        let policy = written.read().map_err(broken)?;
        let text = Text::stored(written.to_stored().map_err(broken)?)?;
        self.compile_policy(&policy).await?;
        self.keep_draft(by, &text, author, note, true).await
    }

    async fn keep_draft(
        &self,
        by: &OpContext,
        text: &Text,
        author: &str,
        note: &str,
        is_once: bool,
    ) -> Result<PolicyVersionInfo, PolicyVersionError> {
        let mut tries = 0;
        loop {
            // First the number, then the look: whoever keeps the same in between is seen, and behind it the number is taken.
            let row = self.new_row(text, author, note).await?;
            let known = if is_once { self.find_draft(text).await? } else { None };
            if let Some(known) = known.filter(|draft| draft.author == author && draft.note == note) {
                return Ok(known);
            }
            let mut unit = UnitOfWork::new();
            self.insert(&mut unit, &row);
            match self.ledger.save(unit.audited(super::trail::drafted(by, &row))).await {
                Ok(_) => return Ok(info(&row)?),
                // The number was taken in the meantime.
                Err(NotSaved::Conflict { .. }) if tries < TRIES_MAX => tries = tries.saturating_add(1),
                Err(not_saved) => return Err(failed(not_saved)),
            }
        }
    }

    /// A version with the texts that its author wrote.
    ///
    /// # Errors
    /// The database cannot be read, or the text is damaged.
    pub async fn find_policy_text(&self, number: i64) -> Result<Option<(PolicyVersionInfo, PolicyText)>, StoreError> {
        let Some(row) = self.find_policy_row(number).await? else { return Ok(None) };
        let broken = |what| StoreError::Inconsistent { table: "policy_version", what: format!("{number}: {what}") };
        Ok(Some((info(&row)?, PolicyText::from_stored(&row.text).map_err(broken)?)))
    }

    /// The version that was in force at a time, in microseconds since the Unix epoch; `None` before the first one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_policy_in_force_at(&self, at_us: i64) -> Result<Option<PolicyVersionInfo>, StoreError> {
        let row = self.find_policy_row_at(at_us).await?;
        row.as_ref().map(info).transpose()
    }

    /// Whether another version was published since a draft was kept: which one is in force, and which one was then.
    ///
    /// # Errors
    /// As for [`Services::find_policy_in_force_at`].
    pub async fn find_newer_policy(&self, draft: &PolicyVersionInfo) -> Result<Option<(i64, Option<i64>)>, StoreError> {
        if draft.state != PolicyState::Draft {
            return Ok(None);
        }
        let now = self.find_policy_in_force_at(self.clock.now_us()).await?.map(|version| version.number);
        let then = self.find_policy_in_force_at(draft.created_us).await?.map(|version| version.number);
        Ok(now.filter(|_| now != then).map(|now| (now, then)))
    }
}

fn warnings(compiled: &Policies) -> Vec<String> {
    let chain = compiled.chain().map(Chain::warnings).unwrap_or_default();
    compiled.warnings().iter().cloned().chain(chain.iter().map(ToString::to_string)).collect()
}
