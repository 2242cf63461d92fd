use super::{Done, Form, render_done, render_form, render_gone};

#[test]
fn what_others_wrote_is_escaped() {
    let form = Form { email: "<a>&\"@example.com", is_verifying: true, problem: None, chars_min: 12, chars_max: 128 };
    let page = render_form(&form).unwrap();
    assert!(!page.contains("<a>"), "{page}");
    assert!(page.contains("&#60;a&#62;"), "{page}");
}

#[test]
fn the_pages_need_no_script_and_nothing_foreign() {
    let form = Form { email: "a@b.c", is_verifying: false, problem: Some("No."), chars_min: 12, chars_max: 128 };
    let done = Done { email: "a@b.c", is_verified: true, base_url: "http://127.0.0.1:1" };
    for page in [render_form(&form).unwrap(), render_done(&done).unwrap(), render_gone().unwrap()] {
        for forbidden in ["<script", "style=", "onclick", "<img", "//cdn"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
        assert!(page.contains("<html lang=\"en\">") && page.contains("<h1>"), "{page}");
    }
}
