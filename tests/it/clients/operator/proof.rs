//! The proof that the books carry: signed checkpoints, receipts and exports, and what damage they reveal.

mod books;
mod checkpoints;
mod damage;
mod facts;
mod papers;
