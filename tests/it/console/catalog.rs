//! The part `catalog` of the console: its use cases.
