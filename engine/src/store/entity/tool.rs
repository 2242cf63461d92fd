use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tool")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub namespace_id: Option<Uuid>,
    pub name: String,
    pub short_description: String,
    pub long_description: String,
    pub input_schema: String,
    pub is_unverified_ok: bool,
    pub is_suspended: bool,
    pub upstream_method: String,
    pub upstream_url: String,
    pub timeout_ms: i64,
    pub created_us: i64,
    pub category: Option<String>,
    pub tags: String,
    pub upstream_tool: Option<String>,
    pub group_id: Option<Uuid>,
    pub visibility: String,
    pub example_prompts: String,
    pub display_order: i64,
    pub rest: Option<String>,
    pub static_args: Option<String>,
    pub default_args: Option<String>,
    pub unit_fields: Option<String>,
    pub credits_per_unit: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
