//! Measuring and summarising text. Pure.

use std::collections::{HashMap, HashSet};

/// How fast an adult reads non-fiction in English silently (Brysbaert 2019), in words per minute.
const WORDS_PER_MINUTE: usize = 238;

/// Words that say nothing about what a text is about.
const COMMON_WORDS: [&str; 40] = [
    "about", "after", "also", "because", "been", "before", "being", "between", "both", "could", "does", "each", "from",
    "have", "here", "into", "just", "like", "many", "more", "most", "much", "only", "other", "over", "same", "some",
    "such", "than", "that", "their", "them", "then", "there", "these", "they", "this", "very", "were", "with",
];

/// What can be counted in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) characters: usize,
    pub(super) characters_without_spaces: usize,
    pub(super) words: usize,
    /// Differences of case do not count.
    pub(super) unique_words: usize,
    pub(super) sentences: usize,
    /// Separated by blank lines.
    pub(super) paragraphs: usize,
    /// In seconds, rounded up.
    pub(super) reading_time_s: usize,
}

pub(super) fn measure(text: &str) -> Stats {
    let words = words(text);
    Stats {
        characters: text.chars().count(),
        characters_without_spaces: text.chars().filter(|c| !c.is_whitespace()).count(),
        words: words.len(),
        unique_words: words.iter().collect::<HashSet<_>>().len(),
        sentences: split_sentences(text).len(),
        paragraphs: count_paragraphs(text),
        reading_time_s: words.len().saturating_mul(60).div_ceil(WORDS_PER_MINUTE),
    }
}

/// The words in lower case, without the punctuation around them.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn count_paragraphs(text: &str) -> usize {
    let mut is_inside = false;
    let mut count = 0_usize;
    for line in text.lines() {
        let has_text = !line.trim().is_empty();
        if has_text && !is_inside {
            count = count.saturating_add(1);
        }
        is_inside = has_text;
    }
    count
}

/// Splits after `.`, `!`, `?` and `…` (with closing quotes and brackets) where white space follows and the next
/// sentence does not start in lower case, and at blank lines.
pub(super) fn split_sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut has_ended = false;
    let mut newlines = 0_u32;
    let mut is_after_space = false;
    for (position, c) in text.char_indices() {
        if c.is_whitespace() {
            is_after_space = true;
            newlines = newlines.saturating_add(u32::from(c == '\n'));
            continue;
        }
        if is_after_space && (newlines >= 2 || (has_ended && !c.is_lowercase())) {
            push_sentence(&mut sentences, text.get(start..position));
            start = position;
        }
        has_ended = match c {
            '.' | '!' | '?' | '…' => true,
            '"' | '\'' | ')' | ']' | '”' | '’' | '»' => has_ended && !is_after_space,
            _ => false,
        };
        (is_after_space, newlines) = (false, 0);
    }
    push_sentence(&mut sentences, text.get(start..));
    sentences
}

fn push_sentence<'a>(sentences: &mut Vec<&'a str>, sentence: Option<&'a str>) {
    sentences.extend(sentence.map(str::trim).filter(|sentence| sentence.chars().any(char::is_alphanumeric)));
}

/// The `count` sentences whose words are the most frequent in the whole text, in the order of the text. Of equal
/// sentences the earlier wins.
pub(super) fn pick_sentences<'a>(sentences: &[&'a str], count: usize) -> Vec<&'a str> {
    let telling: Vec<Vec<String>> = sentences.iter().map(|sentence| telling_words(sentence)).collect();
    let mut frequency: HashMap<&str, usize> = HashMap::new();
    for word in telling.iter().flatten() {
        let times = frequency.entry(word).or_default();
        *times = times.saturating_add(1);
    }
    let score = |words: &[String]| {
        let sum = words
            .iter()
            .filter_map(|word| frequency.get(word.as_str()))
            .fold(0, |sum: usize, n| sum.saturating_add(*n));
        // the average, in thousandths, so that long sentences do not win by length
        sum.saturating_mul(1_000).checked_div(words.len()).unwrap_or(0)
    };
    let mut ranked: Vec<(usize, usize)> = telling.iter().map(|words| score(words)).enumerate().collect();
    ranked
        .sort_by(|(position_a, score_a), (position_b, score_b)| score_b.cmp(score_a).then(position_a.cmp(position_b)));
    let mut kept: Vec<usize> = ranked.into_iter().take(count).map(|(position, _)| position).collect();
    kept.sort_unstable();
    kept.into_iter().filter_map(|position| sentences.get(position).copied()).collect()
}

fn telling_words(sentence: &str) -> Vec<String> {
    let mut words = words(sentence);
    words.retain(|word| word.chars().count() > 3 && !COMMON_WORDS.contains(&word.as_str()));
    words
}
