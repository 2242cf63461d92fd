use super::*;

#[test]
fn it_follows_the_database_and_never_goes_back() {
    const HOUR_US: i64 = 3_600_000_000;
    let clock = SharedClock::start();
    let before_us = clock.now_us();
    clock.follow(before_us + HOUR_US);
    let ahead_us = clock.now_us();
    assert!(ahead_us >= before_us + HOUR_US);
    clock.follow(before_us - HOUR_US);
    assert!(clock.now_us() >= ahead_us, "it stands still until the database has caught up");
    assert!(clock.wall_us() < before_us, "the database's clock itself was set back");
}
