use engine::{catalog::HttpUrlError, service::catalog::TermFault};

use super::*;

#[test]
fn basis_points_are_read_as_per_cent() {
    for (bps, text) in
        [(0, "0 %"), (10_000, "100 %"), (8_000, "80 %"), (8_250, "82.5 %"), (7, "0.07 %"), (110, "1.1 %")]
    {
        assert_eq!(percent(bps), text);
    }
}

#[test]
fn what_is_wrong_stands_beside_its_field() {
    let mut problems = Problems::default();
    add_problem(&mut problems, CatalogError::Field { field: "url", fault: TermFault::Url(HttpUrlError) }).unwrap();
    add_problem(&mut problems, CatalogError::Taken { field: "slug", what: "publisher" }).unwrap();
    add_problem(&mut problems, CatalogError::Reason).unwrap();
    add_problem(&mut problems, CatalogError::Overtaken).unwrap();
    for field in ["url", "slug", "reason", ""] {
        assert!(problems.of(field).is_some(), "{field}");
    }
    assert!(add_problem(&mut problems, CatalogError::NotFound("tool")).is_err());
}
