//! Recorded calls against another policy: which of them would be answered differently.

use std::{collections::HashMap, sync::Arc};

use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    id::{AccountId, EndUserId, InvocationId, TokenId},
    invocation::{CallState, Surface},
    policy::{
        Decision, DecisionRequest, Explanation, Policies, PolicyId,
        chain::{ChainPlace, RecordedDecision, SenderFacts, SessionFacts, decide_again},
    },
    pricing::Price,
    service::{
        Services,
        access::{EndUser, Owner, Principal},
        invoke::{Call, request_for},
        policies::decisions::named,
    },
    snapshot::{GatewaySetup, Offer, Snapshot},
    store::{
        StoreError,
        entity::{self, invocation::Column},
        newest,
    },
};

/// How many recorded calls are decided again at once.
pub const REPLAY_CALLS_MAX: u64 = 10_000;
/// Among how many of the newest calls they are looked for: of many no policy was asked.
const LOOKED_AT: i64 = 100_000;

/// How many calls are read, and decided, together.
const PAGE: u64 = 500;

/// A recorded call that was decided again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedCall {
    /// The call.
    pub call: InvocationId,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// The tool as it was asked for.
    pub tool: String,
    /// The session's key; none on the marketplace.
    pub session_key: Option<String>,
    /// Whether it was allowed when it was made.
    pub was_allowed: bool,
    /// The policies that denied it then.
    pub was_denied_by: Vec<PolicyId>,
    /// How it would be decided; `None` where the tool is not offered any more.
    pub decision: Option<Decision>,
}

impl ReplayedCall {
    /// Whether it would be allowed.
    pub fn is_allowed(&self) -> bool {
        self.decision.as_ref().is_some_and(|decision| decision.allowed)
    }
}

/// What came of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// What was decided again, newest first.
    pub calls: Vec<ReplayedCall>,
}

impl Replayed {
    /// Those that would be answered differently, newest first.
    pub fn flips(&self) -> impl Iterator<Item = &ReplayedCall> {
        self.calls.iter().filter(|call| call.was_allowed != call.is_allowed())
    }

    /// Those that were, and would be, decided like this, newest first.
    pub fn cell(&self, was_allowed: bool, is_allowed: bool) -> impl Iterator<Item = &ReplayedCall> {
        self.calls.iter().filter(move |call| call.was_allowed == was_allowed && call.is_allowed() == is_allowed)
    }
}

/// What deciding a recorded call again takes: not what was explained to its caller, which may be long.
#[derive(Debug, FromQueryResult)]
pub(in crate::service) struct RecordedRow {
    id: Uuid,
    surface: i16,
    account_id: Option<Uuid>,
    token_id: Option<Uuid>,
    partner_id: Option<Uuid>,
    end_user_id: Option<Uuid>,
    tool_id: Option<Uuid>,
    created_us: i64,
    state: i16,
    denied_by: Option<String>,
    requested: Option<String>,
    session_key: Option<String>,
    channel: Option<String>,
    channel_account: Option<String>,
    is_owner: Option<bool>,
}

/// The columns of a [`RecordedRow`].
const COLUMNS: [Column; 15] = [
    Column::Id,
    Column::Surface,
    Column::AccountId,
    Column::TokenId,
    Column::PartnerId,
    Column::EndUserId,
    Column::ToolId,
    Column::CreatedUs,
    Column::State,
    Column::DeniedBy,
    Column::Requested,
    Column::SessionKey,
    Column::Channel,
    Column::ChannelAccount,
    Column::IsOwner,
];

impl From<entity::invocation::Model> for RecordedRow {
    fn from(row: entity::invocation::Model) -> Self {
        Self {
            id: row.id,
            surface: row.surface,
            account_id: row.account_id,
            token_id: row.token_id,
            partner_id: row.partner_id,
            end_user_id: row.end_user_id,
            tool_id: row.tool_id,
            created_us: row.created_us,
            state: row.state,
            denied_by: row.denied_by,
            requested: row.requested,
            session_key: row.session_key,
            channel: row.channel,
            channel_account: row.channel_account,
            is_owner: row.is_owner,
        }
    }
}

/// A recorded call as it can be decided again.
pub(in crate::service) struct Recorded {
    call: Call,
    price: Arc<Price>,
    row: RecordedRow,
}

