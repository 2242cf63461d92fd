use tests::{
    binary::{binary_with_failpoints, tollgate_binary},
    workspace,
};

#[test]
fn the_shipped_program_has_no_failpoints() {
    // A place that only a failpoint names.
    let place = b"after_upstream_answer";
    let names_it = |path| std::fs::read(path).unwrap().windows(place.len()).any(|window| window == place);
    assert!(names_it(binary_with_failpoints()), "the search finds what is there");
    assert!(!names_it(tollgate_binary()));
}

#[test]
fn no_feature_turns_failpoints_on_by_itself() {
    for member in ["engine", "server", "admin", "tests", "benches"] {
        let manifest = workspace::read(&format!("{member}/Cargo.toml"));
        let lines: Vec<&str> =
            manifest.lines().filter(|line| line.contains("failpoints") && !line.starts_with('#')).collect();
        let expected: &[&str] = match member {
            "engine" => &["failpoints = []"],
            "server" => &[
                "name = \"tollgate-failpoints\"",
                "path = \"src/with_failpoints.rs\"",
                "required-features = [\"failpoints\"]",
                "failpoints = [\"engine/failpoints\"]",
            ],
            _ => &[],
        };
        assert_eq!(lines, expected, "{member}/Cargo.toml");
    }
}
