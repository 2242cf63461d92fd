//! The real program, called as its users call it.

mod accounts;
mod askfaro;
mod bad_input;
mod console;
mod demo;
mod discovery;
mod faro;
mod faro_document;
mod guesses;
mod hostile;
mod imports;
mod invocations;
mod isolation;
mod mail;
mod mcp;
mod methods;
mod operator;
mod partner_surface;
mod partners;
mod payloads;
mod publishing;
mod replay;
mod servers;
mod stranger;
