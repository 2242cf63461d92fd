//! The part `operators` of the console: its use cases.
