use super::*;

#[test]
fn links_lead_to_pages_of_a_route() {
    for (link, route, expected) in [
        ("/accounts/acc_01", "/accounts/{id}", true),
        ("/accounts/new", "/accounts/{id}", false),
        ("/accounts", "/accounts/{id}", false),
        ("/accounts/acc_01/grant", "/accounts/{id}", false),
        ("/accounts/acc_01?a=b", "/accounts/{id}", false),
        ("/policies/3", "/policies/{number}", true),
        ("/partners/par_01/users/usr_02", "/partners/{id}/users/{user}", true),
    ] {
        assert_eq!(leads_to(link, route), expected, "{link} {route}");
    }
}

#[test]
fn style_and_scripts_of_a_page_are_found() {
    let page = "<head><link rel=\"stylesheet\" href=\"/a.css\">\n<script src=\"/b.js\" defer></script></head><body>";
    assert_eq!(parts(page), ["/a.css", "/b.js"]);
}
