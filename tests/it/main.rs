//! The one integration-test binary: one module per subject.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod tidy;
