//! The tree of those who do not get a message. Nodes come in the order in which they
//! are written: each before its left branch, and that before the right one.

use std::cmp::Ordering;

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
    /// A tree of addresses, which came in this order.
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::default().with(addresses)
    }

    /// The same tree with more addresses, which came in this order: it has the shape that
    /// Exim's has then.
    pub fn with<'a>(&self, addresses: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut growing = Growing::of(&self.nodes);
        addresses.into_iter().for_each(|address| growing.add(address));
        Self { nodes: growing.nodes() }
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

/// A tree that grows: the branches of each node differ by a level at the most (Adelson-Velsky
/// and Landis).
#[derive(Default)]
struct Growing<'a> {
    nodes: Vec<Grown<'a>>,
    root: Option<usize>,
}

/// A node of it.
struct Grown<'a> {
    address: &'a [u8],
    /// The left branch, and the right one.
    below: [Option<usize>; 2],
    /// How many levels there are from here on.
    height: u8,
}

impl<'a> Growing<'a> {
    /// A tree as it was written; where its nodes are not in order, or its branches too long,
    /// they are put in anew.
    fn of(written: &'a [Node]) -> Self {
        let mut tree = Self::default();
        // Those whose right branch is to come, and whether the one before goes to the left.
        let mut waiting: Vec<usize> = Vec::new();
        let mut place: Option<(usize, usize)> = None;
        for (number, node) in written.iter().enumerate() {
            tree.nodes.push(Grown { address: &node.address, below: [None; 2], height: 1 });
            match place {
                Some((above, side)) => tree.nodes[above].below[side] = Some(number),
                None => tree.root = Some(number),
            }
            if node.right {
                waiting.push(number);
            }
            place = match node.left {
                true => Some((number, 0)),
                false => waiting.pop().map(|above| (above, 1)),
            };
        }
        // Branches stand behind what they are branches of.
        (0..tree.nodes.len()).rev().for_each(|number| tree.measure(number));
        match tree.is_sound() {
            true => tree,
            false => {
                let mut anew = Self::default();
                written.iter().for_each(|node| anew.add(&node.address));
                anew
            }
        }
    }

    fn is_sound(&self) -> bool {
        let lean = (0..self.nodes.len()).all(|number| self.lean(number).abs() <= 1);
        lean && self.in_order().is_sorted_by(|one, next| one < next)
    }

