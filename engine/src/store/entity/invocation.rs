use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invocation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub surface: i16,
    pub account_id: Option<Uuid>,
    pub token_id: Option<Uuid>,
    pub partner_id: Option<Uuid>,
    pub end_user_id: Option<Uuid>,
    pub tool_id: Option<Uuid>,
    pub price_id: Option<Uuid>,
    pub wallet: Option<i64>,
    pub held: i64,
    pub snapshot_version: i64,
    /// The number of the row in `policy_version`, a hyphen, and sixteen digits for everything that decided.
    pub policy_version: String,
    pub denied_by: Option<String>,
    pub key_scope: Option<Uuid>,
    pub key: Option<String>,
    pub epoch: i64,
    pub created_us: i64,
    pub state: i16,
    pub charged: i64,
    pub shortfall: i64,
    pub error: Option<String>,
    pub warning: Option<String>,
    pub ended_us: Option<i64>,
    pub resolves_us: Option<i64>,
    pub requested: Option<String>,
    pub session_key: Option<String>,
    pub channel: Option<String>,
    pub channel_account: Option<String>,
    pub is_owner: Option<bool>,
    /// Of a denied call: JSON.
    pub explanation: Option<String>,
    /// See [`crate::pricing::units_text`].
    pub priced_units: Option<String>,
    /// See [`crate::pricing::ReturnedValue`].
    pub returned_value: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
