use super::is_guessable;

#[test]
fn usual_passwords_patterns_and_the_own_address_are_refused() {
    let guessable = [
        "password1234",
        "Password1234!",
        "123456789012",
        "qwertyuiop123",
        "qwertyuiopasdf",
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "iloveyou1234",
        "letmein123456",
        "january012026",
        "tollgatetollgate",
        "anne@example.com",
    ];
    for password in guessable {
        assert!(is_guessable(password, "anne@example.com"), "{password}");
    }
}

#[test]
fn several_words_and_random_text_are_taken() {
    let fine = ["correct horse battery", "k3Vq-9fTz-Wm2x", "träge Möwen zählen Kiesel", "umbrella ninety quartz tuba"];
    for password in fine {
        assert!(!is_guessable(password, "anne@example.com"), "{password}");
    }
}
