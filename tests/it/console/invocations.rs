//! The part `invocations` of the console: its use cases.
