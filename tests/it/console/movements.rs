//! The part `movements` of the console: its use cases.
