use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cap_window")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cap_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub start_us: i64,
    pub spent: i64,
    pub held: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
