//! The part `health` of the console: its use cases.
