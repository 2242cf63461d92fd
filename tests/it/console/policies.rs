//! The part `policies` of the console: its use cases.
