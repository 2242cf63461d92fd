use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub publisher_id: Uuid,
    pub label: String,
    pub kind: String,
    pub url: String,
    pub credential: Option<Vec<u8>>,
    pub key_identifier: Option<String>,
    pub param_location: Option<String>,
    pub param_description: Option<String>,
    pub created_us: i64,
    pub changed_us: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
