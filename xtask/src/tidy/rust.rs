//! Rust source as far as the other checks need it: lines of code with their numbers, without comments and without the
//! tests at a file's end. Reads line by line and knows no grammar: a word inside a string counts as code.

/// The lines of code before `mod tests`, numbered from 1, each without the comment behind it.
pub(super) fn code(content: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = content.lines().take_while(|line| !line.starts_with("mod tests"));
    let without_comments = lines.map(|line| line.split("//").next().unwrap_or_default());
    (1..).zip(without_comments).filter(|(_, line)| !line.trim().is_empty())
}

/// Whether `line` holds `word` as a word of its own.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    words(line).any(|other| other == word)
}

/// The identifiers, keywords and numbers of a line.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_tests_are_no_code() {
        let content =
            "//! doc\nuse a::b; // why\n\n/// doc\nfn c() {}\n\n#[cfg(test)]\nmod tests {\n    bad\n";
        let lines: Vec<_> = code(content).collect();
        assert_eq!(lines, [(2, "use a::b; "), (5, "fn c() {}"), (7, "#[cfg(test)]")]);
    }

    #[test]
    fn words_end_where_identifiers_do() {
        assert!(has_word("let x = crate::time::now();", "time"));
        assert!(!has_word("let timeout = 1;", "time"));
        assert!(!has_word("deny(unsafe_code)", "unsafe"));
    }
}
