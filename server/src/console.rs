//! The door of the operators' console: what the pages of `admin` need to know of the server that they are mounted in.

use std::{future::Future, net::IpAddr, path::Path, pin::Pin, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use admin::console::{Console, Disk, Door, GatewayWays, NoExport, SignInTry, UnreadForm, WrittenMail};
use engine::{
    audit::OpContext,
    id::WebhookId,
    ledger::export::request::Request,
    policy::{PolicySources, console::ConsolePolicies},
    sealing::Sealing,
    service::{Services, operators::ConsoleSetup, outbox::OutgoingMail},
    store::{StoreError, books::ReportError},
};
use rustix::fs::statvfs;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::{
    app::StartError,
    auditors::export::{self, NotBegun},
    config::{
        AuthMode, Config, PolicySource,
        master_key::{MasterKey, MasterKeyError},
    },
    http::{
        address::client_address,
        body::{BodyFault, collect},
        limits::AuthLimiter,
        login_backoff::LoginAttempt,
    },
    mail,
    master_key::FACTORS_LABEL,
    upstream::HttpUpstreams,
    webhooks::WebhookKeys,
};

/// Largest form, in bytes: the text of a policy fits.
const FORM_BYTES_MAX: usize = 1024 * 1024;

/// What second factors are sealed under: a key of its own, from the master key.
///
/// # Errors
/// The library fails.
pub fn setup(key: &MasterKey) -> Result<Arc<ConsoleSetup>, MasterKeyError> {
    let sealing = Sealing::new(&key.derive(FACTORS_LABEL)?).map_err(|_failed| MasterKeyError::Crypto)?;
    Ok(Arc::new(ConsoleSetup { sealing }))
}

/// Deletes sessions that are over and marks requests that nobody has decided in time.
///
/// # Errors
/// The database failed.
pub async fn tidy(services: &Services) -> Result<(), StoreError> {
    services.forget_ended_sessions().await?;
    services.expire_approvals().await
}

/// The console over these services, which are told its policies.
///
/// # Errors
/// Its policies cannot be used.
pub fn open(
    services: &Arc<Services>,
    config: &Arc<Config>,
    limiter: &Arc<AuthLimiter>,
    exports: &Arc<Semaphore>,
    (upstreams, webhook_keys): (&Arc<HttpUpstreams>, &WebhookKeys),
) -> Result<Console, StartError> {
    let sources = PolicySources { schema: policies::CONSOLE_SCHEMA, policies: policies::CONSOLE };
    let door = ServerDoor {
        services: Arc::clone(services),
        config: Arc::clone(config),
        limiter: Arc::clone(limiter),
        exports: Arc::clone(exports),
        upstreams: Arc::clone(upstreams),
        webhook_keys: webhook_keys.clone(),
    };
    let policies = Arc::new(ConsolePolicies::load(sources)?);
    services.set_up_console_policies(Arc::clone(&policies));
    Ok(Console { services: Arc::clone(services), policies, door: Box::new(door) })
}

struct ServerDoor {
    services: Arc<Services>,
    config: Arc<Config>,
    limiter: Arc<AuthLimiter>,
    exports: Arc<Semaphore>,
    upstreams: Arc<HttpUpstreams>,
    webhook_keys: WebhookKeys,
}

impl Door for ServerDoor {
    fn client_address(&self, request: &HttpRequest) -> IpAddr {
        client_address(request, &self.config.server.trusted_proxies)
    }

    fn is_private(&self, request: &HttpRequest) -> bool {
        let Some(peer) = request.peer_addr().map(|address| address.ip()) else { return false };
        let is_proxy = self.config.server.trusted_proxies.iter().any(|network| network.contains(&peer));
        if is_proxy {
            let scheme = request.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
            // A proxy that says nothing is taken at its configured word: the public address.
            return scheme.map_or_else(
                || self.origin().starts_with("https://"),
                |scheme| scheme.trim().eq_ignore_ascii_case("https"),
            );
        }
        self.config.server.tls.is_some() || peer.is_loopback()
    }

    fn origin(&self) -> String {
        let url = self.config.server.console_url();
        url::Url::parse(&url).map_or(url, |url| url.origin().ascii_serialization())
    }

    fn begin_sign_in(&self, email: &str, address: IpAddr) -> Result<Box<dyn SignInTry>, u64> {
        let mut rate = self.limiter.check_login_address(address).map_err(|limited| limited.wait_s())?;
        // Apart from accounts: an operator may be a customer, too, under the same address.
        let whose = format!("operator {email}");
        let attempt = self.limiter.try_login(&whose, address, self.services.clock.now_us(), &mut rate);
        Ok(Box::new(Try(attempt.map_err(|limited| limited.wait_s())?)))
    }

    fn disk(&self) -> Option<Disk> {
        let folder = self.services.db.place().file()?.parent().filter(|folder| !folder.as_os_str().is_empty());
        let found = statvfs(folder.unwrap_or(Path::new("."))).ok()?;
        Some(Disk {
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }

    fn gateway(&self) -> GatewayWays {
        let gateway = &self.config.gateway;
        GatewayWays {
            is_policy_from_file: gateway.policy_source == PolicySource::File,
            callers_are_owners: matches!(gateway.auth.mode, AuthMode::Token | AuthMode::Password),
        }
    }

    fn write_out(&self, mail: &OutgoingMail) -> Result<WrittenMail, String> {
        let base_url = self.config.server.base_url(self.config.server.bind);
        let mail::Text { subject, plain, html } = mail::render(mail, &base_url).map_err(|error| error.to_string())?;
        Ok(WrittenMail { subject, plain, html })
    }

    fn read_form(&self, payload: Payload) -> Pin<Box<dyn Future<Output = Result<String, UnreadForm>>>> {
        let wait = Duration::from_secs(u64::from(self.config.limits.body_wait_s));
        Box::pin(async move {
            let mut payload = payload;
            collect(&mut payload, FORM_BYTES_MAX, wait).await.map_err(|fault| match fault {
                BodyFault::TooLarge => UnreadForm::TooLarge,
                BodyFault::Late | BodyFault::Cut | BodyFault::NotText => UnreadForm::Broken,
            })
        })
    }

    fn check_hook(&self, url: String) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
        let upstreams = Arc::clone(&self.upstreams);
        Box::pin(async move {
            upstreams.check_hook(&url).await.map_err(|refusal| {
                if let Some(details) = refusal.details() {
                    tracing::warn!(details, "the address of a webhook in the console may not be called");
                }
                refusal.to_string()
            })
        })
    }

    fn signs_hooks(&self) -> bool {
        self.webhook_keys.is_open()
    }

    fn hook_secret(&self, webhook: WebhookId) -> Option<SecretString> {
        self.webhook_keys.secret_of(webhook)
    }

    fn export(&self, wanted: Request, by: OpContext) -> Pin<Box<dyn Future<Output = Result<HttpResponse, NoExport>>>> {
        let (services, exports) = (Arc::clone(&self.services), Arc::clone(&self.exports));
        Box::pin(async move {
            export::begin(&services, &exports, wanted, &by).await.map_err(|error| match error {
                NotBegun::Full | NotBegun::NoRoom => NoExport::Full,
                NotBegun::Report(ReportError::Store(error)) => NoExport::Store(error),
                NotBegun::Report(error @ ReportError::Unknown { what, .. }) => {
                    NoExport::Refused { what, why: error.to_string() }
                }
                NotBegun::Report(error @ (ReportError::Request(_) | ReportError::Sink(_))) => {
                    NoExport::Refused { what: "report", why: error.to_string() }
                }
                NotBegun::Broken => NoExport::Refused { what: "", why: "the export could not be begun".to_owned() },
            })
        })
    }
}

struct Try(LoginAttempt);

impl SignInTry for Try {
    fn succeed(self: Box<Self>) {
        self.0.succeed();
    }

    fn take_back(self: Box<Self>) {
        self.0.take_back();
    }
}
