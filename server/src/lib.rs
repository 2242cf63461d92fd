//! The program: HTTP, upstreams, background work, configuration, command line. `main` only parses and prints.

pub mod app;
pub mod approvals;
pub mod auditors;
pub mod books;
pub mod checkpoints;
pub mod cli;
pub mod config;
pub mod console;
pub mod counts;
pub mod demo;
pub mod gateway;
pub mod http;
pub mod importer;
pub mod leftovers;
pub mod mail;
pub mod marketplace;
pub mod master_key;
pub mod openapi;
pub mod operator;
pub mod payloads;
pub mod publishing;
pub mod state;
pub mod telemetry;
pub mod upstream;
pub mod webhooks;
