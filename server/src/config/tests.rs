//! Tables of configurations and what becomes of them.

mod amounts;
mod catalog;
mod documentation;
mod files;
mod gateway;
mod overlay;
mod positions;
mod server;
mod syntax;

use super::{Config, ConfigSource, Environment, Loaded, load};

/// Loads a text named `t` with these variables.
fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let environment = Environment::from_pairs(variables.iter().copied());
    load(&ConfigSource::Text { name: "t".to_owned(), text: text.to_owned() }, &environment)
        .map_err(|error| error.to_string())
}

fn accepted(text: &str) -> Config {
    load_with(text, &[]).unwrap_or_else(|error| panic!("refused `{text}`: {error}")).config
}

fn refused(text: &str) -> String {
    load_with(text, &[]).map(drop).expect_err(text)
}

/// Each case is a text and the whole message.
#[track_caller]
fn check_refused(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(refused(text), *wanted, "for `{text}`");
    }
}
