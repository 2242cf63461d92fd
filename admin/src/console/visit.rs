//! What a handler knows of the request that it answers, and how it answers.

use std::{
    future::{Ready, ready},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, HttpResponse,
    dev::{Payload, ServiceRequest},
    http::header,
};
use engine::{
    audit::OpContext,
    id::RequestId,
    policy::console::{ConsoleAction, ConsoleCaller, ConsoleDecision, ConsoleDenial, ConsoleDenialCode},
    service::{
        Services,
        operators::{ABSOLUTE_HOURS, NewSession, OperatorSession, OperatorSignInError},
    },
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Answer, Console, Fault, Fields, Problems, ROOT, SignInTry, frame};
use crate::{
    kit::{Link, Notice, Page, Tone, page_href},
    text::{t, t_with},
};

/// The session's cookie. `__Host-` binds it to this host and to TLS.
pub(crate) const SESSION_COOKIE: &str = "__Host-tollgate-session";
/// Its name where the connection is plain HTTP on this machine: browsers take `__Host-` only with `Secure`.
const LOOPBACK_COOKIE: &str = "tollgate-session";

/// The fields in which an operator shows again who it is.
pub(crate) const STEP_UP_PASSWORD: &str = "step_up_password";
/// See [`STEP_UP_PASSWORD`].
pub(crate) const STEP_UP_CODE: &str = "step_up_code";
/// What a form that asks for them says of itself: its second copy is known by it.
pub(crate) const STEP_UP_FORM: &str = "step_up_form";

/// What stands in the address of a list for the page that is open beside it.
const OPENED: &str = "open";

/// What the answer to a request sets as the session's cookie. All copies of a visit share it.
#[derive(Debug, Clone, Default)]
pub(super) struct NewCookie(Arc<Mutex<Option<String>>>);

impl NewCookie {
    fn set(&self, cookie: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
    }

    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A request that the guard has let through.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(super) console: Arc<Console>,
    pub(super) session: Option<Arc<OperatorSession>>,
    /// The form has to show first who the operator is: [`Self::permit`] sees to it, and [`Self::context`] that it was asked.
    pub(super) owes_step_up: bool,
    /// The session has another secret from now on, which the answer tells the browser, whatever answer that is: the guard
    /// looks here behind the handler.
    pub(super) new_cookie: NewCookie,
    /// Where the browser is.
    pub(crate) address: IpAddr,
    /// Ties together what the audit trail tells of this request.
    pub(crate) request: RequestId,
    /// When it came, in microseconds since the Unix epoch.
    pub(crate) now_us: i64,
    /// A part of a page is wanted, not the frame around it.
    pub(crate) is_fragment: bool,
    /// The path, as it was asked for.
    pub(crate) path: String,
    /// What stood behind the question mark, without what is open beside the list.
    pub(crate) query: String,
    /// The page that stands open beside this one; empty where none does.
    pub(super) opened: String,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visit({})", self.path)
    }
}

impl FromRequest for Visit {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let visit = request.extensions().get::<Self>().cloned();
        ready(visit.ok_or_else(|| Fault::Broken("a page without its guard".to_owned())))
    }
}

/// The name of the cookie where the console is served at `origin`, and what else it is to say. Under the other name nothing
/// is taken: a neighbour of this host could have set it.
fn cookie_terms(origin: &str) -> (&'static str, &'static str) {
    if origin.starts_with("https://") { (SESSION_COOKIE, "; Secure") } else { (LOOPBACK_COOKIE, "") }
}

/// What the cookie holds, if there is one, where the console is served at `origin`.
pub(super) fn session_secret(request: &ServiceRequest, origin: &str) -> Option<String> {
    let (wanted, _) = cookie_terms(origin);
    let cookies = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
}

/// What stands behind a question mark, without the page that is open beside the list, and that page: none of another site.
pub(super) fn split_opened(query: &str) -> (String, String) {
    let kept = query.split('&').filter(|pair| pair.split('=').next() != Some(OPENED));
    let opened = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == OPENED);
    let opened = opened.map(|(_, page)| page.into_owned()).filter(|page| {
        page.strip_prefix(ROOT).is_some_and(|below| below.starts_with('/')) && !page.contains(char::is_control)
    });
    (kept.collect::<Vec<_>>().join("&"), opened.unwrap_or_default())
}

impl Visit {
    /// The use cases.
    pub(crate) fn services(&self) -> &Services {
        &self.console.services
    }

    /// The server around the console.
    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// Nobody: a route that is open to anybody asked.
    pub(crate) fn signed_in(&self) -> Result<&OperatorSession, Fault> {
        self.session.as_deref().ok_or_else(|| Fault::Broken("nobody is signed in".to_owned()))
    }

