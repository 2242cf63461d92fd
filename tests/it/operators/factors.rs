//! The second factor: enrolled with a code, asked for ever after, each code good once and now.

use engine::{
    operator::{
        Role,
        totp::{STEP_S, TotpSecret, step_at},
    },
    service::operators::{FACTOR_TRIES_MAX, FRESH_MINUTES, FactorError},
};

use super::{PASSWORD, code, enrol, find, is_refused, newest, open, operator, request, secret, sign_in, try_sign_in};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_factor_is_enrolled_with_its_code_in_a_fresh_session,
    a_code_is_good_once_and_only_now,
    a_code_goes_by_the_clock_on_the_wall,
    one_code_at_two_places_at_once_is_good_at_one,
    wrong_codes_are_looked_at_a_few_times,
    without_the_key_nobody_with_a_factor_comes_in,
}

const STEP_US: i64 = STEP_S * SECOND_US;
const EMAIL: &str = "ada@example.com";

async fn a_factor_is_enrolled_with_its_code_in_a_fresh_session(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, EMAIL, &[Role::Owner]).await;
    let (other, _) = sign_in(&services, EMAIL).await;
    let (own, session) = sign_in(&services, EMAIL).await;
    let by = session.context(request(&services));
    let offer = services.offer_factor(&session.operator);
    assert!(offer.uri.starts_with("otpauth://totp/Tollgate:ada%40example.com?secret="), "{}", offer.uri);
    assert!(offer.uri.contains(&offer.seed));
    assert_eq!(offer.secret_text.replace(' ', ""), offer.seed);
    assert_ne!(services.offer_factor(&session.operator).seed, offer.seed);

    let right = code(&services, &offer.seed);
    let wrong = TotpSecret::parse(&offer.seed).unwrap().code_at(step_at(desk.now_us()) - 1);
    let refused = services.enrol_factor(&by, &session, &offer.seed, &wrong).await;
    assert!(matches!(refused, Err(FactorError::WrongCode)), "of the half minute before");
    let refused = services.enrol_factor(&by, &session, "AAAA", &right).await;
    assert!(matches!(refused, Err(FactorError::BadSeed)));
    desk.clock.advance_us(FRESH_MINUTES * 60 * SECOND_US);
    let refused = services.enrol_factor(&by, &session, &offer.seed, &code(&services, &offer.seed)).await;
    assert!(matches!(refused, Err(FactorError::NotFresh)));
    let password = secret(PASSWORD);
    let own = {
        drop(own);
        services.refresh_operator_session(request(&services), &session, Some(&password), None, None).await.unwrap()
    };
    let session = find(&services, &own).await.unwrap();
    services.enrol_factor(&by, &session, &offer.seed, &code(&services, &offer.seed)).await.unwrap();
    assert!(find(&services, &own).await.unwrap().operator.has_factor);
    assert!(find(&services, &other).await.is_none(), "the other sessions end");
    assert_eq!(newest(&services, 1).await, ["operator.enrol_factor"]);

    // From now on the password alone is not enough, nor for showing it again.
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, None).await));
    desk.clock.advance_us(STEP_US);
    let again = services.refresh_operator_session(request(&services), &session, Some(&password), None, None).await;
    assert!(is_refused(&again));
    let now = code(&services, &offer.seed);
    let again =
        services.refresh_operator_session(request(&services), &session, Some(&password), Some(&now), None).await;
    assert!(again.is_ok());
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&now)).await), "that code was used");
}

async fn a_code_is_good_once_and_only_now(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, EMAIL, &[Role::Owner]).await;
    let (_, session) = sign_in(&services, EMAIL).await;
    let seed = enrol(&services, &session).await;
    let enrolled_with = code(&services, &seed);
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&enrolled_with)).await), "used to enrol");
    desk.clock.advance_us(STEP_US);
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&enrolled_with)).await), "of the step before");
    let (now, next) = (code(&services, &seed), TotpSecret::parse(&seed).unwrap().code_at(step_at(desk.now_us()) + 1));
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&next)).await), "of the step to come");
    assert!(try_sign_in(&services, EMAIL, PASSWORD, Some(&now)).await.is_ok());
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&now)).await), "a second time");
    desk.clock.advance_us(STEP_US);
    assert!(is_refused(&try_sign_in(&services, EMAIL, "wrong-password-3", Some(&code(&services, &seed))).await));
    assert!(try_sign_in(&services, EMAIL, PASSWORD, Some(&code(&services, &seed))).await.is_ok(), "not used up");
}

