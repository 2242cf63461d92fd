use super::*;

#[test]
fn a_path_fits_the_pattern_of_its_page() {
    assert!(fits("/accounts/{id}", "/accounts/acc_1"));
    assert!(fits("/", "/"));
    for path in ["/accounts", "/accounts/", "/accounts/acc_1/grant", "/partners/par_1"] {
        assert!(!fits("/accounts/{id}", path), "{path}");
    }
}

#[test]
fn nothing_leads_where_there_is_no_page() {
    assert_eq!(href("/accounts/acc_1?tab=grants"), "/admin/accounts/acc_1?tab=grants");
    assert_eq!(href("/nowhere/acc_1"), "");
    assert_eq!(link("words", "/nowhere"), Cell::text("words"));
}
