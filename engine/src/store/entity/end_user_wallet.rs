use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "end_user_wallet")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub end_user_id: Uuid,
    pub partner_id: Uuid,
    pub wallet: i64,
    pub created_us: i64,
    /// The end user was erased: what is in it goes to the partner's wallet.
    pub ended_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
