use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "end_user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub partner_id: Uuid,
    pub external_id: String,
    pub is_blocked: bool,
    pub created_us: i64,
    /// What the partner keeps beside it: a JSON object.
    pub metadata: Option<String>,
    /// From then on nothing is known of it but its identifier.
    pub erased_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
