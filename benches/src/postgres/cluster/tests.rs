use super::{draw_secret, find_user, newest_first};

#[test]
fn the_newest_version_comes_first_and_old_ones_do_not_come() {
    let names = ["9.6", "14", "15", "lost+found", "17", "16"].map(str::to_owned).into_iter();
    assert_eq!(newest_first(names), [17, 16, 15]);
}

#[test]
fn a_user_is_found_by_the_whole_name() {
    let users =
        "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:/bin/sh\npostgres:x:110:115:a b,,,:/var:/bin/sh\nbad:x:\n";
    assert_eq!(find_user(users, "postgres"), Some((110, 115)));
    assert_eq!(find_user(users, "bad"), None);
    assert_eq!(find_user(users, "nobody"), None);
}

#[test]
fn no_two_clusters_have_the_same_secret() {
    let (one, other) = (draw_secret(), draw_secret());
    assert!(one.len() == 32 && one != other, "{one} {other}");
}
