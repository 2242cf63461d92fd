use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operator")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub roles: String,
    pub password_hash: Option<String>,
    pub factor: Option<Vec<u8>>,
    pub factor_step: i64,
    pub is_disabled: bool,
    pub is_demo: bool,
    pub created_us: i64,
    pub signed_in_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
