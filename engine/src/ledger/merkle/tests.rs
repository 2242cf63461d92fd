use super::*;

/// RFC 9162 section 2.1.1, word by word.
fn recursive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        _ => {
            let split = leaves.len().next_power_of_two() >> 1;
            let (left, right) = leaves.split_at(split);
            node_hash(&recursive_root(left), &recursive_root(right))
        }
    }
}

fn leaves(count: u32) -> Vec<Digest> {
    (0..count).map(|n| sha256(&n.to_be_bytes())).collect()
}

#[test]
fn the_root_is_that_of_the_recursive_definition() {
    for count in 0..130 {
        assert_eq!(root(&leaves(count)), recursive_root(&leaves(count)), "{count} leaves");
    }
}

#[test]
fn every_path_leads_to_the_root_and_no_other_leaf_does() {
    for count in 1..40 {
        let leaves = leaves(count);
        let root = root(&leaves);
        for (index, leaf) in leaves.iter().enumerate() {
            let steps = path(&leaves, index).unwrap();
            assert_eq!(root_from_path(*leaf, &steps), root, "leaf {index} of {count}");
            if count > 1 {
                assert_ne!(root_from_path(sha256(b"other"), &steps), root);
            }
        }
        assert_eq!(path(&leaves, leaves.len()), None);
    }
}

#[test]
fn a_tree_that_grows_has_the_root_of_its_leaves_at_every_size() {
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), root(&[]));
    for count in 1..130 {
        frontier.push(leaves(count).pop().unwrap());
        assert_eq!(frontier.root(), root(&leaves(count)), "{count} leaves");
    }
}
