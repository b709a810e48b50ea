//! What a cursor is told.

use super::{Lookup, Node, Tree, key, parent};

/// What a cursor stands for.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    /// The key of the folder; `""` is the root.
    pub(crate) folder: String,
    pub(crate) recursive: bool,
    /// Whether what was gone before the first page is told, too.
    pub(crate) include_deleted: bool,
    /// The most entries of a page.
    pub(crate) limit: usize,
    /// Changes up to this one were told.
    pub(crate) told: u64,
    /// What went up to this change was gone before the listing began.
    pub(crate) began: u64,
}

impl Tree {
    /// The key of a folder that can be listed.
    pub(crate) fn folder_to_list(&self, path: &str) -> Result<String, Lookup> {
        if path.is_empty() {
            return Ok(String::new());
        }
        let node = self.find(path)?;
        node.is_folder().then(|| node.display.to_lowercase()).ok_or(Lookup::NotFolder)
    }

    /// The next page, and whether there is more. The listing goes on behind it.
    pub(crate) fn page(&self, listing: &mut Listing) -> (Vec<Node>, bool) {
        let mut news: Vec<_> = self.news(listing).collect();
        news.sort_by_key(|node| node.changed);
        let has_more = news.len() > listing.limit;
        news.truncate(listing.limit);
        listing.told = match news.last() {
            Some(last) if has_more => last.changed,
            _ => self.now(),
        };
        (news.into_iter().cloned().collect(), has_more)
    }

    /// Whether there is anything to tell.
    pub(crate) fn has_news(&self, listing: &Listing) -> bool {
        self.news(listing).next().is_some()
    }

    fn news(&self, listing: &Listing) -> impl Iterator<Item = &Node> {
        // A recursive listing tells of its own folder, too.
        let itself = self.nodes.get_key_value(&listing.folder).filter(|_| listing.recursive);
        let all = itself.into_iter().chain(self.below(&listing.folder));
        all.filter(|(key, node)| {
            let is_in = listing.recursive || parent(key) == listing.folder;
            let was_gone = node.changed <= listing.began && !listing.include_deleted;
            let is_told = node.is_there() || !(was_gone || self.is_gone(parent(key)));
            is_in && is_told && node.changed > listing.told
        })
        .map(|(_, node)| node)
    }

    /// Of a folder that is gone, only the folder is told.
    fn is_gone(&self, folder: &str) -> bool {
        self.nodes.get(folder).is_some_and(|node| !node.is_there())
    }

    /// Whether a cursor's folder is still there.
    pub(crate) fn still_lists(&self, listing: &Listing) -> bool {
        listing.folder.is_empty()
            || key(&listing.folder)
                .and_then(|key| self.nodes.get(&key))
                .is_some_and(Node::is_folder)
    }
}
