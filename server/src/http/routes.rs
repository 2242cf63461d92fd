//! Paths that say which methods they take, and the list of those that are mounted.

use std::fmt;

use actix_web::{
    HttpResponse, Resource, Route, guard,
    http::Method,
    web::{self, PathConfig, ServiceConfig},
};
use engine::code::Code;

use super::problem::Problem;

/// One route: what is asked for, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// How it is asked. `GET` stands for `HEAD` too.
    pub method: Method,
    /// The path, with its variables in braces.
    pub path: String,
}

/// A path with all that it takes, which [`Mount::service`] mounts.
pub struct Place {
    resource: Resource,
    takes: Vec<Mounted>,
}

/// Where routes are mounted, and which were: nothing is mounted for callers but through this, so nothing is served that is
/// not in the list.
pub struct Mount<'c> {
    routes: &'c mut ServiceConfig,
    mounted: Vec<Mounted>,
}

impl<'c> Mount<'c> {
    /// Mounts on `routes`.
    pub fn on(routes: &'c mut ServiceConfig) -> Self {
        Self { routes, mounted: Vec::new() }
    }

    /// Mounts a path.
    pub fn service(&mut self, place: Place) -> &mut Self {
        self.routes.service(place.resource);
        self.mounted.extend(place.takes);
        self
    }

    /// Mounts what a module has.
    pub fn configure(&mut self, add: impl FnOnce(&mut Self)) -> &mut Self {
        add(self);
        self
    }

    /// What was mounted, in its order.
    pub fn mounted(self) -> Vec<Mounted> {
        self.mounted
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.takes).finish()
    }
}

impl fmt::Debug for Mount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mount").field(&self.mounted).finish()
    }
}

/// The path with one route per method. `GET` takes `HEAD` too (RFC 9110, section 9.1). Every other method is answered with
/// 405 and `Allow`.
pub fn resource(path: &str, routes: impl IntoIterator<Item = (Method, Route)>) -> Place {
    let (mut allowed, mut takes) = (Vec::new(), Vec::new());
    let mut resource = web::resource(path);
    for (method, route) in routes {
        allowed.push(method.to_string());
        takes.push(Mounted { method: method.clone(), path: path.to_owned() });
        let route = if method == Method::GET {
            allowed.push(Method::HEAD.to_string());
            route.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            route.method(method)
        };
        resource = resource.route(route);
    }
    let allowed = allowed.join(", ");
    let resource = resource.default_service(web::to(move || std::future::ready(method_not_allowed(&allowed))));
    Place { resource, takes }
}

/// The path with a handler that is given every method, takes `method` alone, and says so in words of its own.
pub fn resource_in_own_words(path: &str, method: Method, route: Route) -> Place {
    let takes = vec![Mounted { method, path: path.to_owned() }];
    Place { resource: web::resource(path).route(route), takes }
}

fn method_not_allowed(allowed: &str) -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::MethodNotAllowed, format!("this path takes {allowed}")).header("allow", allowed))
}

/// Whatever no route matches.
pub async fn not_found() -> Result<HttpResponse, Problem> {
    Err(nothing_here())
}

/// A path whose parts cannot be read names nothing.
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|_unreadable, _request| nothing_here().into())
}

fn nothing_here() -> Problem {
    Problem::new(Code::NotFound, "there is nothing here; GET /openapi.json lists what there is")
}
