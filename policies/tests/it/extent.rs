//! The environment of these tests.
//!
//! | variable | values | meaning |
//! | --- | --- | --- |
//! | `TESTS_EXTENT` | `default` (also when absent), `long` | how many random questions are asked |
//! | `CHAIN_SEED` | a number | what the random questions begin with; a failing test prints its own |

#[expect(clippy::disallowed_methods, reason = "tests have no configuration; their variables are documented above")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// One of two sizes.
pub(crate) fn pick<T>(default: T, long: T) -> T {
    match variable("TESTS_EXTENT").as_deref() {
        None | Some("default") => default,
        Some("long") => long,
        Some(other) => panic!("TESTS_EXTENT is `{other}`; it can be `default` or `long`"),
    }
}

/// What random numbers begin with.
pub(crate) fn seed() -> u64 {
    variable("CHAIN_SEED").map_or(99, |text| text.parse().unwrap_or_else(|error| panic!("CHAIN_SEED: {error}")))
}
