//! Which addresses of a message are done with, and which wait for others.

use std::collections::BTreeSet;
use std::iter::successors;

use eximious::route::{ChildAddress, DeliveryTarget};

/// An address of a message, or a delivery that came of one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct NodeId(usize);

impl NodeId {
    /// A number that no other one has.
    pub(super) fn number(self) -> usize {
        self.0
    }
}

/// One of them.
#[derive(Clone, Debug)]
struct Node {
    /// As it is shown.
    text: Vec<u8>,
    /// What it is known by in the spool's files.
    unique: Vec<u8>,
    parent: Option<NodeId>,
    /// Whether it is the same address as its parent, beside a copy or as one (`unseen`).
    is_same: bool,
    /// Whether it is a copy that a redirection makes on the way, of which nobody is told.
    is_copy: bool,
    /// Whether it is made once and for all (`one_time`), and who is told of errors then.
    once: Option<Vec<u8>>,
    /// How much of it is still to be done.
    pending: usize,
    /// Whether it has failed, and children of it are delivered all the same (`:fail:`).
    failed: bool,
}

/// What an address is known by in the spool's files: its domain is in lower case.
pub(super) fn known_by(unique: &[u8]) -> Vec<u8> {
    let mut name = unique.to_vec();
    if let Some(at) = memchr::memrchr(b'@', &name) {
        name[at..].make_ascii_lowercase();
    }
    name
}

/// Whether a recipient stands among those that are done with: as it came, or by what it is
/// known by.
pub(super) fn is_among(done: &BTreeSet<Vec<u8>>, recipient: &[u8]) -> bool {
    done.contains(recipient) || done.contains(&known_by(recipient))
}

/// What the children of an address are shown as, and known by. Of answers and notices to
/// the same address each is one of its own.
pub(super) struct ChildNames {
    parent: Vec<u8>,
    answers: BTreeSet<Vec<u8>>,
}

impl ChildNames {
    /// Those of an address that is known by this name.
    pub(super) fn new(parent: &[u8]) -> Self {
        Self { parent: parent.to_vec(), answers: BTreeSet::new() }
    }

    /// The next child's.
    pub(super) fn next(&mut self, child: &ChildAddress) -> (Vec<u8>, Vec<u8>) {
        match child {
            ChildAddress::Address(address) => {
                (address.text.bytes().to_vec(), known_by(address.unique.bytes()))
            }
            ChildAddress::Direct(delivery) => {
                let text = delivery.address.text.bytes();
                let mut unique = [text, b":", &self.parent[..]].concat();
                if matches!(delivery.target, DeliveryTarget::Reply(_) | DeliveryTarget::Notice(_)) {
                    while !self.answers.insert(unique.clone()) {
                        unique.insert(0, b'>');
                    }
                }
                (text.to_vec(), unique)
            }
        }
    }
}

/// An address that is a recipient of its own from now on (`one_time`).
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) node: NodeId,
    pub(super) text: Vec<u8>,
    /// Who is told of errors, if that is not the sender.
    pub(super) errors_to: Vec<u8>,
    /// The recipient that it came of.
    pub(super) original: Vec<u8>,
}

/// All addresses of an attempt, and who has got the message.
#[derive(Debug)]
pub(super) struct Tracking {
    nodes: Vec<Node>,
    done: BTreeSet<Vec<u8>>,
    /// Those of them that were not there at the beginning, in the order in which they came.
    newly_done: Vec<Vec<u8>>,
    changed: bool,
}

impl Tracking {
    /// Begins with those who have got the message.
    pub(super) fn new(done: BTreeSet<Vec<u8>>) -> Self {
        Self { nodes: Vec::new(), done, newly_done: Vec::new(), changed: false }
    }

    /// Adds an address, of which one thing is to be done.
    pub(super) fn add(&mut self, text: &[u8], unique: &[u8], parent: Option<NodeId>) -> NodeId {
        let (text, unique) = (text.to_vec(), unique.to_vec());
        let (once, is_same, is_copy, pending, failed) = (None, false, false, 1, false);
        self.nodes.push(Node { text, unique, parent, is_same, is_copy, once, pending, failed });
        NodeId(self.nodes.len() - 1)
    }

    /// That an address is made once and for all (`one_time`); who is told of errors, if that is
    /// not the sender.
    pub(super) fn make_once(&mut self, node: NodeId, errors_to: Vec<u8>) {
        self.nodes[node.0].once = Some(errors_to);
    }

    /// The nearest address, from this one upwards, that is made once and for all, and was not
    /// settled before.
    pub(super) fn made_once(&self, node: NodeId) -> Option<Settled> {
        let mut at = Some(node);
        while let Some(node) = at {
            let one = &self.nodes[node.0];
            if let Some(errors_to) = one.once.clone() {
                let (text, original) = (one.text.clone(), self.original(node).to_vec());
                return Some(Settled { node, text, errors_to, original });
            }
            at = one.parent;
        }
        None
    }

