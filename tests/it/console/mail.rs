//! The part `mail` of the console: its use cases.
