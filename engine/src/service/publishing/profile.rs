//! Accounts that become publishers, and what they say of themselves.

use sea_orm::{ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{Change, PublishingError, assets::check_picture, check_text, check_url, trail, unless_empty};
use crate::{
    audit::{Action, OpContext},
    catalog::check_line,
    id::{AccountId, PublisherId},
    pricing::BASIS_POINTS,
    service::{Services, accounts::is_email, catalog::PublisherTerms},
    store::{StoreError, entity},
};

/// A new publisher's share of every charge, in basis points; less where a partner's margin leaves less. Operators change it.
pub(super) const SHARE_BPS_DEFAULT: u16 = 8_000;
/// Longest text about a publisher, in characters.
const BIO_CHARS_MAX: usize = 2_000;

/// A publisher as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnProfile {
    /// Which.
    pub id: PublisherId,
    /// The account that it belongs to; `None` where an operator or a file has made it.
    pub account: Option<AccountId>,
    /// Shown.
    pub display_name: String,
    /// Its own site.
    pub website_url: Option<String>,
    /// Where its customers write to.
    pub support_email: Option<String>,
    /// About it.
    pub bio: Option<String>,
    /// Who is paid.
    pub legal_name: Option<String>,
    /// Where that is: two letters of ISO 3166-1.
    pub country: Option<String>,
    /// The name of a picture, or a URL.
    pub logo: Option<String>,
    /// An operator has stopped its tools.
    pub is_suspended: bool,
    /// Its share of every charge, in basis points.
    pub share_bps: i32,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// What is to be different about a publisher: `None` stays, an empty text takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// Shown; cannot be taken away.
    pub display_name: Option<String>,
    /// Its own site.
    pub website_url: Option<String>,
    /// Where its customers write to.
    pub support_email: Option<String>,
    /// About it.
    pub bio: Option<String>,
    /// Who is paid.
    pub legal_name: Option<String>,
    /// Where that is.
    pub country: Option<String>,
    /// Its picture: a URL, or the path of one that was uploaded here.
    pub logo_url: Option<String>,
}

impl ProfileChange {
    /// `row` with what is different.
    fn apply(&self, row: &entity::publisher::Model) -> Result<entity::publisher::Model, PublishingError> {
        let mut new = row.clone();
        if let Some(name) = &self.display_name {
            check_line(name).map_err(|error| PublishingError::field("display_name", error))?;
            new.display_name.clone_from(name);
        }
        if let Some(url) = &self.website_url {
            new.website_url = unless_empty(url).map(|url| check_url("website_url", &url)).transpose()?;
        }
        if let Some(email) = &self.support_email {
            if !email.is_empty() && !is_email(email) {
                return Err(PublishingError::field("support_email", "must be an e-mail address"));
            }
            new.support_email = unless_empty(email);
        }
        if let Some(bio) = &self.bio {
            check_text("bio", bio, BIO_CHARS_MAX)?;
            new.bio = unless_empty(bio);
        }
        if let Some(name) = &self.legal_name {
            super::check_optional_line("legal_name", name)?;
            new.legal_name = unless_empty(name);
        }
        if let Some(country) = &self.country {
            let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
            if !country.is_empty() && !is_code {
                return Err(PublishingError::field("country", "must be two capital letters, as in ISO 3166-1"));
            }
            new.country = unless_empty(country);
        }
        if let Some(url) = &self.logo_url {
            new.logo = unless_empty(&check_picture("logo_url", url)?);
        }
        Ok(new)
    }
}

impl Services {
    /// Whether an account is a publisher, or may become one.
    ///
    /// # Errors
    /// [`PublishingError::Unverified`], or the database cannot be read.
    pub async fn check_may_publish(&self, account: AccountId) -> Result<(), PublishingError> {
        if self.find_publisher_row(account).await?.is_some() {
            return Ok(());
        }
        self.check_verified(account).await
    }

    async fn check_verified(&self, account: AccountId) -> Result<(), PublishingError> {
        let row = entity::account::Entity::find_by_id(account.uuid()).one(self.db.readers()).await?;
        if row.is_some_and(|row| row.is_verified) { Ok(()) } else { Err(PublishingError::Unverified) }
    }

    /// Makes an account a publisher, with an account of the books for what it earns.
    ///
    /// # Errors
    /// It is one already, and see [`PublishingError`].
    pub async fn register_publisher(
        &self,
        by: &OpContext,
        account: AccountId,
        profile: &ProfileChange,
    ) -> Result<OwnProfile, PublishingError> {
        let mut change = self.begin_change(by).await?;
        if self.find_publisher_row(account).await?.is_some() {
            return Err(PublishingError::conflict("this account is a publisher already"));
        }
        let row = change.add_own_publisher(account, profile).await?;
        change.save().await?;
        Ok(view(row))
    }

