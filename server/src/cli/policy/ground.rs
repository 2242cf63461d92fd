//! What policies are tried against: the tools and callers of the database, or those of the configuration where there is
//! no database yet.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use engine::{
    audit::OpContext,
    gateway::session_key::SessionSettings,
    policy::{Policies, WrittenPolicy, WrittenPolicyError},
    service::{Services, explain::AskedPolicies},
    snapshot::{GatewaySetup, Offer},
    store::{DatabasePlace, StoreError},
};
use tempfile::TempDir;

use super::super::{Exit, Failure};
use crate::{
    app::{self, StartError},
    config::{AuthMode, Config, Environment, Loaded, PolicyFile},
    demo,
    gateway::setup::{declared_namespaces, gateway_setup, written_policy},
    importer,
};

pub(super) struct Ground {
    pub(super) services: Arc<Services>,
    /// What `/tools/invoke` offers.
    pub(super) offers: Vec<Arc<Offer>>,
    /// Where the tools are from, in words.
    pub(super) origin: String,
    config: Config,
    setup: GatewaySetup,
    /// The policy in force, where there is a database.
    published: Option<(i64, WrittenPolicy)>,
    /// What a database made for this needs to live.
    _made: Option<(TempDir, JoinHandle<()>)>,
}

/// A policy to look at.
pub(super) struct Subject {
    pub(super) written: WrittenPolicy,
    setup: GatewaySetup,
    source: Source,
}

/// Where it comes from.
enum Source {
    File(PolicyFile),
    /// The version in the database with this number.
    Version(i64),
    Configuration,
}

impl Subject {
    /// Where a value of it was written, as exactly as that is known.
    pub(super) fn place_of(&self, key: &str) -> String {
        match &self.source {
            Source::File(file) => file.place_of(key),
            Source::Version(number) => format!("version {number}"),
            Source::Configuration => "the configuration".to_owned(),
        }
    }

    pub(super) fn describe(&self, error: &WrittenPolicyError) -> Vec<String> {
        match &self.source {
            Source::File(file) => file.describe(error),
            Source::Version(_) | Source::Configuration => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    pub(super) fn sessions(&self) -> SessionSettings {
        SessionSettings::of(&self.written.chain)
    }
}

impl Ground {
    pub(super) async fn open(loaded: &Loaded) -> Result<Self, Failure> {
        let mut config = loaded.config.clone();
        let database = |error: StartError| Failure::new(Exit::Database, error);
        let refused = |error: String| Failure::new(Exit::Refused, error);
        let place =
            DatabasePlace::of(config.database.url.expose()).map_err(|error| Failure::new(Exit::Config, error))?;
        let (services, origin, made) = if place.file().is_some_and(|path| !path.exists()) {
            let declared = importer::declared(&config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
            let folder = TempDir::new().map_err(|error| refused(error.to_string()))?;
            let engine =
                app::open_engine(&config.in_database(&folder.path().join("tollgate.db"))).await.map_err(database)?;
            engine
                .services
                .import(&OpContext::system(), &declared)
                .await
                .map_err(|error| Failure::new(Exit::Config, error))?;
            (engine.services, "the configuration", Some((folder, engine.writer)))
        } else {
            (Arc::new(app::open_readers(&config).await.map_err(database)?), "the database", None)
        };
        let failed = |error: StoreError| Failure::new(Exit::Database, error);
        let mut namespaces = declared_namespaces(&config);
        // The demo offers more than the file says: whoever asks beside it means that.
        if services.find_principal_by_email(demo::EMAIL).await.map_err(failed)?.is_some() {
            demo::offer(&mut config, &mut namespaces);
        }
        let setup = gateway_setup(&config, namespaces);
        let offers = setup.offers(&services.snapshot()).map_err(refused)?;
        let published = if made.is_none() { services.find_published_policy().await } else { Ok(None) };
        let published = published.map_err(failed)?.map(|(version, written)| (version.number, written));
        Ok(Self { services, offers, origin: origin.to_owned(), config, setup, published, _made: made })
    }

    /// The policy in `file`, else the one in force, else that of the configuration.
    pub(super) fn subject(&self, file: Option<&Path>, environment: &Environment) -> Result<Subject, Failure> {
        let Some(path) = file else {
            let (written, source) = match &self.published {
                Some((number, written)) => (written.clone(), Source::Version(*number)),
                None => (written_policy(&self.config), Source::Configuration),
            };
            return Ok(Subject { written, setup: self.setup.clone(), source });
        };
        let wrong = |error: String| Failure::new(Exit::Config, error);
        let file = PolicyFile::read(path, environment).map_err(|error| wrong(error.to_string()))?;
        let mut setup = self.setup.clone();
        if let Some(dialect) = file.dialect {
            setup.dialect = dialect.rules().map_err(|error| wrong(error.to_string()))?;
        }
        Ok(Subject { written: file.policy.clone(), setup, source: Source::File(file) })
    }

    /// The policy in a file, or the version with a number.
    pub(super) async fn named(&self, name: &str, environment: &Environment) -> Result<Subject, Failure> {
        let Ok(number) = name.parse::<i64>() else { return self.subject(Some(Path::new(name)), environment) };
        let found = self.services.find_policy(number).await.map_err(|error| Failure::new(Exit::Database, error))?;
        let missing = || Failure::new(Exit::Refused, format!("there is no version {number} of the policy"));
        let (_, written) = found.ok_or_else(missing)?;
        Ok(Subject { written, setup: self.setup.clone(), source: Source::Version(number) })
    }

    pub(super) fn try_compile(&self, subject: &Subject) -> Result<Policies, WrittenPolicyError> {
        subject.setup.compile(&subject.written, &self.offers)
    }

    pub(super) fn compile(&self, subject: &Subject) -> Result<Policies, Failure> {
        self.try_compile(subject)
            .map_err(|error| Failure::new(Exit::Refused, Self::problems(subject, &error).join("\n")))
    }

    /// Everything that is wrong, a line each: a wrong document keeps nobody from hearing of the Cedar policies beside it.
    pub(super) fn problems(subject: &Subject, error: &WrittenPolicyError) -> Vec<String> {
        let mut problems = subject.describe(error);
        if matches!(error, WrittenPolicyError::Document(_))
            && let Err(error) = Policies::load_with(subject.setup.sources(), &subject.written.operator, None)
        {
            problems.extend(subject.describe(&error.into()));
        }
        problems
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
        AskedPolicies { policies, sessions, setup: &subject.setup, offers: &self.offers }
    }
}
