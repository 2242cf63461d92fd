//! Everything that is mounted.

use actix_web::{
    App,
    http::Method,
    web::{self, ServiceConfig},
};

use crate::{
    auditors, books, gateway,
    http::{
        health,
        routes::{Mount, Mounted, not_found, path_config, resource, resource_in_own_words},
    },
    marketplace, openapi, publishing,
};

/// All routes.
pub(super) fn everything(routes: &mut ServiceConfig) {
    routes.configure(admin::console::configure).configure(calls);
}

/// What operators need: their pages, and whether the process answers.
pub(super) fn console(routes: &mut ServiceConfig) {
    Mount::on(routes).service(resource("/healthz", [(Method::GET, web::to(health::healthz))]));
    routes.app_data(path_config()).configure(admin::console::configure).default_service(web::to(not_found));
}

/// What everybody else needs.
pub(super) fn calls(routes: &mut ServiceConfig) {
    mount(&mut Mount::on(routes));
    routes.app_data(path_config()).default_service(web::to(not_found));
}

/// Every route that is not the console's, in the order in which a request is compared with them.
pub fn routes() -> Vec<Mounted> {
    let mut mounted = Vec::new();
    drop(App::new().configure(|routes| {
        let mut all = Mount::on(routes);
        mount(&mut all);
        mounted = all.mounted();
    }));
    mounted
}

fn mount(routes: &mut Mount<'_>) {
    routes
        .service(resource("/healthz", [(Method::GET, web::to(health::healthz))]))
        .service(resource("/readyz", [(Method::GET, web::to(health::readyz))]))
        .service(resource("/openapi.json", [(Method::GET, web::to(openapi::serve))]))
        .service(resource("/invoke/{namespace}/{tool_name}", [(Method::POST, web::to(marketplace::invoke::invoke))]))
        .service(resource_in_own_words(gateway::PATH, Method::POST, web::to(gateway::invoke::invoke)))
        .service(resource("/invocations/{id}", [(Method::GET, web::to(marketplace::invocations::show))]))
        .configure(marketplace::discovery::configure)
        .configure(marketplace::auth::configure)
        .configure(marketplace::tokens::configure)
        .configure(marketplace::credits::configure)
        .configure(marketplace::partners::configure)
        .configure(publishing::configure)
        .configure(books::configure)
        .configure(auditors::configure);
}
