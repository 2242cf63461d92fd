//! The part `search` of the console: its use cases.
