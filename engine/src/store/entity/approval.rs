use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "approval")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub payload: String,
    pub amount: Option<i64>,
    pub object_kind: String,
    pub object_id: String,
    pub reason: String,
    pub key: Option<String>,
    pub author: Uuid,
    pub created_us: i64,
    pub expires_us: i64,
    pub state: String,
    pub decided_by: Option<Uuid>,
    pub decided_us: Option<i64>,
    pub note: Option<String>,
    pub outcome: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
