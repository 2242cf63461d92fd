//! Merkle trees over the leaves of a batch, shaped as in RFC 9162 section 2.1: a tree of more than one leaf splits at
//! the largest power of two below its size, so that no leaf is ever counted twice.

use super::leaf::{Digest, sha256};

/// The hash of two neighbours.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [0; 65];
    let (tag, rest) = bytes.split_at_mut(1);
    tag.copy_from_slice(&[0x01]);
    let (first, second) = rest.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    sha256(&bytes)
}

/// The root over `leaves`; of none it is the hash of nothing.
///
/// Joining neighbours level by level, an odd one moving up unchanged, gives the same tree as the recursive definition.
pub fn root(leaves: &[Digest]) -> Digest {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = next_level(&level);
    }
    level.first().copied().unwrap_or_else(|| sha256(&[]))
}

fn next_level(level: &[Digest]) -> Vec<Digest> {
    let (pairs, odd) = level.as_chunks::<2>();
    pairs.iter().map(|[left, right]| node_hash(left, right)).chain(odd.iter().copied()).collect()
}

/// A tree that grows leaf by leaf and forgets its leaves: it keeps one hash for each power of two in their number.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    /// Full subtrees from left to right, each with the power of two of its size.
    subtrees: Vec<(u32, Digest)>,
}

impl Frontier {
    /// Adds a leaf behind the others.
    pub fn push(&mut self, leaf: Digest) {
        let mut new = (0_u32, leaf);
        while let Some((_, left)) = self.subtrees.pop_if(|(power, _)| *power == new.0) {
            new = (new.0.saturating_add(1), node_hash(&left, &new.1));
        }
        self.subtrees.push(new);
    }

    /// What [`root`] says of the same leaves.
    pub fn root(&self) -> Digest {
        let hashes = self.subtrees.iter().rev().map(|(_, hash)| *hash);
        hashes.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(|| sha256(&[]))
    }
}

/// One step from a leaf to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The neighbour stands to the left.
    Left(Digest),
    /// The neighbour stands to the right.
    Right(Digest),
}

/// The neighbours that lead from the leaf at `index` to the root; `None` when there is no such leaf.
pub fn path(leaves: &[Digest], index: usize) -> Option<Vec<Step>> {
    leaves.get(index)?;
    let (mut level, mut at, mut steps) = (leaves.to_vec(), index, Vec::new());
    while level.len() > 1 {
        let neighbour = at ^ 1;
        if let Some(digest) = level.get(neighbour) {
            steps.push(if neighbour < at { Step::Left(*digest) } else { Step::Right(*digest) });
        }
        level = next_level(&level);
        at >>= 1;
    }
    Some(steps)
}

/// The root that `steps` lead to from `leaf`.
pub fn root_from_path(leaf: Digest, steps: &[Step]) -> Digest {
    steps.iter().fold(leaf, |below, step| match step {
        Step::Left(left) => node_hash(left, &below),
        Step::Right(right) => node_hash(&below, right),
    })
}

#[cfg(test)]
mod tests;
