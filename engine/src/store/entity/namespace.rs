use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "namespace")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub publisher_id: Uuid,
    pub description: String,
    pub is_suspended: bool,
    pub created_us: i64,
    pub listing_name: Option<String>,
    pub category: Option<String>,
    pub tags: String,
    pub connection_id: Option<Uuid>,
    pub status: String,
    pub is_own_suspension: bool,
    pub icon: Option<String>,
    pub readme_source_url: Option<String>,
    pub readme_content: Option<String>,
    pub draft_listing: Option<String>,
    pub credential: Option<Vec<u8>>,
    pub key_identifier: Option<String>,
    pub param_location: Option<String>,
    pub param_description: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
