use super::*;

#[test]
fn a_form_leads_back_to_the_page_that_it_stands_on_and_nowhere_else() {
    for (referer, page) in [
        (
            "https://console.example/admin/refunds/new?invocation=inv_1&credits=2",
            Some("/admin/refunds/new?invocation=inv_1&credits=2"),
        ),
        ("https://console.example/admin/accounts", Some("/admin/accounts")),
        ("https://evil.example/admin/accounts#x", Some("/admin/accounts")),
        ("https://console.example/admin/sign-in?next=%2Fadmin%2F", None),
        ("https://console.example/administrator", None),
        ("https://console.example/", None),
        ("/admin/accounts", None),
        ("javascript:alert(1)", None),
        ("", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(REFERER, HeaderValue::from_str(referer).unwrap());
        assert_eq!(page_of_form(&headers).as_deref(), page, "{referer}");
    }
    assert_eq!(page_of_form(&HeaderMap::new()), None);
}
