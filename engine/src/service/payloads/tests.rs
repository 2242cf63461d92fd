use super::*;

#[test]
fn a_pattern_means_all_tools_those_of_a_namespace_or_one() {
    const PATHS: [&str; 4] = ["acme/search", "acme/find", "acme2/search", "exec"];
    for (text, meant) in [
        ("*", &PATHS[..]),
        ("acme/*", &["acme/search", "acme/find"]),
        ("acme/search", &["acme/search"]),
        ("exec", &["exec"]),
        ("ac", &[]),
    ] {
        let pattern: ToolPattern = text.parse().unwrap();
        assert_eq!(PATHS.into_iter().filter(|path| pattern.matches(path)).collect::<Vec<_>>(), meant, "{text}");
    }
    for text in ["", "/", "*/", "/*", "*/*", "acme/", "/search", "acme/se*", "a*/b", "a/b/c", "acme/ ", "**", "a b"] {
        assert_eq!(text.parse::<ToolPattern>(), Err(ToolPatternError), "{text:?}");
    }
}

fn row(number: u128, bytes: usize) -> payload::Model {
    payload::Model {
        call: uuid::Uuid::from_u128(number),
        arguments: vec![7; bytes / 2],
        arguments_bytes: 1,
        answer: Some(vec![7; bytes - bytes / 2]),
        answer_bytes: Some(1),
        until_us: 1,
        end_user_id: None,
    }
}

fn numbers(rows: &[payload::Model]) -> Vec<u128> {
    rows.iter().map(|row| row.call.as_u128()).collect()
}

#[test]
fn what_waits_is_bounded_and_what_comes_then_is_said_once() {
    let mut waiting = Waiting::default();
    let said: Vec<bool> = (0..6).map(|number| waiting.add(row(number, WAITING_BYTES_MAX / 4))).collect();
    assert_eq!(said, [false, false, false, false, true, false]);
    assert_eq!(numbers(&waiting.take()), [0], "as many bytes as one transaction writes");
    assert!(!waiting.add(row(7, WAITING_BYTES_MAX / 4)), "there is room again");
    assert!(waiting.add(row(8, 1)), "and again there is none");
}

#[test]
fn what_could_not_be_written_waits_on_before_what_came_since() {
    let mut waiting = Waiting::default();
    for number in 0..40 {
        assert!(!waiting.add(row(number, 10)));
    }
    let taken = waiting.take();
    assert_eq!(numbers(&taken), (0..32).collect::<Vec<_>>(), "so many calls at a time");
    assert!(!waiting.add(row(99, 10)));
    waiting.put_back(taken);
    assert_eq!(waiting.bytes, 410);
    assert_eq!(numbers(&waiting.take()), (0..32).collect::<Vec<_>>());
    assert_eq!(numbers(&waiting.take()), (32..40).chain([99]).collect::<Vec<_>>());
    assert_eq!((waiting.bytes, waiting.take().len()), (0, 0));
}

fn setup(bytes_max: usize) -> PayloadSetup {
    let rules = PayloadRules { tools: vec![ToolPattern::All], keep_us: 1, bytes_max };
    PayloadSetup { rules, sealing: Sealing::new(&[9; 32]).unwrap() }
}

fn no_chance(bytes: &mut [u8]) {
    bytes.fill(3);
}

#[test]
fn a_long_text_is_cut_between_letters_and_its_length_is_kept() {
    let call = InvocationId::from(uuid::Uuid::from_u128(1));
    for (bytes_max, text, kept) in [(5, "short", "short"), (4, "short", "shor"), (3, "aä€", "aä"), (1, "€", "")] {
        let setup = setup(bytes_max);
        let (sealed, bytes) = setup.seal(text, "arguments", call, no_chance).unwrap();
        let opened = setup.open(&sealed, bytes, "arguments", call).unwrap();
        let expected = KeptText { text: kept.to_owned(), bytes: i64::try_from(text.len()).unwrap() };
        assert_eq!(opened, expected, "{bytes_max} bytes of {text}");
    }
}

#[test]
fn a_text_opens_as_what_it_is_and_for_its_call_alone() {
    let setup = setup(100);
    let [call, other] = [1, 2].map(|number| InvocationId::from(uuid::Uuid::from_u128(number)));
    let (sealed, bytes) = setup.seal("a secret of 25 letters …", "arguments", call, no_chance).unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
    for (what, call) in [("answer", call), ("arguments", other)] {
        assert_eq!(setup.open(&sealed, bytes, what, call), Err(SealError));
    }
    let mut changed = sealed.clone();
    changed[NONCE_BYTES] ^= 1;
    assert_eq!(setup.open(&changed, bytes, "arguments", call), Err(SealError));
    assert!(setup.open(&sealed, bytes, "arguments", call).is_ok());
}
