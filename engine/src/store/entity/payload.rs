use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payload")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub call: Uuid,
    pub arguments: Vec<u8>,
    pub arguments_bytes: i64,
    pub answer: Option<Vec<u8>>,
    pub answer_bytes: Option<i64>,
    pub until_us: i64,
    pub end_user_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
