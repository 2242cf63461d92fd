//! What the console answers to, as a table: it is mounted from it, the role matrix is written from it, and tests walk it.

use std::collections::BTreeMap;

use actix_web::{FromRequest, Handler, Resource, Responder, guard as guards, middleware::from_fn, web};
use engine::policy::console::ConsoleAction;

use super::{
    fault,
    guard::{self, Gate},
};

/// How a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Shows and changes nothing; takes `HEAD`, too.
    Get,
    /// Changes something.
    Post,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody: the way in.
    Anybody,
    /// Operators who are signed in and may do this.
    Needs(ConsoleAction),
}

/// Whether what a list shows can be taken away as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFile {
    /// As it is narrowed, at this path below [`super::ROOT`].
    At(&'static str),
    /// It has none of its own, because.
    Without(&'static str),
}

/// One route.
pub struct Route {
    /// How it is asked.
    pub verb: Verb,
    /// The path below [`super::ROOT`], with its variables in braces.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// Its page is a list, or has lists that are its own: tests ask each of them empty, with one row, with many, and wrongly.
    pub list: Option<ListFile>,
    /// Mounts it where there is a page at its path, or none.
    make: Box<dyn Fn(bool) -> actix_web::Route>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} {:?}", self.verb, self.path, self.access)
    }
}

/// A route that shows something.
pub(crate) fn get<F, Args>(path: &'static str, access: Access, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(Verb::Get, path, access, handler)
}

/// A route that changes something.
pub(crate) fn post<F, Args>(path: &'static str, access: Access, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(Verb::Post, path, access, handler)
}

impl Route {
    fn new<F, Args>(verb: Verb, path: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let make = Box::new(move |has_page| {
            let gate = Gate { verb, access, has_page };
            let route = web::to(handler.clone());
            match verb {
                Verb::Get => route.guard(guards::Any(guards::Get()).or(guards::Head())),
                Verb::Post => route.guard(guards::Post()),
            }
            .wrap(from_fn(move |request, next| guard::pass(gate, request, next)))
        });
        Self { verb, path, access, list: None, make }
    }

    /// The same with a list on its page.
    pub(crate) fn lists(self, file: ListFile) -> Self {
        Self { list: Some(file), ..self }
    }
}

/// One resource for every path, with all that it takes.
pub(super) fn resources(routes: Vec<Route>) -> impl Iterator<Item = Resource> {
    let mut paths: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    for route in routes {
        paths.entry(route.path).or_default().push(route);
    }
    paths.into_iter().map(|(path, routes)| {
        let mut resource = web::resource(path);
        let has_page = routes.iter().any(|route| route.verb == Verb::Get);
        for route in &routes {
            resource = resource.route((route.make)(has_page));
        }
        let allowed = routes.iter().map(|route| match route.verb {
            Verb::Get => "GET, HEAD",
            Verb::Post => "POST",
        });
        let allowed: Vec<&str> = allowed.collect();
        let allowed = allowed.join(", ");
        resource.default_service(web::to(move || std::future::ready(fault::method_not_allowed(&allowed))))
    })
}
