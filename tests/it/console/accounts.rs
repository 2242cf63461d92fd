//! The part `accounts` of the console: its use cases.
