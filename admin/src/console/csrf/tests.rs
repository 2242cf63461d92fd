use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

const ORIGIN_OF_OURS: &str = "https://tollgate.example";

fn checked(headers: &[(&str, &str)]) -> Result<(), CrossSite> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    check(&map, ORIGIN_OF_OURS)
}

#[test]
fn only_forms_of_our_own_pages_pass() {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let cases: [(&[(&str, &str)], Result<(), CrossSite>); 12] = [
        (&[("sec-fetch-site", "same-origin"), form], Ok(())),
        (
            &[("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            Ok(()),
        ),
        (&[("origin", ORIGIN_OF_OURS), form], Ok(())),
        (&[("sec-fetch-site", "same-site"), ("origin", ORIGIN_OF_OURS), form], Err(CrossSite::OtherSite)),
        (&[("sec-fetch-site", "cross-site"), form], Err(CrossSite::OtherSite)),
        (&[("sec-fetch-site", "none"), form], Err(CrossSite::OtherSite)),
        (&[("sec-fetch-site", "anything"), form], Err(CrossSite::OtherSite)),
        (&[("origin", "null"), form], Err(CrossSite::OtherSite)),
        (&[("origin", "https://tollgate.example.evil"), form], Err(CrossSite::OtherSite)),
        (&[("origin", "http://tollgate.example"), form], Err(CrossSite::OtherSite)),
        (&[form], Err(CrossSite::Unknown)),
        (&[("sec-fetch-site", "same-origin"), ("content-type", "text/plain")], Err(CrossSite::NotAForm)),
    ];
    for (headers, expected) in cases {
        assert_eq!(checked(headers), expected, "{headers:?}");
    }
}
