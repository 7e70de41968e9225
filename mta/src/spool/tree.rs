//! The tree of those who do not get a message. Nodes come in the order in which they
//! are written: each before its left branch, and that before the right one.

/// A binary tree of addresses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NonrecipientTree {
    nodes: Vec<Node>,
}

/// An address, and what it has below.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Node {
    /// Whether it has a left branch.
    pub left: bool,
    /// Whether it has a right branch.
    pub right: bool,
    /// The address.
    pub address: Vec<u8>,
}

impl NonrecipientTree {
    /// A balanced tree of addresses.
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut sorted: Vec<&[u8]> = addresses.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut nodes = Vec::with_capacity(sorted.len());
        let mut waiting = vec![sorted.as_slice()];
        while let Some(slice) = waiting.pop() {
            let middle = slice.len() / 2;
            let Some(address) = slice.get(middle) else { continue };
            let (left, right) = (&slice[..middle], &slice[middle + 1..]);
            nodes.push(Node {
                left: !left.is_empty(),
                right: !right.is_empty(),
                address: address.to_vec(),
            });
            waiting.push(right);
            waiting.push(left);
        }
        Self { nodes }
    }

    /// Takes nodes in their order, until there are all that the branches ask for;
    /// nothing where they run out, or `next` has none.
    pub(super) fn read<E>(mut next: impl FnMut() -> Result<Node, E>) -> Result<Self, E> {
        let mut nodes = Vec::new();
        let mut wanted = 1_usize;
        while wanted > 0 {
            let node = next()?;
            wanted = wanted - 1 + usize::from(node.left) + usize::from(node.right);
            nodes.push(node);
        }
        Ok(Self { nodes })
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether an address is in it. All are looked at: what is written in a file
    /// need not be in order.
    pub fn contains(&self, address: &[u8]) -> bool {
        self.nodes.iter().any(|node| node.address == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_balanced_and_complete() {
        let names: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![b'a' + n % 26, n]).collect();
        let tree = NonrecipientTree::new(names.iter().map(Vec::as_slice));
        assert_eq!(tree.nodes().len(), 100);
        let mut nodes = tree.nodes().iter().cloned();
        let again = NonrecipientTree::read(|| nodes.next().ok_or(())).unwrap();
        assert_eq!(again, tree);
        assert!(names.iter().all(|name| tree.contains(name)));
        let shape = NonrecipientTree::new([b"b".as_slice(), b"a", b"c", b"a"]).nodes().to_vec();
        let node = |left, right, address: &[u8]| Node { left, right, address: address.to_vec() };
        let leaf = |address| node(false, false, address);
        assert_eq!(shape, [node(true, true, b"b"), leaf(b"a"), leaf(b"c")]);
    }
}
