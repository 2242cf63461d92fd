use super::*;

fn balance(credits: i64, debits: i64, held: i64, version: i64) -> entity::wallet_balance::Model {
    entity::wallet_balance::Model { account_id: 7, credits, debits, held, overdraft: 0, version }
}

fn wallet(user: u128) -> entity::end_user_wallet::Model {
    entity::end_user_wallet::Model {
        end_user_id: Uuid::from_u128(user),
        partner_id: Uuid::nil(),
        wallet: 7,
        created_us: 0,
        ended_us: Some(1),
    }
}

#[test]
fn the_words_of_the_configuration_are_read_back() {
    for funding in [Funding::Partner, Funding::PerUser] {
        assert_eq!(Funding::from_word(funding.as_str()), Some(funding));
    }
    assert_eq!((Funding::from_word("user"), Funding::default()), (None, Funding::Partner));
}

#[test]
fn what_is_held_is_not_left() {
    let to = LedgerAccountId::from_raw(8);
    for (credits, debits, held, left) in [(10, 4, 0, Some(6)), (10, 4, 5, Some(1)), (10, 4, 6, None), (0, 0, 0, None)] {
        let collect = what_is_left(&wallet(1), &balance(credits, debits, held, 3), to);
        assert_eq!(collect.map(|collect| collect.amount.micros()), left, "{credits} {debits} {held}");
    }
}

#[test]
fn what_is_left_has_one_name_for_one_state_of_a_wallet() {
    let to = LedgerAccountId::from_raw(8);
    let name = |user, version| what_is_left(&wallet(user), &balance(10, 0, 0, version), to).map(|collect| collect.id);
    assert_eq!(name(1, 3), name(1, 3));
    assert!(name(1, 3) != name(1, 4) && name(1, 3) != name(2, 3));
}
