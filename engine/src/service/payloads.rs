//! What calls carried: arguments and answers, of the tools and for the time that the configuration says, and no longer.
//!
//! They follow behind the answers in transactions of their own, a few at a time, so that no paid call waits for them; what
//! waits when the process is killed is lost, and nothing of the books with it. Every text is sealed under a key from the
//! master key and bound to its call: neither a backup nor the pages that a database has freed and not yet overwritten tell
//! what was in it. Whoever reads one is told of in the audit trail.

use std::{
    collections::VecDeque,
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder as _, QuerySelect,
    sea_query::OnConflict,
};
use serde_json::json;

use super::{Services, invoke::Call, outbox::unexpected};
use crate::{
    audit::{Action, OpContext},
    id::InvocationId,
    sealing::{NONCE_BYTES, SealError, Sealing},
    store::{NotSaved, StoreError, UnitOfWork, entity::payload, payloads},
    upstream::UpstreamAnswer,
};

/// How many bytes wait at most while the database takes none; what comes then is not kept.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many bytes, and how many calls, one transaction writes: paid calls wait for it.
const WRITTEN_BYTES_MAX: usize = 1024 * 1024;
const WRITTEN_MAX: usize = 32;
/// How many one transaction forgets.
const FORGOTTEN_MAX: u64 = 64;

/// Which tools are meant: all (`*`), those of a namespace (`acme/*`), or one (`acme/search`; of the gateway's own tools the
/// name alone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolPattern {
    /// Every tool.
    All,
    /// Every tool of this namespace: its name with the slash.
    Of(String),
    /// This tool, as callers write it.
    One(String),
}

/// The text names no tools.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be `*`, `NAMESPACE/*` or `NAMESPACE/TOOL`")]
pub struct ToolPatternError;

impl std::str::FromStr for ToolPattern {
    type Err = ToolPatternError;

    fn from_str(text: &str) -> Result<Self, ToolPatternError> {
        let is_name =
            |name: &str| !name.is_empty() && !name.contains(['*', '/']) && !name.contains(char::is_whitespace);
        match text.split_once('/') {
            None if text == "*" => Ok(Self::All),
            None if is_name(text) => Ok(Self::One(text.to_owned())),
            Some((namespace, "*")) if is_name(namespace) => Ok(Self::Of(format!("{namespace}/"))),
            Some((namespace, tool)) if is_name(namespace) && is_name(tool) => Ok(Self::One(text.to_owned())),
            _ => Err(ToolPatternError),
        }
    }
}

impl ToolPattern {
    /// Whether the tool is meant that callers write as `path`.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(namespace) => path.starts_with(namespace.as_str()),
            Self::One(tool) => path == tool,
        }
    }
}

/// What is kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayloadRules {
    /// Of which tools. Of none, nothing is kept.
    pub tools: Vec<ToolPattern>,
    /// For how long from the call's end, in microseconds.
    pub keep_us: i64,
    /// How much of the arguments, and how much of the answer, in bytes.
    pub bytes_max: usize,
}

/// The rules, and what they are sealed under. Without rules what was kept before can still be read.
#[derive(Debug)]
pub struct PayloadSetup {
    /// What is kept.
    pub rules: PayloadRules,
    /// A key for payloads alone.
    pub sealing: Sealing,
}

/// A text that was kept: all of it, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptText {
    /// As much as is kept.
    pub text: String,
    /// How long it was, in bytes.
    pub bytes: i64,
}

/// What a call carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The arguments object as its caller wrote it: JSON.
    pub arguments: KeptText,
    /// What the tool answered: its result as JSON, or its own words about why there is none. `None` where it said nothing
    /// that is known.
    pub answer: Option<KeptText>,
    /// When it is forgotten, in microseconds since the Unix epoch.
    pub until_us: i64,
}

/// Why what a call carried is not shown.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It was changed, or the master key is another one.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Waiting {
    rows: VecDeque<payload::Model>,
    bytes: usize,
    /// Something was left out since it was last said.
    is_full: bool,
}

fn size(row: &payload::Model) -> usize {
    row.arguments.len().saturating_add(row.answer.as_ref().map_or(0, Vec::len))
}

