use super::*;

#[test]
fn the_profile_and_the_target_folder_follow_from_the_path_of_the_test() {
    let place = |path: &str| Place::of(Path::new(path)).map(|place| (place.profile, place.target_folder));
    let expected = |profile: &str, folder: &str| Some((profile.to_owned(), PathBuf::from(folder)));
    assert_eq!(place("/w/target/debug/deps/it-0a1b"), expected("dev", "/w/target"));
    assert_eq!(place("/w/target/release/deps/it-0a1b"), expected("release", "/w/target"));
    assert_eq!(place("/elsewhere/profiling/deps/it-0a1b"), expected("profiling", "/elsewhere"));
    assert_eq!(place("it"), None);
}
