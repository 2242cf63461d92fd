//! The one integration-test binary: one module per subject.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod console;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod gateway_cases;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod ledger_cases;
#[cfg(test)]
mod marketplace_wire;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod partners;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod writing;
