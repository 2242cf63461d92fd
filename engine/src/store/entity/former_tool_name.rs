use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "former_tool_name")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub namespace_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub tool_id: Uuid,
    pub given_up_us: i64,
    pub free_us: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