    /// Which of those in `done` it came of has nothing more to do with it; what stands between
    /// has no name in the spool's files for it.
    pub(super) fn settle(&mut self, node: NodeId, done: &[NodeId]) {
        let parents = successors(self.nodes[node.0].parent, |at| self.nodes[at.0].parent);
        let path: Vec<NodeId> = parents.take_while(|at| !done.contains(at)).collect();
        let last = *path.last().unwrap_or(&node);
        let Some(ancestor) = self.nodes[last.0].parent else { return };
        self.nodes[node.0].once = None;
        for between in path {
            let one = &mut self.nodes[between.0];
            one.pending = one.pending.saturating_sub(1);
            if one.pending > 0 {
                return;
            }
        }
        self.finish(ancestor);
    }

    /// That nothing more is to be done of an address whose children were settled: what else came
    /// of it is the same as what waits elsewhere.
    pub(super) fn finish_wholly(&mut self, node: NodeId) {
        if self.nodes[node.0].pending > 0 {
            self.nodes[node.0].pending = 1;
            self.finish(node);
        }
    }

    /// That more is to be done of an address: children have to be.
    pub(super) fn expect(&mut self, node: NodeId, count: usize) {
        self.nodes[node.0].pending += count;
    }

    /// An address as it is shown.
    pub(super) fn text(&self, node: NodeId) -> &[u8] {
        &self.nodes[node.0].text
    }

