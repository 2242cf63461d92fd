//! What auditors take home: exports by the real program, read by the real tools of others and by readers of the tests'
//! own, on both databases.

mod accounting;
mod books;
mod files;
mod http;
mod large;
mod market;
pub(crate) mod read;
mod rows;
