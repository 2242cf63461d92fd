//! The part `dashboard` of the console: its use cases.
