use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "publisher")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub display_name: String,
    pub is_suspended: bool,
    pub share_bps: i32,
    pub payable: i64,
    pub created_us: i64,
    pub account_id: Option<Uuid>,
    pub website_url: Option<String>,
    pub support_email: Option<String>,
    pub bio: Option<String>,
    pub legal_name: Option<String>,
    pub country: Option<String>,
    pub logo: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
