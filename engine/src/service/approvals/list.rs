//! Requests as operators list them.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Approval, ApprovalState, read};
use crate::{
    id::{ApprovalId, OperatorId},
    service::Services,
    store::{StoreError, entity},
};

/// How many approvals a page has at most.
pub const APPROVALS_PAGE_MAX: u64 = 200;

/// Which approvals are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// In this state.
    pub state: Option<ApprovalState>,
    /// Asked for by this operator.
    pub author: Option<OperatorId>,
    /// Asked for by anybody but this operator: what it may decide.
    pub not_author: Option<OperatorId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of one of these kinds; `None`: of any.
    pub kinds: Option<Vec<&'static str>>,
    /// To this object.
    pub object: Option<String>,
}

impl Services {
    /// The newest requests that `filter` wants, newest first, at most `count_max`; those behind `after`, if it is given.
    /// With the place to go on from, if there are more.
    ///
    /// # Errors
    /// The database cannot be read, or holds a request that makes no sense.
    pub async fn list_approvals(
        &self,
        filter: &ApprovalFilter,
        after: Option<ApprovalId>,
        count_max: u64,
    ) -> Result<(Vec<Approval>, Option<ApprovalId>), StoreError> {
        use entity::approval::Column;
        let count = count_max.clamp(1, APPROVALS_PAGE_MAX);
        let now_us = self.clock.now_us();
        let mut wanted = Condition::all();
        // Along the primary key: few things need four eyes. What waits is by `approval_waiting` where that is less.
        if let Some(state) = filter.state {
            wanted = wanted.add(is_in_state(state, now_us));
        }
        if let Some(author) = filter.author {
            wanted = wanted.add(Column::Author.eq(author.uuid()));
        }
        if let Some(author) = filter.not_author {
            wanted = wanted.add(Column::Author.ne(author.uuid()));
        }
        if let Some(kind) = &filter.kind {
            wanted = wanted.add(Column::Kind.eq(kind));
        }
        if let Some(kinds) = &filter.kinds {
            wanted = wanted.add(Column::Kind.is_in(kinds.iter().copied()));
        }
        if let Some(object) = &filter.object {
            wanted = wanted.add(Column::ObjectId.eq(object));
        }
        if let Some(place) = after {
            wanted = wanted.add(Column::Id.lt(place.uuid()));
        }
        let rows = entity::approval::Entity::find()
            .filter(wanted)
            .order_by_desc(Column::Id)
            .limit(count.saturating_add(1))
            .all(self.db.readers())
            .await?;
        let has_more = u64::try_from(rows.len()).unwrap_or(u64::MAX) > count;
        let shown = rows.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX));
        let shown = shown.map(|row| read(row, now_us)).collect::<Result<Vec<_>, _>>()?;
        let next = shown.last().filter(|_approval| has_more).map(|approval| approval.id);
        Ok((shown, next))
    }

    /// A request.
    ///
    /// # Errors
    /// As for [`Self::list_approvals`].
    pub async fn find_approval(&self, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        let row = entity::approval::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.map(|row| read(row, self.clock.now_us())).transpose()
    }
}

/// As [`Approval::state`] says it: what nobody has marked as expired yet counts as that.
pub(super) fn is_in_state(state: ApprovalState, now_us: i64) -> Condition {
    use entity::approval::Column;
    let stored = |state: ApprovalState| Condition::all().add(Column::State.eq(state.as_str()));
    match state {
        ApprovalState::Waiting => stored(state).add(Column::ExpiresUs.gt(now_us)),
        ApprovalState::Expired => {
            Condition::any().add(stored(state)).add(stored(ApprovalState::Waiting).add(Column::ExpiresUs.lte(now_us)))
        }
        _ => stored(state),
    }
}
