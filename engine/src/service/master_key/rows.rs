//! Where what is sealed stands, and to what it is bound.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use crate::{
    ledger::signing,
    operator,
    sealing::{SealError, Sealing},
    service::{Services, payloads, publishing},
    store::{StoreError, UnitOfWork, entity},
};

/// How many rows one unit seals anew.
const PAGE_ROWS: u64 = 100;
/// How many of those that carry texts: paid calls wait for the unit.
const PAGE_PAYLOADS: u64 = 32;

/// What is sealed under the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedKind {
    /// The secret of a publisher's server.
    Connection,
    /// The secret of a publisher's namespace.
    Namespace,
    /// The second factor of an operator.
    Factor,
    /// A key that signs checkpoints.
    SigningKey,
    /// A key that outlives its master key.
    KeptKey,
    /// What a call carried.
    Payload,
}

impl SealedKind {
    /// All, in the order in which they are sealed anew: what calls and people wait for first.
    pub const ALL: [Self; 6] =
        [Self::Connection, Self::Namespace, Self::Factor, Self::SigningKey, Self::KeptKey, Self::Payload];

    /// Its name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection_credentials",
            Self::Namespace => "namespace_credentials",
            Self::Factor => "second_factors",
            Self::SigningKey => "signing_keys",
            Self::KeptKey => "webhook_keys",
            Self::Payload => "payloads",
        }
    }

    /// What people call several of them.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Connection => "secrets of connections",
            Self::Namespace => "secrets of namespaces",
            Self::Factor => "second factors",
            Self::SigningKey => "signing keys",
            Self::KeptKey => "keys of webhooks",
            Self::Payload => "payloads",
        }
    }
}

/// Which row it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowKey {
    Id(Uuid),
    Number(i64),
    Name(String),
}

impl RowKey {
    fn id(&self) -> Uuid {
        if let Self::Id(id) = self { *id } else { Uuid::nil() }
    }

    fn number(&self) -> i64 {
        if let Self::Number(number) = self { *number } else { i64::MIN }
    }

    fn name(&self) -> &str {
        if let Self::Name(name) = self { name } else { "" }
    }
}

impl std::fmt::Display for RowKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{}", id.hyphenated()),
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A row with what is sealed in it.
pub(super) struct SealedRow {
    kind: SealedKind,
    pub(super) key: RowKey,
    /// What is sealed, and to what it is bound.
    parts: Vec<(Vec<u8>, Vec<u8>)>,
}

pub(super) fn bound_to_kept(name: &str) -> Vec<u8> {
    [b"tollgate kept key ".as_slice(), name.as_bytes()].concat()
}

impl SealedRow {
    fn new(kind: SealedKind, key: RowKey, sealed: Vec<u8>, bound_to: Vec<u8>) -> Self {
        Self { kind, key, parts: vec![(sealed, bound_to)] }
    }

    /// Each under a data key of its own.
    const fn is_enveloped(&self) -> bool {
        matches!(self.kind, SealedKind::Connection | SealedKind::Namespace)
    }

    /// Whether this key opens all of it.
    pub(super) fn is_opened_by(&self, sealing: &Sealing) -> bool {
        self.parts.iter().all(|(sealed, bound_to)| {
            let opened = if self.is_enveloped() {
                sealing.open_enveloped(sealed, bound_to)
            } else {
                sealing.open(sealed, bound_to)
            };
            opened.is_ok()
        })
    }

    /// All of it under `new`: a row is never sealed half under one and half under the other.
    pub(super) fn resealed(
        &self,
        old: &Sealing,
        new: &Sealing,
        random: fn(&mut [u8]),
    ) -> Result<Vec<Vec<u8>>, SealError> {
        let again = |(sealed, bound_to): &(Vec<u8>, Vec<u8>)| {
            if self.is_enveloped() {
                old.rewrap(new, sealed, random, bound_to)
            } else {
                old.reseal(new, sealed, random, bound_to)
            }
        };
        self.parts.iter().map(again).collect()
    }

    /// Adds to `unit` that it is stored as `again`, if it still is as it was read.
    pub(super) fn store(&self, services: &Services, unit: &mut UnitOfWork, again: Vec<Vec<u8>>) {
        let backend = services.db.backend();
        let mut again = again.into_iter();
        let (Some(first), Some((was, _))) = (again.next(), self.parts.first()) else { return };
        let was = was.clone();
        match self.kind {
            SealedKind::Connection => {
                use entity::connection::{Column, Entity};
                let update = Entity::update_many().col_expr(Column::Credential, Expr::value(first));
                unit.one(backend, &update.filter(Column::Id.eq(self.key.id())).filter(Column::Credential.eq(was)))
            }
            SealedKind::Namespace => {
                use entity::namespace::{Column, Entity};
                let update = Entity::update_many().col_expr(Column::Credential, Expr::value(first));
                unit.one(backend, &update.filter(Column::Id.eq(self.key.id())).filter(Column::Credential.eq(was)))
            }
            SealedKind::Factor => {
                use entity::operator::{Column, Entity};
                let update = Entity::update_many().col_expr(Column::Factor, Expr::value(first));
                unit.one(backend, &update.filter(Column::Id.eq(self.key.id())).filter(Column::Factor.eq(was)))
            }
            SealedKind::SigningKey => {
                use entity::signing_key::{Column, Entity};
                let update = Entity::update_many().col_expr(Column::Wrapped, Expr::value(first));
                unit.one(backend, &update.filter(Column::Number.eq(self.key.number())).filter(Column::Wrapped.eq(was)))
            }
            SealedKind::KeptKey => {
                use entity::kept_key::{Column, Entity};
                let update = Entity::update_many().col_expr(Column::Sealed, Expr::value(first));
                unit.one(backend, &update.filter(Column::Name.eq(self.key.name())).filter(Column::Sealed.eq(was)))
            }
            SealedKind::Payload => {
                use entity::payload::{Column, Entity};
                let mut update = Entity::update_many().col_expr(Column::Arguments, Expr::value(first));
                if let Some(answer) = again.next() {
                    update = update.col_expr(Column::Answer, Expr::value(answer));
                }
                unit.one(backend, &update.filter(Column::Call.eq(self.key.id())).filter(Column::Arguments.eq(was)))
            }
        };
    }
}