/// What is known of callers, each looked up once.
#[derive(Default)]
struct Callers {
    owners: HashMap<Uuid, Option<Owner>>,
    end_users: HashMap<Uuid, Option<Arc<EndUser>>>,
}

impl Services {
    /// Decides the newest recorded calls again with `draft`, which [`Services::compile_policy`] made: at most `count_max`
    /// of them, and never more than [`REPLAY_CALLS_MAX`].
    ///
    /// Session, hints, tool and time are those of the call. Accounts, partners, end users and tools are as they are now:
    /// a call of an account that has been suspended since is denied here. Calls whose tool, price or caller is gone, and
    /// calls that no policy was asked about, are passed over.
    ///
    /// They are decided a page at a time, aside from whoever answers requests, and for one operator after the other.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn replay_calls(&self, draft: Arc<Policies>, count_max: u64) -> Result<Replayed, StoreError> {
        let _turn = self.replaying.lock().await;
        let snapshot = self.snapshot();
        let offers = offers_by_id(&snapshot, self.gateway.load().as_deref());
        let mut callers = Callers::default();
        let newest = (Uuid::nil(), Uuid::max());
        let floor = newest::floor(self.db.readers(), "invocation", newest, LOOKED_AT).await?.unwrap_or_default();
        let (mut replayed, mut after, mut left) = (Replayed::default(), Uuid::max(), count_max.min(REPLAY_CALLS_MAX));
        while left > 0 {
            let rows = self.recorded_rows((floor, after), left.min(PAGE)).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            left = left.saturating_sub(PAGE);
            let mut recorded = Vec::with_capacity(rows.len());
            for row in rows {
                let offer = row.tool_id.and_then(|id| offers.get(&id));
                let price = offer.and_then(|offer| offer.tool.prices.in_force_at(row.created_us));
                if let (Some(offer), Some(price)) = (offer, price)
                    && let Some(call) = self.recorded_call(&row, offer, &snapshot, &mut callers).await?
                {
                    recorded.push(Recorded { call, price: Arc::clone(price), row });
                }
            }
            let draft = Arc::clone(&draft);
            let decide = move || recorded.iter().map(|recorded| recorded.again(&draft)).collect::<Vec<_>>();
            let decided = tokio::task::spawn_blocking(decide).await;
            replayed.calls.extend(
                decided.map_err(|error| StoreError::Inconsistent { table: "invocation", what: error.to_string() })?,
            );
        }
        Ok(replayed)
    }

    /// The newest recorded calls that some policy may have been asked about, from behind `after` and not before `floor`: a
    /// range of the primary key.
    async fn recorded_rows(
        &self,
        (floor, after): (Uuid, Uuid),
        count_max: u64,
    ) -> Result<Vec<RecordedRow>, StoreError> {
        let query = entity::invocation::Entity::find()
            .select_only()
            .columns(COLUMNS)
            .filter(Column::ToolId.is_not_null())
            .filter(Column::PriceId.is_not_null())
            .filter(Column::Id.gte(floor))
            .filter(Column::Id.lt(after))
            .order_by_desc(Column::Id)
            .limit(count_max);
        Ok(query.into_model::<RecordedRow>().all(self.db.readers()).await?)
    }

    /// A recorded call as it can be decided again; `None` if its tool, its price or its caller is gone, or if no policy was
    /// asked about it.
    pub(in crate::service) async fn find_recorded(
        &self,
        row: entity::invocation::Model,
    ) -> Result<Option<Recorded>, StoreError> {
        let snapshot = self.snapshot();
        let offers = offers_by_id(&snapshot, self.gateway.load().as_deref());
        let offer = row.tool_id.and_then(|id| offers.get(&id));
        let price = offer.and_then(|offer| offer.tool.prices.in_force_at(row.created_us)).map(Arc::clone);
        let (Some(offer), Some(price)) = (offer, price) else { return Ok(None) };
        let row = RecordedRow::from(row);
        let call = self.recorded_call(&row, offer, &snapshot, &mut Callers::default()).await?;
        Ok(call.map(|call| Recorded { call, price, row }))
    }

    async fn recorded_call(
        &self,
        row: &RecordedRow,
        offer: &Arc<Offer>,
        snapshot: &Arc<Snapshot>,
        callers: &mut Callers,
    ) -> Result<Option<Call>, StoreError> {
        let principal = match row.account_id.or(row.partner_id) {
            None => None,
            Some(id) => {
                let owner = match callers.owners.get(&id) {
                    Some(known) => known.clone(),
                    None => self.find_owner(row.account_id, row.partner_id).await?,
                };
                callers.owners.insert(id, owner.clone());
                let Some(owner) = owner else { return Ok(None) };
                let shown = match (row.token_id, row.account_id) {
                    (Some(token), _) => TokenId::from(token).to_string(),
                    (None, account) => AccountId::from(account.unwrap_or(id)).to_string(),
                };
                let token = row.token_id.map(TokenId::from);
                Some(Arc::new(Principal { token, shown, owner, caps: Vec::new() }))
            }
        };
        let end_user = match row.end_user_id {
            None => None,
            Some(id) => {
                let user = match callers.end_users.get(&id) {
                    Some(known) => known.clone(),
                    None => self.find_recorded_end_user(id).await?,
                };
                callers.end_users.insert(id, user.clone());
                if user.is_none() {
                    return Ok(None);
                }
                user
            }
        };
        let surface = if row.surface == Surface::Gateway.raw() { Surface::Gateway } else { Surface::Marketplace };
        Ok(Some(Call {
            id: InvocationId::from(row.id),
            surface,
            principal,
            end_user,
            gateway: None,
            offer: Arc::clone(offer),
            snapshot: Arc::clone(snapshot),
            arguments: "{}".into(),
            key: None,
            unknown_resolves_after_us: 0,
        }))
    }

    async fn find_recorded_end_user(&self, id: Uuid) -> Result<Option<Arc<EndUser>>, StoreError> {
        let row = entity::end_user::Entity::find_by_id(id).one(self.db.readers()).await?;
        Ok(row.map(|row| {
            let id = EndUserId::from(row.id);
            Arc::new(EndUser { id, name: id.to_string(), is_blocked: row.is_blocked, caps: Vec::new(), wallet: None })
        }))
    }
}