    /// What a publisher says of itself.
    ///
    /// # Errors
    /// There is no such publisher, or the database failed.
    pub async fn load_own_profile(&self, publisher: PublisherId) -> Result<OwnProfile, PublishingError> {
        Ok(view(self.load_publisher_row(publisher).await?))
    }

    /// Changes what a publisher says of itself.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn change_own_profile(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        change: &ProfileChange,
    ) -> Result<OwnProfile, PublishingError> {
        let wanted = change;
        let mut change = self.begin_change(by).await?;
        let old = self.load_publisher_row(publisher).await?;
        let new = wanted.apply(&old)?;
        change.change_publisher(&old, &new);
        change.check_pictures(old.id, "logo_url").await?;
        change.save().await?;
        Ok(view(new))
    }

    /// Makes a file a publisher's picture.
    ///
    /// # Errors
    /// It is no picture, and see [`PublishingError`].
    pub async fn set_own_logo(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        file: &[u8],
    ) -> Result<OwnProfile, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_publisher_row(publisher).await?;
        let logo = change.add_asset(file).map_err(|error| PublishingError::field("file", error))?;
        let new = entity::publisher::Model { logo: Some(logo), ..old.clone() };
        change.change_publisher(&old, &new);
        change.check_pictures(old.id, "file").await?;
        change.save().await?;
        Ok(view(new))
    }

    /// As much as a new publisher gets of a charge, next to the partner with the highest margin.
    async fn share_of_new_publishers(&self) -> Result<u16, StoreError> {
        let highest: Option<i32> = entity::partner::Entity::find()
            .select_only()
            .column_as(entity::partner::Column::MarginBps.max(), "highest")
            .into_tuple()
            .one(self.db.readers())
            .await?
            .flatten();
        let margin_bps = u16::try_from(highest.unwrap_or(0)).unwrap_or(BASIS_POINTS);
        Ok(SHARE_BPS_DEFAULT.min(BASIS_POINTS.saturating_sub(margin_bps)))
    }
}

impl Change<'_> {
    /// Adds the publisher that an account becomes, whose address is confirmed. Files know it by a slug that nobody declares by accident.
    pub(super) async fn add_own_publisher(
        &mut self,
        account: AccountId,
        profile: &ProfileChange,
    ) -> Result<entity::publisher::Model, PublishingError> {
        self.services.check_verified(account).await?;
        let share_bps = self.services.share_of_new_publishers().await?;
        let id = PublisherId::new(&*self.services.ids, self.now_us);
        let slug = format!("account-{}", id.uuid().as_simple());
        let display_name = profile.display_name.clone().unwrap_or_default();
        let terms = PublisherTerms { slug: &slug, display_name: &display_name, share_bps };
        let blank = self.services.add_publisher(&mut self.unit, id, &terms, self.now_us);
        let named = ProfileChange { display_name: Some(display_name), ..profile.clone() };
        let row = entity::publisher::Model { account_id: Some(account.uuid()), ..named.apply(&blank)? };
        self.tell(self.by.entry(Action::PublisherCreate, "publisher", id).after(trail::publisher(&row)));
        self.update_publisher(&row);
        Ok(row)
    }

    fn change_publisher(&mut self, old: &entity::publisher::Model, new: &entity::publisher::Model) {
        if old == new {
            return;
        }
        self.pictures.change_publisher(old, new);
        let entry = self.by.entry(Action::PublisherChange, "publisher", PublisherId::from(new.id));
        self.tell(entry.before(trail::publisher(old)).after(trail::publisher(new)));
        self.update_publisher(new);
    }

    /// Nothing changes that is stated of it.
    fn update_publisher(&mut self, row: &entity::publisher::Model) {
        let update = entity::publisher::Entity::update_many()
            .set(row.clone().into_active_model().reset_all())
            .filter(entity::publisher::Column::Id.eq(row.id));
        self.one(&update);
    }
}

fn view(row: entity::publisher::Model) -> OwnProfile {
    OwnProfile {
        id: row.id.into(),
        account: row.account_id.map(AccountId::from),
        display_name: row.display_name,
        website_url: row.website_url,
        support_email: row.support_email,
        bio: row.bio,
        legal_name: row.legal_name,
        country: row.country,
        logo: row.logo,
        is_suspended: row.is_suspended,
        share_bps: row.share_bps,
        created_us: row.created_us,
    }
}
