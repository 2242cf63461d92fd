use super::*;

#[test]
fn every_state_has_an_outcome_and_every_outcome_knows_its_states() {
    for (state, ..) in CallState::ALL {
        for is_charged in [false, true] {
            let outcome = CallOutcome::of(state, is_charged);
            let (states, charged) = outcome.states();
            assert!(states.contains(&state), "{state:?} {outcome:?}");
            assert!(charged.is_none_or(|charged| charged == is_charged), "{state:?} {outcome:?}");
        }
    }
}

#[test]
fn words_and_numbers_are_read_back() {
    for (outcome, raw, word) in CallOutcome::ALL {
        assert_eq!([CallOutcome::from_raw(raw), CallOutcome::from_word(word)], [Some(outcome); 2]);
        assert_eq!((outcome.raw(), outcome.as_str()), (raw, word));
    }
    for (surface, word) in Surface::ALL {
        assert_eq!([Surface::from_raw(surface.raw()), Surface::from_word(word)], [Some(surface); 2]);
    }
    assert_eq!(CallOutcome::from_word("paid"), None);
}
