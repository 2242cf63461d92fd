//! dashboard

use crate::console::Route;

pub(super) fn routes() -> Vec<Route> {
    Vec::new()
}
