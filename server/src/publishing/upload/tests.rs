use super::*;

fn form(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (disposition, content) in parts {
        body.push_str(&format!("--b0\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n"));
    }
    body.push_str("--b0--\r\n");
    body.into_bytes()
}

#[test]
fn the_file_is_found_wherever_it_stands() {
    for (parts, wanted) in [
        (&[("name=\"file\"; filename=\"logo.png\"", "abc")][..], Some(&b"abc"[..])),
        (&[("name=\"other\"", "x"), ("name=file", "abc")], Some(b"abc")),
        (&[("name=\"file\"", "")], Some(b"")),
        (&[("name=\"file\"", "a\r\n--b1\r\n\r\nz")], Some(b"a\r\n--b1\r\n\r\nz")),
        (&[("name=\"other\"", "x")], None),
        (&[("filename=\"file\"", "x")], None),
        (&[], None),
    ] {
        assert_eq!(file_of(&form(parts), "b0"), wanted, "{parts:?}");
    }
}

#[test]
fn a_form_that_is_cut_off_has_no_file() {
    let whole = form(&[("name=\"file\"", "abc")]);
    let last = find(&whole, b"\r\n--b0--").unwrap();
    for length in 0..last {
        assert_eq!(file_of(&whole[..length], "b0"), None, "{length}");
    }
}

#[test]
fn a_boundary_is_read_as_it_is_written() {
    for (content_type, wanted) in [
        ("multipart/form-data; boundary=abc", Some("abc")),
        ("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"", Some("a b")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/mixed; boundary=abc", None),
        ("application/json", None),
    ] {
        assert_eq!(boundary_of(content_type), wanted, "{content_type}");
    }
    assert_eq!(boundary_of(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
}
