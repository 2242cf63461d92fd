//! The part `partners` of the console: its use cases.