    /// The address that it came of; nothing for one of the message's recipients.
    pub(super) fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.nodes[node.0].parent
    }

    /// What an address is known by.
    pub(super) fn unique(&self, node: NodeId) -> &[u8] {
        &self.nodes[node.0].unique
    }

    /// Gives it another name in the spool's files.
    pub(super) fn rename(&mut self, node: NodeId, unique: Vec<u8>) {
        self.nodes[node.0].unique = unique;
    }

    /// The address that it came of in the end: one of the message's recipients.
    pub(super) fn root(&self, node: NodeId) -> NodeId {
        let mut at = node;
        while let Some(parent) = self.nodes[at.0].parent {
            at = parent;
        }
        at
    }

    /// The same, as it is shown.
    pub(super) fn original(&self, node: NodeId) -> &[u8] {
        self.text(self.root(node))
    }

    /// All who would get the message beside some: those that are done with, and the others
    /// of this attempt but the ones that these came of.
    pub(super) fn all_but(&self, nodes: &[NodeId]) -> BTreeSet<&[u8]> {
        let mut out: BTreeSet<&[u8]> = self.done.iter().map(Vec::as_slice).collect();
        out.extend(self.nodes.iter().map(|node| &node.unique[..]));
        for node in nodes {
            let mut at = Some(*node);
            while let Some(NodeId(number)) = at {
                out.remove(&self.nodes[number].unique[..]);
                at = self.nodes[number].parent;
            }
        }
        out
    }

    /// That it is the same address as the one that it came of.
    pub(super) fn make_same(&mut self, node: NodeId) {
        self.nodes[node.0].is_same = true;
    }

    /// The same of a copy of it, of which a redirection's children come (`unseen`).
    pub(super) fn make_copy(&mut self, node: NodeId) {
        self.make_same(node);
        self.nodes[node.0].is_copy = true;
    }

    /// Whether it is such a copy.
    pub(super) fn is_copy(&self, node: NodeId) -> bool {
        self.nodes[node.0].is_copy
    }

    /// Whether one that it came of, at whatever distance, is called the same.
    pub(super) fn came_of_itself(&self, node: NodeId) -> bool {
        let mut at = self.parent(node);
        while let Some(one) = at {
            if self.text(one) == self.text(node) {
                return true;
            }
            at = self.parent(one);
        }
        false
    }

    /// Whether it is one of the message's recipients, or a copy of one (`unseen`).
    pub(super) fn stands_for_recipient(&self, node: NodeId) -> bool {
        let mut at = &self.nodes[node.0];
        while let Some(parent) = at.parent.filter(|_| at.is_same) {
            at = &self.nodes[parent.0];
        }
        at.parent.is_none()
    }

    /// Whether a recipient has got the message, or is not to get it.
    pub(super) fn is_done_with(&self, recipient: &[u8]) -> bool {
        is_among(&self.done, recipient)
    }

    /// The same of an address, by what it is known by.
    pub(super) fn is_done(&self, unique: &[u8]) -> bool {
        self.done.contains(unique)
    }

    /// That a part of an address is done: its own delivery, or a child. Whether that was the
    /// last of it. One that came of itself has no name of its own where all that is done of it
    /// are its children, or where it is the last thing that was to be done of what it came of.
    pub(super) fn finish_part(&mut self, node: NodeId, by_child: bool) -> bool {
        let one = &mut self.nodes[node.0];
        one.pending = one.pending.saturating_sub(1);
        let is_last = one.pending == 0;
        let (is_again, parent) = (one.unique.starts_with(b"\\"), one.parent);
        let is_last_child = parent.is_some_and(|parent| self.nodes[parent.0].pending <= 1);
        if is_last && !(is_again && (by_child || is_last_child)) {
            self.note(node);
        }
        is_last
    }

    /// The same, and that of the parents that are complete because of that, of which nobody
    /// is told.
    pub(super) fn finish(&mut self, node: NodeId) {
        let mut at = Some(node);
        while let Some(one) = at.filter(|at| self.finish_part(*at, *at != node)) {
            at = self.parent(one);
        }
    }

    /// Notes that an address is done with.
    fn note(&mut self, node: NodeId) {
        self.note_name(self.nodes[node.0].unique.clone());
    }

    fn note_name(&mut self, name: Vec<u8>) {
        if self.done.insert(name.clone()) {
            self.newly_done.push(name);
            self.changed = true;
        }
    }

    /// That all is done of an address whose children were done in earlier attempts, which is to
    /// be written down once more.
    pub(super) fn finish_again(&mut self, node: NodeId) {
        self.finish(node);
        self.changed = true;
    }

    /// That an address is thrown away. What it came of is read again, as long as the message
    /// waits for others: a list may have another to say then.
    pub(super) fn discard(&mut self, node: NodeId) {
        let one = &mut self.nodes[node.0];
        one.pending = one.pending.saturating_sub(1);
        if one.pending == 0 {
            self.note(node);
        }
    }

    /// That an address has failed, and has children that are delivered all the same: it is done
    /// when they are, whether anybody is told of it or not.
    pub(super) fn fail_beside_children(&mut self, node: NodeId) {
        self.nodes[node.0].failed = true;
    }

    /// Whether it is one of those.
    pub(super) fn has_failed(&self, node: NodeId) -> bool {
        self.nodes[node.0].failed
    }

    /// That somebody was told of such a failure, which is to be known as long as children wait.
    pub(super) fn keep_failure_told(&mut self, node: NodeId) {
        if !self.is_done(&self.nodes[node.0].unique) {
            let name = self.failure_name(node);
            self.note_name(name);
        }
    }

    /// Whether somebody was told of it in an earlier attempt.
    pub(super) fn is_failure_told(&self, node: NodeId) -> bool {
        self.is_done(&self.failure_name(node))
    }

    /// What such a failure is known by: a router's copy can't have this name.
    fn failure_name(&self, node: NodeId) -> Vec<u8> {
        [&self.nodes[node.0].unique[..], b"/:fail:"].concat()
    }

    /// All who have got the message, or are not to get it.
    pub(super) fn done(&self) -> &BTreeSet<Vec<u8>> {
        &self.done
    }

    /// Those of them that were not there at the beginning, in the order in which they came.
    pub(super) fn newly_done(&self) -> &[Vec<u8>] {
        &self.newly_done
    }

    /// Whether there are more than at the beginning.
    pub(super) fn has_changed(&self) -> bool {
        self.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_all_but_some_and_what_they_came_of() {
        let mut all = Tracking::new(BTreeSet::from([b"x@y".to_vec()]));
        let list = all.add(b"list@y", b"list@y", None);
        let a = all.add(b"a@y", b"a@y", Some(list));
        all.add(b"b@y", b"b@y", Some(list));
        all.add(b"c@y", b"c@y", None);
        assert_eq!(Vec::from_iter(all.all_but(&[a])), [&b"b@y"[..], b"c@y", b"x@y"]);
    }

    #[test]
    fn a_parent_is_done_with_its_last_child() {
        let mut all = Tracking::new(BTreeSet::from([b"x@y".to_vec()]));
        assert!(all.is_done(b"x@y") && !all.has_changed());
        let list = all.add(b"list@y", b"list@y", None);
        all.expect(list, 2);
        let (a, b) =
            (all.add(b"a@y", b"a@y", Some(list)), all.add(b"|c", b"|c:list@y", Some(list)));
        assert_eq!(all.original(b), b"list@y");
        // The list itself has nothing else to do.
        all.finish(list);
        all.finish(b);
        assert!(!all.is_done(b"list@y") && all.is_done(b"|c:list@y"));
        all.finish(a);
        assert_eq!(all.newly_done(), [&b"|c:list@y"[..], b"a@y", b"list@y"]);
        assert!(all.is_done(b"list@y") && all.has_changed());
    }
}
