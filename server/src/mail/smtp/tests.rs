use super::{Refusal, Sort, open, sort_of};

#[test]
fn a_number_says_whether_it_is_the_mail_or_we() {
    for (code, sort, text) in [
        (421, Sort::ForNow, "the server refused the mail for now (421)"),
        (451, Sort::ForNow, "the server refused the mail for now (451)"),
        (454, Sort::ForNow, "the server refused the mail for now (454)"),
        (500, Sort::OfUs, "the server takes nothing from here (500)"),
        (504, Sort::OfUs, "the server takes nothing from here (504)"),
        (521, Sort::OfUs, "the server takes nothing from here (521)"),
        (530, Sort::OfUs, "the server takes nothing from here (530)"),
        (535, Sort::OfUs, "the server takes nothing from here (535)"),
        (550, Sort::ForGood, "the server refused the mail for good (550)"),
        (552, Sort::ForGood, "the server refused the mail for good (552)"),
        (554, Sort::ForGood, "the server refused the mail for good (554)"),
    ] {
        let refusal = Refusal { sort: sort_of(code), code: Some(code) };
        assert_eq!((refusal.sort, refusal.to_string().as_str()), (sort, text));
        assert_eq!(refusal.is_permanent(), sort == Sort::ForGood, "{code}");
        assert_eq!(refusal.is_of_server(), sort == Sort::OfUs || code == 421, "{code}");
    }
}

// The pool of connections wants a reactor to be kept in.
#[tokio::test]
async fn an_authority_is_of_use_with_tls_alone_and_has_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let said = |url: &str| open(url, Some(&path)).map(drop).unwrap_err().to_string();
    assert!(said("smtp://localhost?tls=required").contains("not found"));
    std::fs::write(&path, "no certificate").unwrap();
    assert!(said("smtps://localhost").contains("holds no certificate"));
    std::fs::write(&path, include_str!("../../../../tests/src/postgres/server.crt")).unwrap();
    for url in ["smtps://localhost", "smtp://localhost?tls=required", "smtp://localhost?tls=opportunistic"] {
        assert!(open(url, Some(&path)).is_ok(), "{url}");
    }
    assert!(said("smtp://localhost").contains("`mail.ca`"));
}
