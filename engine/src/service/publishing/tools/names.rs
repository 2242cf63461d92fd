//! Names that tools had before they were renamed. While their namespace is in public no other tool of it is called so for a
//! while: who still calls the old name gets no answer, rather than another tool.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel as _, QueryFilter};

use crate::{
    limits::{FORMER_NAME_DAYS, FORMER_TOOL_NAMES_MAX},
    service::{
        Services,
        publishing::{Change, PublishingError, former::kept_until, listing::is_public},
    },
    store::{StoreError, entity},
};

use entity::former_tool_name::{Column, Entity, Model};

impl Services {
    /// What tools of a namespace were called before.
    pub(super) async fn load_former_tool_names(&self, namespace: uuid::Uuid) -> Result<Vec<Model>, StoreError> {
        Ok(Entity::find().filter(Column::NamespaceId.eq(namespace)).all(self.db.readers()).await?)
    }
}

impl Change<'_> {
    /// Lets a tool of `namespace` be called `name`, which none of its tools is now. In a namespace in public it is not given to
    /// another tool than the one that had it; before any other one is in public, an operator looks at it.
    pub(super) fn take_tool_name(
        &mut self,
        (namespace, former): (&entity::namespace::Model, &[Model]),
        tool: uuid::Uuid,
        name: &str,
    ) -> Result<(), PublishingError> {
        let Some(row) = former.iter().find(|row| row.name == name) else { return Ok(()) };
        if is_public(namespace) && row.tool_id != tool && self.now_us < row.free_us {
            return Err(PublishingError::NameKept { field: "name", until_us: row.free_us });
        }
        self.forget_tool_name(row);
        Ok(())
    }

    /// A tool is called `name` from now on: its old name is kept for it, if others knew it by that one (`was_known`).
    pub(super) async fn rename_own_tool(
        &mut self,
        (namespace, was_known): (&entity::namespace::Model, bool),
        old: &entity::tool::Model,
        name: &str,
    ) -> Result<(), PublishingError> {
        let former = self.services.load_former_tool_names(namespace.id).await?;
        self.take_tool_name((namespace, &former), old.id, name)?;
        if !was_known {
            return Ok(());
        }
        let (over, kept): (Vec<&Model>, Vec<&Model>) = former
            .iter()
            .filter(|row| row.name != name)
            .partition(|row| row.free_us <= self.now_us || row.name == old.name);
        if kept.len() >= FORMER_TOOL_NAMES_MAX {
            let message = format!(
                "{FORMER_TOOL_NAMES_MAX} names of tools were given up within {FORMER_NAME_DAYS} days: no other one is for now"
            );
            return Err(PublishingError::conflict(message));
        }
        for row in over {
            self.forget_tool_name(row);
        }
        let row = Model {
            namespace_id: namespace.id,
            name: old.name.clone(),
            tool_id: old.id,
            given_up_us: self.now_us,
            free_us: kept_until(self.now_us),
        };
        self.one(&Entity::insert(row.into_active_model()));
        Ok(())
    }

    fn forget_tool_name(&mut self, row: &Model) {
        let gone =
            Entity::delete_many().filter(Column::NamespaceId.eq(row.namespace_id)).filter(Column::Name.eq(&row.name));
        self.unit.any(self.services.db.backend(), &gone);
    }
}
