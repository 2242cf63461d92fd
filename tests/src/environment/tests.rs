use super::*;

#[test]
fn the_extent_is_default_unless_long_is_asked_for() {
    assert_eq!(Extent::parse(None), Extent::Default);
    assert_eq!(Extent::parse(Some("default")), Extent::Default);
    assert_eq!(Extent::parse(Some("long")), Extent::Long);
    assert_eq!(Extent::Default.pick(10, 50), 10);
    assert_eq!(Extent::Long.pick(10, 50), 50);
}

#[test]
#[should_panic(expected = "TESTS_EXTENT is `lnog`")]
fn a_misspelt_extent_fails_instead_of_running_less() {
    Extent::parse(Some("lnog"));
}
