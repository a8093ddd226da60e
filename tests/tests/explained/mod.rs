//! An explanation held against the decision that it explains.

use portcullis_policy::decision::{Decision, Response};
use portcullis_policy::explain::{Node, Verdict};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::AccessRequest;

/// Panics unless the explanation of `request` gives the answer that was given, and its tree says what led to it.
pub fn alike(policy: &Policy, request: &AccessRequest<'_>, answer: &Response) {
    let explanation = policy.explain(request);
    let told = &explanation.response;
    assert_eq!(told.outcome.as_ref().err(), answer.outcome.as_ref().err());
    assert_eq!(told.decision, answer.decision);
    assert_eq!(told.reasons, answer.reasons);
    assert_eq!(told.tenant, answer.tenant);
    assert_eq!(told.cross_tenant, answer.cross_tenant);

    let tree = &explanation.tree;
    let says = |verdicts: &[Verdict]| any(tree, &|node| verdicts.contains(&node.verdict));
    match answer.decision {
        Decision::Permit => assert!(says(&[Verdict::Permit]), "{tree:#?}"),
        Decision::Deny => assert!(says(&[Verdict::Deny, Verdict::Unmet]), "{tree:#?}"),
        Decision::Indeterminate => {
            assert!(says(&[Verdict::Indeterminate, Verdict::Unknown]), "{tree:#?}");
            assert!(!tree.iter().any(|node| node.verdict == Verdict::Deny), "{tree:#?}");
        }
        Decision::NotApplicable => {
            let decided = [Verdict::Permit, Verdict::Deny, Verdict::Indeterminate];
            assert!(!tree.iter().any(|node| decided.contains(&node.verdict)), "{tree:#?}");
        }
    }
}

fn any(nodes: &[Node], is: &dyn Fn(&Node) -> bool) -> bool {
    nodes.iter().any(|node| is(node) || any(&node.children, is))
}
