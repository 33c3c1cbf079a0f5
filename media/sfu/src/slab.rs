//! Things under small stable indices, so that the packet path hashes no strings.

/// Freed indices are used again: whoever keeps one must drop it when the thing goes.
pub struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, item: T) -> usize {
        if let Some(index) = self.free.pop() {
            self.entries[index] = Some(item);
            return index;
        }
        self.entries.push(Some(item));
        self.entries.len() - 1
    }

    pub fn remove(&mut self, index: usize) -> Option<T> {
        let item = self.entries.get_mut(index)?.take()?;
        self.free.push(index);
        Some(item)
    }

    pub fn get(&self, index: usize) -> Option<&T> {
        self.entries.get(index)?.as_ref()
    }

    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.entries.get_mut(index)?.as_mut()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().flatten()
    }

    /// Index of the first that is wanted.
    pub fn position(&self, mut is_wanted: impl FnMut(&T) -> bool) -> Option<usize> {
        let mut entries = self.entries.iter();
        entries.position(|entry| entry.as_ref().is_some_and(&mut is_wanted))
    }

    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}
