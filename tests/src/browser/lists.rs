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

    /// Presses a link with the middle button of the mouse; where the page is that opens beside this one, and is closed again.
    ///
    /// # Panics
    /// As for [`Browser::press`]; or no page opens.
    #[track_caller]
    pub fn press_with_middle(&self, link: &str) -> String {
        self.ask_text("beside", json!({"text": link, "button": "middle"}))
    }

    /// The same with the key for another page held down.
    ///
    /// # Panics
    /// As for [`Self::press_with_middle`].
    #[track_caller]
    pub fn press_with_control(&self, link: &str) -> String {
        self.ask_text("beside", json!({"text": link, "modifiers": ["ControlOrMeta"]}))
    }

    /// Presses a button twice, as fast as a mouse does, and waits for the page that this leads to.
    ///
    /// # Panics
    /// As for [`Browser::press`].
    #[track_caller]
    pub fn press_twice(&self, button: &str) {
        self.ask("twice", json!({"text": button}));
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
