//! The operators' console, as browsers and others see it.

mod browser;
mod cross_site;
mod desk;
mod forms;
mod gallery;
mod headers;
mod letting_in;
mod money;
mod lists;
mod pages;
mod private;
mod roles;
mod routes;
mod samples;
mod sign_in;