async fn a_code_goes_by_the_clock_on_the_wall(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, EMAIL, &[Role::Owner]).await;
    let (_, session) = sign_in(&services, EMAIL).await;
    // The computer paused for so long; the program's own time follows slowly.
    desk.clock.advance_wall_us(3 * STEP_US / 2);
    let seed = enrol(&services, &session).await;
    desk.clock.advance_us(2 * STEP_US);
    let behind = TotpSecret::parse(&seed).unwrap().code_at(step_at(desk.now_us()));
    assert_ne!(behind, code(&services, &seed));
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&behind)).await));
    assert!(try_sign_in(&services, EMAIL, PASSWORD, Some(&code(&services, &seed))).await.is_ok());
    // Set back: what was used stays used, and the codes that follow are good again.
    let used = code(&services, &seed);
    desk.clock.advance_wall_us(-STEP_US);
    for _ in 0..2 {
        assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&used)).await));
        assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&code(&services, &seed))).await));
        desk.clock.advance_us(STEP_US);
    }
    assert!(try_sign_in(&services, EMAIL, PASSWORD, Some(&code(&services, &seed))).await.is_ok());
}

async fn one_code_at_two_places_at_once_is_good_at_one(kind: Kind) {
    let (desk, services) = open(kind).await;
    let elsewhere = desk.services().await;
    super::set_up(&elsewhere);
    operator(&services, EMAIL, &[Role::Owner]).await;
    let (_, session) = sign_in(&services, EMAIL).await;
    let seed = enrol(&services, &session).await;
    desk.clock.advance_us(STEP_US);
    let now = code(&services, &seed);
    let (here, there) = tokio::join!(
        try_sign_in(&services, EMAIL, PASSWORD, Some(&now)),
        try_sign_in(&elsewhere, EMAIL, PASSWORD, Some(&now)),
    );
    assert_ne!(here.is_ok(), there.is_ok());
    assert!(is_refused(&here) || is_refused(&there));
}

async fn wrong_codes_are_looked_at_a_few_times(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, EMAIL, &[Role::Owner]).await;
    let (_, session) = sign_in(&services, EMAIL).await;
    let seed = enrol(&services, &session).await;
    desk.clock.advance_us(STEP_US);
    for _ in 0..FACTOR_TRIES_MAX {
        assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some("no code")).await));
    }
    let now = code(&services, &seed);
    assert!(is_refused(&try_sign_in(&services, EMAIL, PASSWORD, Some(&now)).await), "even the right one");
    desk.clock.advance_us(STEP_US);
    assert!(
        try_sign_in(&services, EMAIL, PASSWORD, Some(&code(&services, &seed))).await.is_ok(),
        "nobody is locked out"
    );
}

async fn without_the_key_nobody_with_a_factor_comes_in(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, EMAIL, &[Role::Owner]).await;
    let (_, session) = sign_in(&services, EMAIL).await;
    let seed = enrol(&services, &session).await;
    desk.clock.advance_us(STEP_US);
    let elsewhere = desk.services().await;
    let error = try_sign_in(&elsewhere, EMAIL, PASSWORD, Some(&code(&services, &seed))).await.unwrap_err();
    assert!(error.to_string().contains("no key for second factors"), "{error}");
    let sealed = desk.rows("SELECT factor FROM operator")[0][0].clone();
    let secret = TotpSecret::parse(&seed).unwrap();
    let digits: String = secret.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(sealed.len() > digits.len() && !sealed.contains(&digits), "the secret is sealed");
}
