//! The part `prices` of the console: its use cases.
