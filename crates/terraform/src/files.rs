//! The files that the edge loaded.

use bartizan_base::{FileId, Sources};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files by path relative to the root directory, with `/` separators (`main.tf`, `modules/net/main.tf`,
/// `.terraform/modules/modules.json`, `templates/user.tpl`). The text is in [`Sources`].
#[derive(Clone, Debug, Default)]
pub struct FileSet {
    /// Name of the root directory as the user typed it; file names in [`Sources`] start with it.
    pub root: String,
    /// Path relative to the root -> file.
    pub files: BTreeMap<String, FileId>,
}

impl FileSet {
    /// Adds a file under its relative path; its name in messages is `root/path`.
    pub fn add(&mut self, sources: &mut Sources, path: &str, text: impl Into<Arc<str>>) -> FileId {
        let name = if self.root.is_empty() || self.root == "." {
            path.to_string()
        } else {
            format!("{}/{path}", self.root.trim_end_matches('/'))
        };
        let id = sources.add(name, text);
        self.files.insert(path.to_string(), id);
        id
    }
}