impl Waiting {
    /// Takes one in, if there is room. Says whether this is the first one for which there is none.
    fn add(&mut self, row: payload::Model) -> bool {
        let bytes = self.bytes.saturating_add(size(&row));
        if bytes > WAITING_BYTES_MAX {
            return !std::mem::replace(&mut self.is_full, true);
        }
        self.bytes = bytes;
        self.rows.push_back(row);
        false
    }

    /// The oldest ones, as many as one transaction writes.
    fn take(&mut self) -> Vec<payload::Model> {
        let (mut taken, mut bytes) = (Vec::new(), 0_usize);
        while taken.len() < WRITTEN_MAX && bytes < WRITTEN_BYTES_MAX {
            let Some(row) = self.rows.pop_front() else { break };
            bytes = bytes.saturating_add(size(&row));
            taken.push(row);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        self.is_full = false;
        taken
    }

    /// What could not be written waits on, before what came since.
    fn put_back(&mut self, rows: Vec<payload::Model>) {
        for row in rows.into_iter().rev() {
            self.bytes = self.bytes.saturating_add(size(&row));
            self.rows.push_front(row);
        }
    }
}

/// What is kept in this process, and what waits.
#[derive(Debug, Default)]
pub(super) struct Payloads {
    setup: ArcSwapOption<PayloadSetup>,
    waiting: Mutex<Waiting>,
}

impl Payloads {
    fn with<T>(&self, then: impl FnOnce(&mut Waiting) -> T) -> T {
        then(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a text is bound to: which one it is, and its call.
pub(super) fn bound_to(what: &str, call: InvocationId) -> Vec<u8> {
    [b"payload ", what.as_bytes(), call.uuid().as_bytes()].concat()
}

impl PayloadSetup {
    /// The beginning of `text`, sealed, and how long all of it is.
    fn seal(
        &self,
        text: &str,
        what: &str,
        call: InvocationId,
        random: fn(&mut [u8]),
    ) -> Result<(Vec<u8>, i64), SealError> {
        let kept = text.get(..text.floor_char_boundary(self.rules.bytes_max)).unwrap_or(text);
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce);
        let sealed = self.sealing.seal(kept.as_bytes(), nonce, &bound_to(what, call))?;
        Ok((sealed, i64::try_from(text.len()).unwrap_or(i64::MAX)))
    }

    fn open(&self, sealed: &[u8], bytes: i64, what: &str, call: InvocationId) -> Result<KeptText, SealError> {
        let opened = self.sealing.open(sealed, &bound_to(what, call))?;
        Ok(KeptText { text: String::from_utf8_lossy(&opened).into_owned(), bytes })
    }

    fn row(
        &self,
        call: &Call,
        answer: &UpstreamAnswer,
        now_us: i64,
        random: fn(&mut [u8]),
    ) -> Result<payload::Model, SealError> {
        let (arguments, arguments_bytes) = self.seal(&call.arguments, "arguments", call.id, random)?;
        let answer = match answer {
            UpstreamAnswer::Completed { result, .. } => result.as_deref(),
            UpstreamAnswer::Rejected { message, .. }
            | UpstreamAnswer::Forbidden { message, .. }
            | UpstreamAnswer::Failed { message, .. } => message.as_deref(),
            UpstreamAnswer::NotDispatched { .. } | UpstreamAnswer::Unknown { .. } => None,
        };
        let (answer, answer_bytes) = answer.map(|text| self.seal(text, "answer", call.id, random)).transpose()?.unzip();
        Ok(payload::Model {
            call: call.id.uuid(),
            arguments,
            arguments_bytes,
            answer,
            answer_bytes,
            until_us: now_us.saturating_add(self.rules.keep_us),
            end_user_id: call.end_user.as_ref().map(|end_user| end_user.id.uuid()),
        })
    }
}

impl Services {
    /// Says what is kept of calls from now on.
    pub fn set_up_payloads(&self, setup: Arc<PayloadSetup>) {
        self.payloads.setup.store(Some(setup));
    }

    /// Keeps what a call carried, if that is wanted: behind its answer, see [`Self::write_payloads`].
    pub(super) fn keep_payload(&self, call: &Call, answer: &UpstreamAnswer) {
        let setup = self.payloads.setup.load();
        let wanted =
            setup.as_ref().filter(|setup| setup.rules.tools.iter().any(|tools| tools.matches(&call.offer.path)));
        let Some(setup) = wanted else { return };
        match setup.row(call, answer, self.clock.now_us(), self.random) {
            Ok(row) => {
                if self.payloads.with(|waiting| waiting.add(row)) {
                    tracing::warn!("too much waits to be written: what calls carry is not kept for now");
                }
            }
            Err(error) => tracing::error!(%error, invocation = %call.id, "what a call carried is not kept"),
        }
    }

    /// Writes what waits; nothing of end users who were erased, whenever their calls have ended. To be called from time to
    /// time, and before the process ends.
    ///
    /// # Errors
    /// The database does not take it: it waits on, within a bound.
    pub async fn write_payloads(&self) -> Result<(), StoreError> {
        loop {
            let rows = self.payloads.with(Waiting::take);
            if rows.is_empty() {
                return Ok(());
            }
            let mut unit = UnitOfWork::new();
            for row in rows.iter().cloned() {
                if let Some(end_user) = row.end_user_id {
                    unit.push(payloads::insert_of(self.db.backend(), row, end_user), None);
                    continue;
                }
                // An earlier try may have been committed without anybody hearing of it.
                let again = OnConflict::column(payload::Column::Call).do_nothing().to_owned();
                let insert = payload::Entity::insert(row.into_active_model().reset_all()).on_conflict(again);
                unit.any(self.db.backend(), &insert);
            }
            if let Err(error) = self.save_payloads(unit).await {
                self.payloads.with(|waiting| waiting.put_back(rows));
                return Err(error);
            }
        }
    }

    /// Forgets some of what is over. Says whether there was any: then there may be more. Calls go on in between.
    ///
    /// # Errors
    /// The database failed; what is over is still there.
    pub async fn forget_payloads(&self) -> Result<bool, StoreError> {
        // Along `payload_until`.
        let over: Vec<uuid::Uuid> = payload::Entity::find()
            .select_only()
            .column(payload::Column::Call)
            .filter(payload::Column::UntilUs.lte(self.clock.now_us()))
            .order_by_asc(payload::Column::UntilUs)
            .limit(FORGOTTEN_MAX)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        if over.is_empty() {
            return Ok(false);
        }
        let mut unit = UnitOfWork::new();
        unit.any(self.db.backend(), &payload::Entity::delete_many().filter(payload::Column::Call.is_in(over)));
        self.save_payloads(unit).await.map(|()| true)
    }

    async fn save_payloads(&self, unit: UnitOfWork) -> Result<(), StoreError> {
        let saved = self.ledger.save(unit.unaudited("what calls carried, as the configuration says")).await;
        saved.map(drop).map_err(|not_saved: NotSaved| unexpected("payload", not_saved))
    }

    /// What a call carried, if that is kept; the audit trail tells who has read it.
    ///
    /// # Errors
    /// It cannot be opened, or the database failed; then nothing is shown.
    pub async fn read_payload(&self, by: &OpContext, call: InvocationId) -> Result<Option<Payload>, PayloadError> {
        let Some(setup) = self.payloads.setup.load_full() else { return Ok(None) };
        let row = payload::Entity::find_by_id(call.uuid()).one(self.db.readers()).await.map_err(StoreError::from)?;
        let now_us = self.clock.now_us();
        // What is over is not shown, also where nobody has forgotten it yet.
        let Some(row) = row.filter(|row| now_us < row.until_us) else { return Ok(None) };
        let arguments = setup.open(&row.arguments, row.arguments_bytes, "arguments", call)?;
        let answer = row.answer.as_deref().zip(row.answer_bytes);
        let answer = answer.map(|(sealed, bytes)| setup.open(sealed, bytes, "answer", call)).transpose()?;
        self.tell_of_reading(by, call).await?;
        Ok(Some(Payload { arguments, answer, until_us: row.until_us }))
    }

    async fn tell_of_reading(&self, by: &OpContext, call: impl Display) -> Result<(), StoreError> {
        self.record(by, Action::PayloadRead, ("invocation", &call.to_string()), &json!({})).await
    }
}

#[cfg(test)]
mod tests;
