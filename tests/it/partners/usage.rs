//! What calls of partners came to, counted behind them: once, by day, month, end user and tool.

use engine::{
    id::{PartnerId, first_at},
    service::{
        Services,
        partners::{UsageBy, UsagePage, UsagePeriod, UsageQuery, UsageSubject},
    },
    store::UnitOfWork,
    testing::push_statement,
};
use uuid::Uuid;

use super::{by, literal, open, partner};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    usage_is_counted_once_by_day_end_user_and_tool,
    a_page_of_usage_goes_on_where_the_last_one_ended,
}

const DAY_US: i64 = 86_400 * SECOND_US;

/// A call of a partner as it stands when it has ended.
async fn add_call(desk: &Desk, kind: Kind, at_us: i64, who: (PartnerId, Option<Uuid>), charged: i64) {
    let mut id = first_at(at_us).as_u128();
    id |= desk.fresh().uuid().as_u128() & 0x0fff_ffff;
    let end_user = who.1.map_or_else(|| "NULL".to_owned(), |user| literal(kind, user));
    let sql = format!(
        "INSERT INTO invocation (id, surface, partner_id, end_user_id, held, snapshot_version, policy_version, epoch,
                                 created_us, state, charged, shortfall, ended_us)
         VALUES ({}, 1, {}, {end_user}, 0, 1, 'test', 1, {at_us}, 4, {charged}, 0, {at_us})",
        literal(kind, Uuid::from_u128(id)),
        literal(kind, who.0.uuid()),
    );
    let mut unit = UnitOfWork::new();
    push_statement(&mut unit, &sql, Some(1));
    desk.save(unit).await.unwrap();
}

async fn count(desk: &Desk, services: &Services) {
    // Whatever may still be under way has ended.
    desk.clock.advance_us(1_000 * SECOND_US);
    while services.count_further().await.unwrap() {}
}

async fn list(services: &Services, partner: PartnerId, by: UsageBy, period: UsagePeriod) -> UsagePage {
    let query = UsageQuery { by, period, from_us: 0, to_us: i64::MAX };
    services.list_partner_usage(partner, query, None, 500).await.unwrap()
}

/// Calls, charged calls and micro-credits of every line.
fn sums(page: &UsagePage) -> Vec<(i64, i64, i64)> {
    page.rows.iter().map(|line| (line.calls, line.paid_calls, line.charged.micros())).collect()
}

async fn usage_is_counted_once_by_day_end_user_and_tool(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (globex, initech) = (partner(&services, "Globex").await, partner(&services, "Initech").await);
    assert_eq!(list(&services, globex.id, UsageBy::Total, UsagePeriod::Day).await.rows, []);
    let (ann, ben) = (
        services.load_end_user(globex.id, "ann").await.unwrap().id,
        services.load_end_user(globex.id, "ben").await.unwrap().id,
    );
    let first_us = desk.now_us();
    for (after_us, user, charged) in [(0, ann, 5), (SECOND_US, ann, 0), (2 * SECOND_US, ben, 7), (DAY_US, ann, 11)] {
        add_call(&desk, kind, first_us + after_us, (globex.id, Some(user.uuid())), charged).await;
    }
    add_call(&desk, kind, first_us + SECOND_US, (globex.id, None), 0).await;
    add_call(&desk, kind, first_us + SECOND_US, (initech.id, None), 1_000).await;
    desk.clock.advance_us(DAY_US);
    count(&desk, &services).await;
    for _ in 0..2 {
        let days = list(&services, globex.id, UsageBy::Total, UsagePeriod::Day).await;
        assert_eq!(sums(&days), [(4, 2, 12), (1, 1, 11)]);
        assert_eq!(days.rows[0].start_us, first_us - first_us % DAY_US);
        assert!(days.counted_until_us > first_us + DAY_US, "{days:?}");
        assert_eq!(sums(&list(&services, globex.id, UsageBy::Total, UsagePeriod::Month).await), [(5, 3, 23)]);
        assert_eq!(sums(&list(&services, initech.id, UsageBy::Total, UsagePeriod::Day).await), [(1, 1, 1_000)]);
        let of_ann = list(&services, globex.id, UsageBy::OneEndUser(ann), UsagePeriod::Month).await;
        assert_eq!(sums(&of_ann), [], "from the year 1970 on, that is more months than are looked up");
        count(&desk, &services).await;
    }
    let of = async |by: UsageBy, period: UsagePeriod| {
        let query = UsageQuery { by, period, from_us: first_us, to_us: first_us + 2 * DAY_US };
        services.list_partner_usage(globex.id, query, None, 500).await.unwrap()
    };
    assert_eq!(sums(&of(UsageBy::OneEndUser(ann), UsagePeriod::Day).await), [(2, 1, 5), (1, 1, 11)]);
    assert_eq!(sums(&of(UsageBy::OneEndUser(ben), UsagePeriod::Month).await), [(1, 1, 7)]);
    let users = of(UsageBy::EndUser, UsagePeriod::Month).await;
    let mut shown: Vec<_> = users.rows.iter().map(|line| (line.subject.clone(), line.charged.micros())).collect();
    shown.sort_by_key(|(_, charged)| *charged);
    let named = |id, name: &str| UsageSubject::EndUser(id, Some(name.to_owned()));
    assert_eq!(shown, [(UsageSubject::Unknown, 0), (named(ben, "ben"), 7), (named(ann, "ann"), 16)]);
    assert_eq!(sums(&of(UsageBy::Tool, UsagePeriod::Month).await), [(5, 3, 23)]);
    let months = services.list_partner_months(globex.id).await.unwrap();
    assert_eq!(sums(&months), [(5, 3, 23)]);

    // What was erased keeps its sums, and has no name any more.
    services.erase_own_end_user(&by(), globex.id, "ann").await.unwrap();
    let users = of(UsageBy::EndUser, UsagePeriod::Month).await;
    assert!(users.rows.iter().any(|line| line.subject == UsageSubject::EndUser(ann, None)), "{users:?}");
}

async fn a_page_of_usage_goes_on_where_the_last_one_ended(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let first_us = desk.now_us();
    for number in 0..7 {
        let user = services.load_end_user(globex.id, &format!("u-{number}")).await.unwrap().id;
        for day in 0..2 {
            add_call(&desk, kind, first_us + day * DAY_US, (globex.id, Some(user.uuid())), 1).await;
        }
    }
    desk.clock.advance_us(DAY_US);
    count(&desk, &services).await;
    let query = UsageQuery { by: UsageBy::EndUser, period: UsagePeriod::Day, from_us: first_us, to_us: i64::MAX };
    let whole = services.list_partner_usage(globex.id, query, None, 500).await.unwrap();
    assert_eq!((whole.rows.len(), whole.next), (14, None));
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = services.list_partner_usage(globex.id, query, after, 4).await.unwrap();
        assert!(page.rows.len() <= 4);
        seen.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, whole.rows, "everybody comes once, in the same order");
}
