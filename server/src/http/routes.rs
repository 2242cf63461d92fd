//! Paths that say which methods they take.

use actix_web::{
    HttpResponse, Resource, Route, guard,
    http::Method,
    web::{self, PathConfig},
};
use engine::code::Code;

use super::problem::Problem;

/// The resource at `path` with one route per method. `GET` takes `HEAD` too (RFC 9110, section 9.1). Every other method
/// is answered with 405 and `Allow`.
pub fn resource(path: &str, routes: impl IntoIterator<Item = (Method, Route)>) -> Resource {
    let mut allowed = Vec::new();
    let mut resource = web::resource(path);
    for (method, route) in routes {
        allowed.push(method.to_string());
        let route = if method == Method::GET {
            allowed.push(Method::HEAD.to_string());
            route.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            route.method(method)
        };
        resource = resource.route(route);
    }
    let allowed = allowed.join(", ");
    resource.default_service(web::to(move || std::future::ready(method_not_allowed(&allowed))))
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
