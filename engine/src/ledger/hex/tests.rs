use super::{from_hex, hex};

#[test]
fn hexadecimal_goes_there_and_back() {
    assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
    assert_eq!(from_hex("000fa0ff"), Some([0, 0x0f, 0xa0, 0xff]));
    for wrong in ["", "0", "000fa0f", "000fa0ff00", "000fa0fg", "000fa0f\u{e9}"] {
        assert_eq!(from_hex::<4>(wrong), None, "{wrong}");
    }
}
