//! The operators' console, as browsers and others see it.

mod away;
mod browser;
mod cross_site;
mod desk;
mod exports;
mod forms;
mod gallery;
mod headers;
mod jobs;
mod letting_in;
mod listings;
mod lists;
mod mistakes;
mod money;
mod once;
mod pages;
mod partners;
mod private;
mod roles;
mod routes;
mod samples;
mod sending;
mod sign_in;
mod speed;
mod texts;
mod topics;
