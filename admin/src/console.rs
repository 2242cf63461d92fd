//! The operators' console: what every page of it shares. `route` says what there is and who may, `guard` stands before
//! every handler, `visit` is what a handler knows of the request, `fault` what can go wrong, `form` how forms are read.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    audit::OpContext,
    id::WebhookId,
    ledger::export::request::Request,
    policy::console::ConsolePolicies,
    service::{Services, outbox::OutgoingMail},
    store::StoreError,
};
use secrecy::SecretString;

pub mod assets;
mod csrf;
mod echo;
mod export;
mod fault;
mod form;
mod frame;
mod guard;
mod route;
mod visit;

pub(crate) use export::{
    END_USERS, ListedPage, ROWS_MAX as CSV_ROWS_MAX, WHOLE as CSV_WHOLE, books_position, cell as csv_cell,
    comment as csv_comment, csv, csv_by, csv_of, cut_off as csv_cut_off, json_lines, without_people,
};
pub(crate) use fault::{Answer, Fault};
pub(crate) use form::{Fields, KEY, Problems};
pub(crate) use frame::{Section, plain_page};
pub use route::{Access, ListFile, Route, Verb};
pub(crate) use route::{get, post};
pub(crate) use visit::{STEP_UP_CODE, STEP_UP_FORM, STEP_UP_PASSWORD, Visit};

/// Where the console is mounted.
pub const ROOT: &str = "/admin";

/// What the console needs from the server that it is mounted in.
pub trait Door: Send + Sync {
    /// Who is at the other end, behind trusted proxies.
    fn client_address(&self, request: &HttpRequest) -> IpAddr;

    /// The request came over TLS, here or at a trusted proxy, or never left this machine.
    fn is_private(&self, request: &HttpRequest) -> bool;

    /// Where people find this server, as `scheme://host[:port]`.
    fn origin(&self) -> String;

    /// Counts a try to sign in before its password is looked at.
    ///
    /// # Errors
    /// Too many tries: how many seconds to wait.
    fn begin_sign_in(&self, email: &str, address: IpAddr) -> Result<Box<dyn SignInTry>, u64>;

    /// The room in the folder of the database; `None` where the database is no file.
    fn disk(&self) -> Option<Disk>;
    /// What the configuration says of the gateway.
    fn gateway(&self) -> GatewayWays;

    /// What a mail says, whatever stands in the place of its secrets; or why that cannot be said.
    ///
    /// # Errors
    /// What it says is no longer known.
    fn write_out(&self, mail: &OutgoingMail) -> Result<WrittenMail, String>;

    /// The body of a form, bounded in size and time.
    fn read_form(&self, payload: web::Payload) -> Pin<Box<dyn Future<Output = Result<String, UnreadForm>>>>;

    /// Whether partners may be told at `url`: judged with the addresses that its host has now.
    ///
    /// # Errors
    /// Why not; reads on from the address.
    fn check_hook(&self, url: String) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

    /// Whether the server has the master key for [`Self::hook_secret`].
    fn signs_hooks(&self) -> bool;

    /// The secret with which what is sent to a webhook is signed; none while the server has not the master key for it.
    fn hook_secret(&self, webhook: WebhookId) -> Option<SecretString>;

    /// Begins an export of the books as a download, with the limits that auditors have; the audit trail tells of it as done
    /// by `by`. `wanted` has been checked.
    fn export(&self, wanted: Request, by: OpContext) -> Pin<Box<dyn Future<Output = Result<HttpResponse, NoExport>>>>;
}

/// Why an export did not begin. Nothing of it was sent.
#[derive(Debug, thiserror::Error)]
pub enum NoExport {
    /// As many are under way as there may be.
    #[error("as many exports are under way as there may be")]
    Full,
    /// There is nobody of that name, or it makes no sense.
    #[error("{why}")]
    Refused {
        /// The parameter concerned; empty: none in particular.
        what: &'static str,
        /// Why, in words.
        why: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// What may still be written.
    pub free_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMail {
    /// Its subject.
    pub subject: String,
    /// For who reads text.
    pub plain: String,
    /// The same for who reads HTML.
    pub html: String,
}

/// What the configuration says of the gateway, as far as pages about policies have to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayWays {
    /// The policy of the configuration file is published whenever it has changed: the console only shows it.
    pub is_policy_from_file: bool,
    /// A secret that all callers share makes them owners of the gateway.
    pub callers_are_owners: bool,
}

/// A try to sign in that was counted as a wrong one, until it is said to be something else.
pub trait SignInTry {
    /// The password was right.
    fn succeed(self: Box<Self>);

    /// The password was not looked at.
    fn take_back(self: Box<Self>);
}

/// Why a form could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadForm {
    /// Larger than allowed.
    TooLarge,
    /// It did not arrive in time, or not whole, or is no text.
    Broken,
}

/// What handlers of the console use. One for a process.
pub struct Console {
    /// The use cases.
    pub services: Arc<Services>,
    /// Who may do what here.
    pub policies: Arc<ConsolePolicies>,
    /// The server around it.
    pub door: Box<dyn Door>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Console")
    }
}

/// Mounts the console. The server has put an `Arc<Console>` into its data.
pub fn configure(routes: &mut web::ServiceConfig) {
    let mut scope = web::scope(ROOT).service(web::resource("/static/{file}").route(web::get().to(assets::serve)));
    for resource in route::resources(crate::routes()) {
        scope = scope.service(resource);
    }
    routes.service(web::redirect(ROOT, format!("{ROOT}/")));
    routes.service(scope.default_service(web::to(fault::not_found)));
}
