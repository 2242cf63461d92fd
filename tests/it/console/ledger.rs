//! The part `ledger` of the console: its use cases.