impl Services {
    /// The next rows of a kind in the order of their keys; none if there are no more.
    pub(super) async fn page_of_sealed(
        &self,
        kind: SealedKind,
        after: Option<&RowKey>,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let id = after.map_or(Uuid::nil(), RowKey::id);
        match kind {
            SealedKind::Connection => self.page_of_connections(id).await,
            SealedKind::Namespace => self.page_of_namespaces(id).await,
            SealedKind::Factor => self.page_of_factors(id).await,
            SealedKind::SigningKey => self.page_of_signing_keys(after.map_or(i64::MIN, RowKey::number)).await,
            SealedKind::KeptKey => self.page_of_kept_keys(after.map_or("", RowKey::name)).await,
            SealedKind::Payload => self.page_of_payloads(id).await,
        }
    }

    async fn page_of_connections(&self, after: Uuid) -> Result<Vec<SealedRow>, StoreError> {
        use entity::connection::{Column, Entity};
        let rows = Entity::find().filter(Column::Credential.is_not_null()).filter(Column::Id.gt(after));
        let rows = rows.order_by_asc(Column::Id).limit(PAGE_ROWS).all(self.db.readers()).await?;
        let sealed = |row: entity::connection::Model| {
            let bound_to = publishing::bound_to_connection(row.id);
            SealedRow::new(SealedKind::Connection, RowKey::Id(row.id), row.credential.unwrap_or_default(), bound_to)
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    async fn page_of_namespaces(&self, after: Uuid) -> Result<Vec<SealedRow>, StoreError> {
        use entity::namespace::{Column, Entity};
        let rows = Entity::find().filter(Column::Credential.is_not_null()).filter(Column::Id.gt(after));
        let rows = rows.order_by_asc(Column::Id).limit(PAGE_ROWS).all(self.db.readers()).await?;
        let sealed = |row: entity::namespace::Model| {
            let bound_to = publishing::bound_to_namespace(row.id);
            SealedRow::new(SealedKind::Namespace, RowKey::Id(row.id), row.credential.unwrap_or_default(), bound_to)
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    async fn page_of_factors(&self, after: Uuid) -> Result<Vec<SealedRow>, StoreError> {
        use entity::operator::{Column, Entity};
        let rows = Entity::find().filter(Column::Factor.is_not_null()).filter(Column::Id.gt(after));
        let rows = rows.order_by_asc(Column::Id).limit(PAGE_ROWS).all(self.db.readers()).await?;
        let sealed = |row: entity::operator::Model| {
            let bound_to = operator::factor_bound_to(row.id.into());
            SealedRow::new(SealedKind::Factor, RowKey::Id(row.id), row.factor.unwrap_or_default(), bound_to)
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    async fn page_of_signing_keys(&self, after: i64) -> Result<Vec<SealedRow>, StoreError> {
        use entity::signing_key::{Column, Entity};
        let rows = Entity::find().filter(Column::Number.gt(after)).order_by_asc(Column::Number).limit(PAGE_ROWS);
        let sealed = |row: entity::signing_key::Model| {
            let bound_to = signing::bound_to(row.number, &row.public_key);
            SealedRow::new(SealedKind::SigningKey, RowKey::Number(row.number), row.wrapped, bound_to)
        };
        Ok(rows.all(self.db.readers()).await?.into_iter().map(sealed).collect())
    }

    async fn page_of_kept_keys(&self, after: &str) -> Result<Vec<SealedRow>, StoreError> {
        use entity::kept_key::{Column, Entity};
        let rows = Entity::find().filter(Column::Name.gt(after)).order_by_asc(Column::Name).limit(PAGE_ROWS);
        let sealed = |row: entity::kept_key::Model| {
            let bound_to = bound_to_kept(&row.name);
            SealedRow::new(SealedKind::KeptKey, RowKey::Name(row.name), row.sealed, bound_to)
        };
        Ok(rows.all(self.db.readers()).await?.into_iter().map(sealed).collect())
    }

    async fn page_of_payloads(&self, after: Uuid) -> Result<Vec<SealedRow>, StoreError> {
        use entity::payload::{Column, Entity};
        let rows = Entity::find().filter(Column::Call.gt(after)).order_by_asc(Column::Call).limit(PAGE_PAYLOADS);
        let sealed = |row: entity::payload::Model| {
            let bound_to = |what: &str| payloads::bound_to(what, row.call.into());
            let arguments = (row.arguments, bound_to("arguments"));
            let answer = row.answer.map(|answer| (answer, bound_to("answer")));
            let parts = std::iter::once(arguments).chain(answer).collect();
            SealedRow { kind: SealedKind::Payload, key: RowKey::Id(row.call), parts }
        };
        Ok(rows.all(self.db.readers()).await?.into_iter().map(sealed).collect())
    }
}
