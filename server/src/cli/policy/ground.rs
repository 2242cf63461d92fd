//! What policies are tried against: the tools and callers of the database, or those of the configuration where there is
//! no database yet.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use engine::{
    dialect::Dialect,
    gateway::session_key::SessionSettings,
    policy::{Policies, PolicySources, WrittenPolicy, WrittenPolicyError},
    service::{Services, explain::AskedPolicies},
    snapshot::{Billing, Offer, catalog_of},
    store::DatabasePlace,
};
use serde_json::Value;
use tempfile::TempDir;

use super::super::{Exit, Failure};
use crate::{
    app::{self, StartError},
    config::{AuthMode, Config, Environment, Loaded, PolicyFile},
    gateway::setup::{billing, declared_namespaces, written_policy},
    importer,
};

pub(super) struct Ground {
    pub(super) services: Arc<Services>,
    /// What `/tools/invoke` offers.
    pub(super) offers: Vec<Arc<Offer>>,
    /// Where the tools are from, in words.
    pub(super) origin: String,
    config: Config,
    billing: Billing,
    /// What a database made for this needs to live.
    _made: Option<(TempDir, JoinHandle<()>)>,
}

/// A policy to look at.
pub(super) struct Subject {
    pub(super) written: WrittenPolicy,
    pub(super) dialect: Dialect,
    file: Option<PolicyFile>,
}

impl Subject {
    /// Where a value of it was written: the file alone where that is not known.
    pub(super) fn place_of(&self, key: &str) -> String {
        self.file.as_ref().map_or_else(|| "the policy".to_owned(), |file| file.place_of(key))
    }

    pub(super) fn describe(&self, error: &WrittenPolicyError) -> Vec<String> {
        match &self.file {
            Some(file) => file.describe(error),
            None => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    pub(super) fn sessions(&self) -> SessionSettings {
        let section = |name: &str| self.written.chain.get(name).unwrap_or(&Value::Null);
        SessionSettings::from_sections(section("session"), section("agents"))
    }
}

impl Ground {
    pub(super) async fn open(loaded: &Loaded) -> Result<Self, Failure> {
        let config = loaded.config.clone();
        let database = |error: StartError| Failure::new(Exit::Database, error);
        let refused = |error: String| Failure::new(Exit::Refused, error);
        let place =
            DatabasePlace::of(config.database.url.expose()).map_err(|error| Failure::new(Exit::Config, error))?;
        let (services, origin, made) = if place.file().is_some_and(|path| !path.exists()) {
            let declared = importer::declared(&config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
            let folder = TempDir::new().map_err(|error| refused(error.to_string()))?;
            let engine =
                app::open_engine(&config.in_database(&folder.path().join("tollgate.db"))).await.map_err(database)?;
            engine.services.import(&declared).await.map_err(|error| Failure::new(Exit::Config, error))?;
            (engine.services, "the configuration", Some((folder, engine.writer)))
        } else {
            (Arc::new(app::open_readers(&config).await.map_err(database)?), "the database", None)
        };
        let namespaces = config.gateway.namespaces.clone().unwrap_or_else(|| declared_namespaces(&config));
        let offers = services.snapshot().gateway_offers(&namespaces).map_err(refused)?;
        let billing = billing(&config);
        Ok(Self { services, offers, origin: origin.to_owned(), config, billing, _made: made })
    }

    /// The policy in `file`, else that of the configuration.
    pub(super) fn subject(&self, file: Option<&Path>, environment: &Environment) -> Result<Subject, Failure> {
        let Some(path) = file else {
            let dialect = (*self.config.gateway.rules).clone();
            return Ok(Subject { written: written_policy(&self.config), dialect, file: None });
        };
        let wrong = |error: String| Failure::new(Exit::Refused, error);
        let file = PolicyFile::read(path, environment).map_err(|error| wrong(error.to_string()))?;
        let dialect = match file.dialect {
            Some(dialect) => dialect.rules().map_err(|error| wrong(error.to_string()))?,
            None => (*self.config.gateway.rules).clone(),
        };
        Ok(Subject { written: file.policy.clone(), dialect, file: Some(file) })
    }

    pub(super) fn try_compile(&self, subject: &Subject) -> Result<Policies, WrittenPolicyError> {
        let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
        subject.written.compile(&subject.dialect.chain, sources, &catalog_of(&self.offers))
    }

    pub(super) fn compile(&self, subject: &Subject) -> Result<Policies, Failure> {
        self.try_compile(subject).map_err(|error| Failure::new(Exit::Refused, subject.describe(&error).join("\n")))
    }

    /// A secret that all callers share makes them owners.
    pub(super) fn callers_own_the_gateway(&self) -> bool {
        matches!(self.config.gateway.auth.mode, AuthMode::Token | AuthMode::Password)
    }

    pub(super) fn asked<'a>(
        &'a self,
        subject: &'a Subject,
        policies: &'a Policies,
        sessions: &'a SessionSettings,
    ) -> AskedPolicies<'a> {
        AskedPolicies { policies, dialect: &subject.dialect, sessions, billing: &self.billing, offers: &self.offers }
    }
}
