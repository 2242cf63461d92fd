use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_version")]
pub struct Model {
    /// What an invocation's `policy_version` begins with.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub text: String,
    pub sha256: Vec<u8>,
    pub author: String,
    pub note: String,
    pub state: String,
    pub replaces: Option<i64>,
    pub created_us: i64,
    pub published_us: Option<i64>,
    pub retired_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
