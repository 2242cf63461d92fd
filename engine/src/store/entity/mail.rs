use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub recipient: String,
    pub template: String,
    pub data: String,
    pub state: String,
    pub attempts: i32,
    pub next_us: i64,
    pub last_error: Option<String>,
    pub created_us: i64,
    pub sent_us: Option<i64>,
    pub object_kind: Option<String>,
    pub object_id: Option<String>,
    pub key: Option<String>,
    pub claimed_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
