//! What somebody types to find a tool, as the words that are looked for.
//!
//! A search is plain text: signs divide words and mean nothing else, so nothing that is typed is ever a term of a
//! database's own language for searching.

use crate::limits::SEARCH_WORDS_MAX;

/// Words that join other words. Who asks in a sentence does not mean them.
const JOINING: [&str; 44] = [
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has", "have", "how",
    "i", "if", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "that", "the", "this", "to", "was", "we",
    "what", "when", "where", "which", "who", "will", "with", "you", "your",
];

/// The words of `text` that are looked for: in small letters, each once, in the order in which they stand, at most
/// [`SEARCH_WORDS_MAX`]. None, where there are only signs and joining words.
pub fn search_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        if words.len() < SEARCH_WORDS_MAX && !JOINING.contains(&&*word) && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests;
