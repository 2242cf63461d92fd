use super::*;

#[test]
fn what_is_open_beside_a_list_is_a_page_of_ours_and_no_part_of_its_query() {
    for (query, kept, opened) in [
        ("", "", ""),
        ("email=a%40b&after=1", "email=a%40b&after=1", ""),
        ("open=%2Fadmin%2Faccounts%2Facc_1", "", "/admin/accounts/acc_1"),
        ("view=all&open=%2Fadmin%2Fapprovals%2Fapr_1%3Fa%3Db&kind=x", "view=all&kind=x", "/admin/approvals/apr_1?a=b"),
        ("opened=x&state=open", "opened=x&state=open", ""),
        ("open=https%3A%2F%2Fevil.example%2Fadmin%2F", "", ""),
        ("open=%2F%2Fevil.example", "", ""),
        ("open=%2Fadministrator", "", ""),
        ("open=javascript%3Aalert(1)", "", ""),
        ("open=%2Fadmin%2F%0Ax", "", ""),
        ("open", "", ""),
    ] {
        assert_eq!(split_opened(query), (kept.to_owned(), opened.to_owned()), "{query}");
    }
}
