//! The part `audit` of the console: its use cases.
