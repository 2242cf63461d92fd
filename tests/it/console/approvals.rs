//! The part `approvals` of the console: its use cases.
