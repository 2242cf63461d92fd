//! The shipped policies against their cases.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod console;
#[cfg(test)]
mod extent;