    /// The addresses from the left to the right.
    fn in_order(&self) -> Vec<&'a [u8]> {
        let (mut out, mut path, mut at) = (Vec::new(), Vec::new(), self.root);
        loop {
            while let Some(number) = at {
                path.push(number);
                at = self.nodes[number].below[0];
            }
            let Some(number) = path.pop() else { return out };
            out.push(self.nodes[number].address);
            at = self.nodes[number].below[1];
        }
    }

    fn height(&self, branch: Option<usize>) -> u8 {
        branch.map_or(0, |number| self.nodes[number].height)
    }

    /// Counts the levels of a node whose branches are counted.
    fn measure(&mut self, number: usize) {
        let [left, right] = self.nodes[number].below.map(|branch| self.height(branch));
        self.nodes[number].height = left.max(right).saturating_add(1);
    }

    /// By how many levels the right branch is longer than the left one.
    fn lean(&self, number: usize) -> i16 {
        let [left, right] = self.nodes[number].below.map(|branch| i16::from(self.height(branch)));
        right - left
    }

    fn add(&mut self, address: &'a [u8]) {
        let mut path = Vec::new();
        let mut at = self.root;
        while let Some(number) = at {
            let side = match address.cmp(self.nodes[number].address) {
                Ordering::Less => 0,
                Ordering::Equal => return,
                Ordering::Greater => 1,
            };
            path.push((number, side));
            at = self.nodes[number].below[side];
        }
        self.nodes.push(Grown { address, below: [None; 2], height: 1 });
        let mut branch = self.nodes.len() - 1;
        while let Some((above, side)) = path.pop() {
            self.nodes[above].below[side] = Some(branch);
            self.measure(above);
            branch = self.balanced(above);
        }
        self.root = Some(branch);
    }

    /// Turns a node whose one branch has become too long; what stands in its place is returned.
    fn balanced(&mut self, number: usize) -> usize {
        let lean = self.lean(number);
        if lean.abs() <= 1 {
            return number;
        }
        let long = usize::from(lean > 0);
        let Some(branch) = self.nodes[number].below[long] else { return number };
        let inner = self.lean(branch);
        if inner != 0 && (inner > 0) != (lean > 0) {
            self.nodes[number].below[long] = Some(self.turned(branch, 1 - long));
        }
        self.turned(number, long)
    }

    /// Puts the branch on one side in the place of its node, which becomes its branch.
    fn turned(&mut self, number: usize, side: usize) -> usize {
        let Some(up) = self.nodes[number].below[side] else { return number };
        self.nodes[number].below[side] = self.nodes[up].below[1 - side];
        self.nodes[up].below[1 - side] = Some(number);
        self.measure(number);
        self.measure(up);
        up
    }

    /// All nodes, as they are written.
    fn nodes(&self) -> Vec<Node> {
        let mut out = Vec::with_capacity(self.nodes.len());
        let mut waiting: Vec<usize> = self.root.into_iter().collect();
        while let Some(number) = waiting.pop() {
            let Grown { address, below: [left, right], .. } = &self.nodes[number];
            out.push(Node {
                left: left.is_some(),
                right: right.is_some(),
                address: address.to_vec(),
            });
            waiting.extend(right.iter().chain(left));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tree: &NonrecipientTree) -> Vec<String> {
        let letter = |branch: bool| if branch { 'Y' } else { 'N' };
        let line = |node: &Node| {
            let address = String::from_utf8_lossy(&node.address).into_owned();
            format!("{}{} {address}", letter(node.left), letter(node.right))
        };
        tree.nodes().iter().map(line).collect()
    }

    fn words(text: &str) -> Vec<&[u8]> {
        text.split(' ').map(str::as_bytes).collect()
    }

    /// As Exim wrote it of deliveries in this order.
    #[test]
    fn a_tree_has_the_shape_that_it_grew_to() {
        let tree = NonrecipientTree::new(words("b88 s82 m13 w16 g81 c29 q86"));
        let shape = ["YY m13", "YY c29", "NN b88", "NN g81", "YY s82", "NN q86", "NN w16"];
        assert_eq!(shown(&tree), shape);
        let tree = NonrecipientTree::new(words("h49 u17 h49"));
        assert_eq!(shown(&tree), ["NY h49", "NN u17"]);
        let more = tree.with(words("z1"));
        assert_eq!(shown(&more), ["YY u17", "NN h49", "NN z1"]);
    }

    #[test]
    fn it_grows_on_as_if_it_had_not_been_written() {
        let names: Vec<Vec<u8>> =
            (0..200_u8).map(|n| vec![b'a' + n.wrapping_mul(7) % 26, n]).collect();
        for count in 0..names.len() {
            let (first, rest) = names.split_at(count);
            let tree = NonrecipientTree::new(first.iter().map(Vec::as_slice));
            let mut nodes = tree.nodes().iter().cloned();
            if count > 0 {
                let again = NonrecipientTree::read(|| nodes.next().ok_or(())).unwrap();
                assert_eq!(again, tree);
            }
            let whole = NonrecipientTree::new(names.iter().map(Vec::as_slice));
            assert_eq!(tree.with(rest.iter().map(Vec::as_slice)), whole);
            assert!(first.iter().all(|name| tree.contains(name)));
        }
    }

    #[test]
    fn what_somebody_wrote_out_of_order_is_put_in_order() {
        let node = |left, right, address: &str| Node { left, right, address: address.into() };
        let list: Vec<Node> =
            (0..60_000).map(|n| node(n < 59_999, false, &n.to_string())).collect();
        let tree = NonrecipientTree { nodes: list }.with(words("x"));
        assert_eq!(tree.nodes().len(), 60_001);
        let wrong =
            NonrecipientTree { nodes: vec![node(true, false, "a"), node(false, false, "b")] };
        assert_eq!(shown(&wrong.with(words("c"))), ["YY b", "NN a", "NN c"]);
    }
}
