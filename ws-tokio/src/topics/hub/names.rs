//! A bounded set of topics, by their names.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

/// So many topics at most are told apart.
#[derive(Debug)]
pub(super) struct Names {
    names: HashSet<Arc<str>>,
    /// There were more: it may be any.
    are_all: bool,
    most: usize,
}

impl Names {
    pub(super) fn new(most: usize) -> Self {
        Self { names: HashSet::new(), are_all: false, most }
    }

    /// Returns the names, unless it may be any.
    pub(super) fn each(&self) -> Option<&HashSet<Arc<str>>> {
        (!self.are_all).then_some(&self.names)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.are_all && self.names.is_empty()
    }

    pub(super) fn add(&mut self, name: &Arc<str>) {
        if self.are_all || self.names.contains(name) {
            return;
        }
        if self.names.len() < self.most {
            self.names.insert(name.clone());
        } else {
            self.names = HashSet::new();
            self.are_all = true;
        }
    }

    pub(super) fn add_all(&mut self, other: Self) {
        self.are_all |= other.are_all;
        other.names.iter().for_each(|name| self.add(name));
    }

    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.most);
        mem::replace(self, empty)
    }
}
