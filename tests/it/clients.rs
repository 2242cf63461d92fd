//! The real program, called as its users call it.

mod demo;
mod faro;
mod operator;
mod stranger;
