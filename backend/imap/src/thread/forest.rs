//! Trees that are joined and parted, and tell at once whether a join would close a loop: link-cut trees (Sleator and Tarjan,
//! 1983). Each act takes logarithmic time, amortized, however deep the trees are; walking up from node to root would take a
//! second for each thousand messages of a chain sent with ill will.
#![expect(
    clippy::indexing_slicing,
    reason = "each link is an index of a node that `add` made; the caller holds no others"
)]

/// A node's links in the splay tree that holds its path, ordered by depth.
#[derive(Debug, Clone, Copy, Default)]
struct Links {
    shallower: Option<usize>,
    deeper: Option<usize>,
    /// In the splay tree; at its root, where the path's top hangs.
    up: Option<usize>,
}

/// Nodes that each have a parent or none; no node is above itself.
#[derive(Debug, Default)]
pub(super) struct Forest {
    parents: Vec<Option<usize>>,
    /// How many children each has.
    children: Vec<usize>,
    links: Vec<Links>,
}

impl Forest {
    /// A node of its own; its index is the number of those before it.
    pub(super) fn add(&mut self) {
        self.parents.push(None);
        self.children.push(0);
        self.links.push(Links::default());
    }

    pub(super) fn parent(&self, node: usize) -> Option<usize> {
        self.parents[node]
    }

    /// Puts `child`, which has no parent, below `parent`; does nothing where that would close a loop.
    pub(super) fn link(&mut self, parent: usize, child: usize) {
        // Mail comes mostly in order: what has no children is above nobody, and needs no search.
        let is_loop = parent == child || (self.children[child] > 0 && self.root(parent) == child);
        if is_loop {
            return;
        }
        self.parents[child] = Some(parent);
        self.children[parent] += 1;
        self.expose(child);
        self.links[child].up = Some(parent);
    }

    /// Makes `node` a root.
    pub(super) fn cut(&mut self, node: usize) {
        let Some(parent) = self.parents[node].take() else { return };
        self.children[parent] -= 1;
        self.expose(node);
        if let Some(above) = self.links[node].shallower.take() {
            self.links[above].up = None;
        }
    }

    fn root(&mut self, node: usize) -> usize {
        self.expose(node);
        let mut top = node;
        while let Some(shallower) = self.links[top].shallower {
            top = shallower;
        }
        self.splay(top);
        top
    }

    /// Makes the path from the root down to `node` one splay tree with `node` as its root.
    fn expose(&mut self, node: usize) {
        let (mut below, mut at) = (None, Some(node));
        while let Some(here) = at {
            self.splay(here);
            self.links[here].deeper = below;
            below = at;
            at = self.links[here].up;
        }
        self.splay(node);
    }

    fn splay(&mut self, node: usize) {
        while let Some(up) = self.up_within(node) {
            if let Some(above) = self.up_within(up) {
                let is_straight = self.is_shallower(node, up) == self.is_shallower(up, above);
                self.rotate(if is_straight { up } else { node });
            }
            self.rotate(node);
        }
    }

    /// The node above in the same splay tree.
    fn up_within(&self, node: usize) -> Option<usize> {
        let up = self.links[node].up?;
        (self.links[up].shallower == Some(node) || self.links[up].deeper == Some(node)).then_some(up)
    }

    fn is_shallower(&self, node: usize, up: usize) -> bool {
        self.links[up].shallower == Some(node)
    }

    /// Turns `node` and the one above it around.
    fn rotate(&mut self, node: usize) {
        let Some(up) = self.up_within(node) else { return };
        let above = self.links[up].up;
        if let Some(top) = self.up_within(up) {
            let place = &mut self.links[top];
            *(if place.shallower == Some(up) { &mut place.shallower } else { &mut place.deeper }) = Some(node);
        }
        let moved = if self.is_shallower(node, up) {
            let moved = self.links[node].deeper.replace(up);
            self.links[up].shallower = moved;
            moved
        } else {
            let moved = self.links[node].shallower.replace(up);
            self.links[up].deeper = moved;
            moved
        };
        if let Some(moved) = moved {
            self.links[moved].up = Some(up);
        }
        self.links[up].up = Some(node);
        self.links[node].up = above;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By walking up.
    fn is_above(forest: &Forest, node: usize, below: usize) -> bool {
        std::iter::successors(Some(below), |at| forest.parent(*at)).any(|at| at == node)
    }

    proptest! {
        #[test]
        fn loops_are_found(acts in prop::collection::vec((0_usize..12, 0_usize..12, prop::bool::weighted(0.3)), 0..200)) {
            let mut forest = Forest::default();
            (0..12).for_each(|_| forest.add());
            for (parent, child, is_cut) in acts {
                if is_cut || forest.parent(child).is_some() {
                    forest.cut(child);
                    prop_assert_eq!(forest.parent(child), None);
                } else {
                    let is_loop = is_above(&forest, child, parent);
                    forest.link(parent, child);
                    prop_assert_eq!(forest.parent(child), (!is_loop).then_some(parent));
                }
            }
        }
    }
}
