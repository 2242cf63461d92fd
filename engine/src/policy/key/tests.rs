use super::{
    super::tests::{ACME, GLOBEX, NOTE_ADD, REQUEST},
    *,
};
use crate::catalog::Tier;

const NOTHING: Reads = Reads { clock: false, names: false, chain: false };
const EVERYTHING: Reads = Reads { clock: true, names: true, chain: true };

#[test]
fn a_key_differs_when_a_fact_that_is_read_does() {
    let by = |caller| DecisionRequest { caller, ..REQUEST };
    let of = |tool| DecisionRequest { tool, ..REQUEST };
    let within = |namespace| of(ToolFacts { namespace: Some(namespace), ..NOTE_ADD });
    let account = |id, is_suspended, is_verified| by(Caller::Account(AccountFacts { id, is_suspended, is_verified }));
    let partner = |id, is_suspended, user, is_blocked| {
        let end_user = EndUserFacts { id: user, is_blocked };
        by(Caller::Partner { partner: PartnerFacts { id, is_suspended }, end_user })
    };
    let publisher =
        |id, is_suspended| within(NamespaceFacts { publisher: PublisherFacts { id, is_suspended }, ..ACME });
    let facts = [
        REQUEST,
        DecisionRequest { surface: Surface::Http, ..REQUEST },
        account("acc_a", true, true),
        account("acc_a", false, false),
        by(GLOBEX),
        partner("par_g", true, "usr_u", false),
        partner("par_g", false, "usr_u", true),
        of(ToolFacts { is_disabled: true, ..NOTE_ADD }),
        of(ToolFacts { is_free: true, ..NOTE_ADD }),
        of(ToolFacts { tier: Tier::Unverified, ..NOTE_ADD }),
        of(ToolFacts { namespace: None, ..NOTE_ADD }),
        within(NamespaceFacts { is_suspended: true, ..ACME }),
        publisher("pub_a", true),
    ];
    let names = [
        DecisionRequest { token: "tok_b", ..REQUEST },
        account("acc_b", false, true),
        partner("par_h", false, "usr_u", false),
        partner("par_g", false, "usr_v", false),
        of(ToolFacts { id: "tol_m", ..NOTE_ADD }),
        of(ToolFacts { name: "acme/other", ..NOTE_ADD }),
        // neighbours do not swap characters
        of(ToolFacts { id: "tol_na", name: "cme/note_add", ..NOTE_ADD }),
        within(NamespaceFacts { id: "nsp_b", ..ACME }),
        within(NamespaceFacts { name: "other", ..ACME }),
        publisher("pub_b", false),
    ];
    let time = DecisionRequest { now_s: 0, ..REQUEST };
    let keys_of = |requests: &[DecisionRequest<'_>], reads| {
        requests.iter().map(|request| request.key(reads)).collect::<std::collections::HashSet<_>>()
    };
    assert_eq!(keys_of(&facts, NOTHING).len(), facts.len());
    let all = [&facts[..], &names, &[time]].concat();
    assert_eq!(keys_of(&all, EVERYTHING).len(), all.len());
    // what is not read makes no difference
    assert!(keys_of(&names, NOTHING).iter().all(|key| keys_of(&facts, NOTHING).contains(key)));
    assert_eq!(time.key(Reads { names: true, ..NOTHING }), REQUEST.key(Reads { names: true, ..NOTHING }));
    assert_ne!(time.key(Reads { clock: true, ..NOTHING }), REQUEST.key(Reads { clock: true, ..NOTHING }));
}