/// Every tool that a call can have been made of: those of the marketplace, and those of the gateway.
pub(in crate::service) fn offers_by_id(snapshot: &Snapshot, setup: Option<&GatewaySetup>) -> HashMap<Uuid, Arc<Offer>> {
    let of_gateway = setup.and_then(|setup| setup.offers(snapshot).ok()).unwrap_or_default();
    let all = snapshot.offers().cloned().chain(of_gateway);
    all.map(|offer| (offer.tool.id.uuid(), offer)).collect()
}

impl Recorded {
    /// How `policies` would decide it, and why; `None` where they know no such tool.
    pub(in crate::service) fn explain(&self, policies: &Policies) -> Option<Explanation> {
        let recorded = self.decision();
        let place = match (&recorded.session, policies.chain()) {
            (Some(session), Some(chain)) => {
                Some(ChainPlace { scope: chain.scope(session), tool: chain.find_tool(recorded.requested)? })
            }
            _ => None,
        };
        Some(policies.explain_call(&DecisionRequest { place, ..recorded.request }))
    }

    fn decision(&self) -> RecordedDecision<'_> {
        let row = &self.row;
        RecordedDecision {
            session: row.session_key.as_deref().map(|session_key| SessionFacts {
                session_key,
                channel: row.channel.as_deref(),
                account: row.channel_account.as_deref(),
                sender: SenderFacts::default(),
                model: None,
                is_owner: row.is_owner.unwrap_or(false),
            }),
            requested: row.requested.as_deref().unwrap_or(&self.call.offer.path),
            request: request_for(&(&self.call).into(), &self.price, row.created_us),
            was_allowed: !self.was_denied(),
        }
    }

    fn was_denied(&self) -> bool {
        CallState::from_raw(self.row.state) == Some(CallState::Denied)
    }

    fn again(&self, draft: &Policies) -> ReplayedCall {
        let recorded = self.decision();
        let denied_by = self.row.denied_by.as_deref().unwrap_or_default();
        ReplayedCall {
            call: self.call.id,
            created_us: self.row.created_us,
            tool: recorded.requested.to_owned(),
            session_key: self.row.session_key.clone(),
            was_allowed: recorded.was_allowed,
            was_denied_by: named(denied_by).map(PolicyId::from).collect(),
            decision: decide_again(draft, &recorded),
        }
    }
}
