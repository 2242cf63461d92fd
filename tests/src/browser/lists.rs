//! What people do with lists: look something up, open a row, take it away as a file.

use serde_json::json;

use super::{Browser, text};

/// A file that the browser was given to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Under which name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Browser {
    /// Types into the field with this label and presses Enter; waits for the page that this leads to.
    ///
    /// # Panics
    /// As for [`Browser::fill`].
    #[track_caller]
    pub fn look_up(&self, field: &str, value: &str) {
        self.fill(field, value);
        self.ask("key", json!({"key": "Enter", "field": field}));
    }

    /// Opens the row of a list that says this: beside the list where scripts run, else on a page of its own. What is done
    /// next is done there.
    ///
    /// # Panics
    /// There is no such row, or more than one.
    #[track_caller]
    pub fn open_row(&self, text: &str) {
        self.ask("row", json!({"text": text}));
    }

    /// Presses the button or follows the link behind which there is a file.
    ///
    /// # Panics
    /// As for [`Browser::press`]; or no file comes.
    #[track_caller]
    pub fn download(&self, press: &str) -> Download {
        let file = self.ask("download", json!({"text": press}));
        Download { name: text(&file, "name"), text: text(&file, "text") }
    }
}