    /// Somebody is signed in.
    pub(crate) const fn is_signed_in(&self) -> bool {
        self.session.is_some()
    }

    /// The address of who is signed in; empty if nobody is.
    pub(crate) fn email(&self) -> &str {
        self.session.as_ref().map_or("", |session| session.operator.email.as_str())
    }

    /// Who is signed in has a second factor.
    pub(crate) fn has_factor(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.operator.has_factor)
    }

    /// Who is signed in has shown lately who it is.
    pub(crate) fn is_fresh(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_fresh(self.now_us))
    }

    /// A key for one operation: a form that is sent twice has the same.
    pub(crate) fn new_key(&self) -> String {
        RequestId::new(&*self.services().ids, self.now_us).to_string()
    }

    /// Where the list at `path` begins, if this is not its first page.
    pub(crate) fn first_href(&self, path: &str) -> String {
        let is_later = url::form_urlencoded::parse(self.query.as_bytes()).any(|(name, _)| name == "after");
        if is_later { page_href(path, &self.query, "after", "") } else { String::new() }
    }

    /// The list that is shown as a file at `path`, as it is narrowed in the address, for who may do `action`.
    pub(crate) fn file_links(&self, action: ConsoleAction, path: &str) -> Vec<Link> {
        let link = || Link::new(t("console-export"), page_href(path, &self.query, "after", ""));
        self.may(action).then(link).into_iter().collect()
    }

    /// What the audit trail says of who asks.
    ///
    /// # Errors
    /// As for [`Self::signed_in`].
    pub(crate) fn context(&self) -> Result<OpContext, Fault> {
        if self.owes_step_up && !self.is_fresh() {
            return Err(Fault::Broken("a change before its permit".to_owned()));
        }
        Ok(self.signed_in()?.context(self.request))
    }

    /// Whether the operator may do this, with this many micro-credits where money is moved.
    pub(crate) fn decide(&self, action: ConsoleAction, amount_microcredits: Option<i64>) -> ConsoleDecision {
        let Some(session) = &self.session else {
            return ConsoleDecision::Denied(ConsoleDenial {
                policy: "nobody".to_owned(),
                code: ConsoleDenialCode::Role,
                reason: t("console-nobody"),
            });
        };
        let operator = &session.operator;
        let caller = ConsoleCaller {
            id: operator.id,
            roles: &operator.roles,
            is_fresh: session.is_fresh(self.now_us),
            has_factor: operator.has_factor,
            may_postpone: operator.is_demo,
        };
        self.console.policies.decide(&caller, action, amount_microcredits)
    }

    /// Whether a button for this is worth showing: what is only missing is that the operator shows who it is. How much money
    /// it will be about is not known yet, so the smallest amount is asked about.
    pub(crate) fn may(&self, action: ConsoleAction) -> bool {
        match self.decide(action, Some(0)) {
            ConsoleDecision::Allowed => true,
            ConsoleDecision::Denied(denial) => denial.code == ConsoleDenialCode::StepUp,
        }
    }

    /// Whether a form for this has to ask for the password.
    pub(crate) fn needs_step_up(&self, action: ConsoleAction) -> bool {
        matches!(self.decide(action, Some(0)), ConsoleDecision::Denied(denial) if denial.code == ConsoleDenialCode::StepUp)
    }

    /// The operator may do this with this amount, or will once it has shown who it is.
    ///
    /// # Errors
    /// No.
    pub(crate) fn check(&self, action: ConsoleAction, amount_microcredits: Option<i64>) -> Result<(), Fault> {
        match self.decide(action, amount_microcredits) {
            ConsoleDecision::Denied(denial) if denial.code != ConsoleDenialCode::StepUp => {
                Err(Fault::Forbidden(Box::new(denial)))
            }
            ConsoleDecision::Denied(_) | ConsoleDecision::Allowed => Ok(()),
        }
    }

    /// The operator may do this with this amount, and has shown lately who it is: before, or with this form. What is
    /// missing for that is said of the form's fields.
    ///
    /// # Errors
    /// No; or the database failed.
    pub(crate) async fn permit(
        &mut self,
        action: ConsoleAction,
        amount_microcredits: Option<i64>,
        fields: &Fields,
        problems: &mut Problems,
    ) -> Result<(), Fault> {
        self.check(action, amount_microcredits)?;
        match self.decide(action, amount_microcredits) {
            ConsoleDecision::Allowed => Ok(()),
            ConsoleDecision::Denied(_) => self.step_up(fields, problems).await,
        }
    }

    /// The operator has shown lately who it is: before, or with this form. For what an operator does to itself.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn renew(&mut self, fields: &Fields, problems: &mut Problems) -> Result<(), Fault> {
        if self.signed_in()?.is_fresh(self.now_us) { Ok(()) } else { self.step_up(fields, problems).await }
    }

    async fn step_up(&mut self, fields: &Fields, problems: &mut Problems) -> Result<(), Fault> {
        let password = fields.raw(STEP_UP_PASSWORD);
        if password.is_empty() {
            problems.add(STEP_UP_PASSWORD, t("console-step-up-password"));
            return Ok(());
        }
        let password = SecretString::from(password.to_owned());
        let filled = |name| Some(fields.text(name)).filter(|text| !text.is_empty());
        let (code, form) = (filled(STEP_UP_CODE), filled(STEP_UP_FORM));
        let Some(attempt) = self.try_password(STEP_UP_PASSWORD, problems)? else { return Ok(()) };
        let session = self.signed_in()?;
        match self.services().refresh_operator_session(self.request, session, Some(&password), code, form).await {
            Ok(session) => {
                attempt.succeed();
                self.adopt(&session).await
            }
            Err(OperatorSignInError::BadCredentials) => {
                problems.add(STEP_UP_PASSWORD, t("console-step-up-wrong"));
                Ok(())
            }
            Err(OperatorSignInError::Elsewhere) => {
                attempt.take_back();
                problems.add(STEP_UP_PASSWORD, t("console-step-up-elsewhere"));
                Ok(())
            }
            Err(OperatorSignInError::Busy) => {
                attempt.take_back();
                Err(Fault::Wait(1))
            }
            Err(OperatorSignInError::Store(error)) => {
                attempt.take_back();
                Err(error.into())
            }
        }
    }

    /// Counts a try at the password of who is signed in, before it is looked at, as a try to sign in is: whoever has found a
    /// session open guesses no faster here. Too many are said of the form's field `name`, which keeps what else was typed.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub(crate) fn try_password(
        &self,
        name: &str,
        problems: &mut Problems,
    ) -> Result<Option<Box<dyn SignInTry>>, Fault> {
        match self.console.door.begin_sign_in(&self.signed_in()?.operator.email, self.address) {
            Ok(attempt) => Ok(Some(attempt)),
            Err(seconds) => {
                problems.add(name, t_with("console-password-wait", &[("seconds", seconds.into())]));
                Ok(None)
            }
        }
    }

    /// Goes on in another session: that of somebody who has just shown who it is.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn adopt(&mut self, session: &NewSession) -> Result<(), Fault> {
        let found = self.services().find_operator_session(session.secret.expose_secret()).await?;
        self.session = found.map(Arc::new);
        self.new_cookie.set(self.cookie(session.secret.expose_secret(), ABSOLUTE_HOURS));
        Ok(())
    }

    /// Takes the session's cookie away.
    pub(crate) fn forget(&mut self) {
        self.session = None;
        self.new_cookie.set(self.cookie("", 0));
    }

    /// A page, whole or as a part.
    pub(crate) async fn show(&self, page: Page) -> Answer {
        self.show_as(HttpResponse::Ok(), page).await
    }

    /// A page after a form that could not be used: what was typed stands in it.
    pub(crate) async fn show_refused(&self, page: Page) -> Answer {
        self.show_as(super::fault::refused_form(), page).await
    }

    async fn show_as(&self, mut response: actix_web::HttpResponseBuilder, mut page: Page) -> Answer {
        if let Some(session) = &self.session
            && session.flash.is_some()
            && let Some(flash) = self.services().take_flash(&session.key).await?
        {
            page.flash = Some(Notice::new(Tone::Good, flash));
        }
        let html = frame::render(self, &page)?;
        Ok(response.content_type("text/html; charset=utf-8").body(html))
    }

    /// A page without the frame.
    pub(crate) fn plain(html: String) -> HttpResponse {
        HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
    }

    /// To another page of the console, where `said` is shown once.
    pub(crate) async fn go(&self, to: &str, said: &str) -> Answer {
        if let Some(session) = &self.session {
            self.services().put_flash(&session.key, said).await?;
        }
        Ok(self.go_quietly(to))
    }

    /// To another page of the console.
    pub(crate) fn go_quietly(&self, to: &str) -> HttpResponse {
        super::fault::see_other(to, self.is_fragment).finish()
    }

    fn cookie(&self, value: &str, hours: i64) -> String {
        let (name, secure) = cookie_terms(&self.console.door.origin());
        let seconds = hours.saturating_mul(3_600);
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }
}

#[cfg(test)]
mod tests;
