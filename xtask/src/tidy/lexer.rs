//! Takes Rust text apart, line by line: code, comments, and what literals hold.
//!
//! Comments (nested ones too), strings of every kind and characters are taken out of the code,
//! so that no rule is fooled by a banned word in a message or by a brace in a string. What is
//! taken out leaves as many spaces, so columns stay as they were. Macros are not expanded.

/// One line of a file, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// The line as it stands.
    pub(crate) raw: String,
    /// What the compiler reads; comments and literals are blank, quotes stay.
    pub(crate) code: String,
    /// What literals hold, without quotes.
    pub(crate) literal: String,
    /// What comments hold, with their slashes.
    pub(crate) comment: String,
    /// The line begins inside a literal that began on an earlier one.
    pub(crate) continues_literal: bool,
}

/// One word or sign of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Takes `text` apart.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut lexer = Lexer {
        characters: text.chars().collect(),
        at: 0,
        state: State::Code,
        line: Line::default(),
        done: Vec::new(),
    };
    lexer.run();
    lexer.done
}

/// The words and signs of `lines`' code, in order. `::`, `->` and `=>` are one sign each.
pub(crate) fn tokens(lines: &[Line]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut rest = line.code.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if ["::", "->", "=>"].iter().any(|sign| rest.starts_with(sign)) {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(length);
            tokens.push(Token {
                text,
                line: index + 1,
            });
            rest = after.trim_start();
        }
    }
    tokens
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    /// How many block comments are open.
    BlockComment(usize),
    Literal,
    /// How many `#` close it.
    RawLiteral(usize),
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    state: State,
    line: Line,
    done: Vec<Line>,
}

impl Lexer {
    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            if c == '\n' {
                self.end_line();
                continue;
            }
            match self.state {
                State::Code => self.code(c),
                State::LineComment => self.take(1),
                State::BlockComment(open) => self.block_comment(c, open),
                State::Literal => self.literal(c),
                State::RawLiteral(hashes) => self.raw_literal(c, hashes),
            }
        }
        if !self.line.raw.is_empty() {
            self.end_line();
        }
    }

    fn code(&mut self, c: char) {
        match (c, self.peek(1)) {
            ('/', Some('/')) => self.begin(State::LineComment, 2),
            ('/', Some('*')) => self.begin(State::BlockComment(1), 2),
            ('"', _) => {
                self.keep(1);
                self.state = State::Literal;
            }
            ('r', _) if self.raw_hashes().is_some() => {
                let hashes = self.raw_hashes().expect("it was just there");
                self.keep(hashes + 2);
                self.state = State::RawLiteral(hashes);
            }
            ('\'', _) => self.character_or_lifetime(),
            _ => self.keep(1),
        }
    }

    /// `r"`, `r#"` and so on, unless the `r` ends a longer word: the number of `#`.
    fn raw_hashes(&self) -> Option<usize> {
        let before = |back: usize| self.at.checked_sub(back).map(|at| self.characters[at]);
        let prefixed = matches!(before(1), Some('b' | 'c')) && !before(2).is_some_and(is_word);
        if before(1).is_some_and(is_word) && !prefixed {
            return None;
        }
        let hashes = (1..)
            .take_while(|&ahead| self.peek(ahead) == Some('#'))
            .count();
        (self.peek(hashes + 1) == Some('"')).then_some(hashes)
    }

    /// `'x'` and `'\u{7f}'` are characters; `'a` alone is a lifetime.
    fn character_or_lifetime(&mut self) {
        self.keep(1);
        let length = match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                let closing = (2..).find(|&ahead| matches!(self.peek(ahead), Some('\'') | None));
                closing.expect("an unbounded range ends at the text's end")
            }
            (Some(_), Some('\'')) => 1,
            _ => return,
        };
        self.state = State::Literal;
        self.take(length);
        self.state = State::Code;
        self.keep(1);
    }

    fn block_comment(&mut self, c: char, open: usize) {
        match (c, self.peek(1)) {
            ('/', Some('*')) => self.begin(State::BlockComment(open + 1), 2),
            ('*', Some('/')) => {
                self.take(2);
                self.state = if open == 1 {
                    State::Code
                } else {
                    State::BlockComment(open - 1)
                };
            }
            _ => self.take(1),
        }
    }

    fn literal(&mut self, c: char) {
        match c {
            '\\' if self.peek(1) != Some('\n') => self.take(2),
            '"' => {
                self.keep(1);
                self.state = State::Code;
            }
            _ => self.take(1),
        }
    }

    fn raw_literal(&mut self, c: char, hashes: usize) {
        if c == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#')) {
            self.keep(hashes + 1);
            self.state = State::Code;
        } else {
            self.take(1);
        }
    }

    fn begin(&mut self, state: State, length: usize) {
        self.state = state;
        self.take(length);
    }

    /// Moves on over characters that are code.
    fn keep(&mut self, length: usize) {
        for _ in 0..length {
            let Some(c) = self.peek(0) else { return };
            self.line.raw.push(c);
            self.line.code.push(c);
            self.at += 1;
        }
    }

    /// Moves on over characters that are a comment's or a literal's.
    fn take(&mut self, length: usize) {
        for _ in 0..length {
            let Some(c) = self.peek(0) else { return };
            self.line.raw.push(c);
            self.line.code.push(' ');
            match self.state {
                State::LineComment | State::BlockComment(_) => self.line.comment.push(c),
                _ => self.line.literal.push(c),
            }
            self.at += 1;
        }
    }

    fn end_line(&mut self) {
        self.at += 1;
        if self.state == State::LineComment {
            self.state = State::Code;
        }
        let continues_literal = matches!(self.state, State::Literal | State::RawLiteral(_));
        let next = Line {
            continues_literal,
            ..Line::default()
        };
        self.done.push(std::mem::replace(&mut self.line, next));
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let lines: Vec<String> = lines(text).into_iter().map(|line| line.code).collect();
        lines.join("\n")
    }

    #[test]
    fn comments_and_literals_leave_spaces() {
        for (text, left) in [
            ("a // b", "a     "),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"x{\")", "f(\"  \")"),
            (r#"f("a\"b")"#, r#"f("    ")"#),
            ("r\"a\\\" b", "r\"  \" b"),
            ("r#\"a\"b\"# c", "r#\"   \"# c"),
            ("br#\"}\"# c", "br#\" \"# c"),
            ("bar\"}\" c", "bar\" \" c"),
            ("r#fn x", "r#fn x"),
            ("'{' x", "' ' x"),
            (r"'\'' x", "'  ' x"),
            (r"'\u{7d}' x", "'      ' x"),
            ("&'a str", "&'a str"),
            ("'outer: loop", "'outer: loop"),
        ] {
            assert_eq!(code(text), left, "{text}");
        }
    }

    #[test]
    fn what_is_taken_out_is_kept_apart() {
        let lines = lines("let a = \"one\"; // two\n");
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].literal, "one");
        assert_eq!(lines[0].comment, "// two");
        assert_eq!(lines[0].raw, "let a = \"one\"; // two");
    }

    #[test]
    fn a_literal_may_go_on_over_lines() {
        let lines = lines("let a = \"one\n  two\";\nlet b = 1;");
        let went_on: Vec<bool> = lines.iter().map(|line| line.continues_literal).collect();
        assert_eq!(went_on, [false, true, false]);
        assert_eq!(lines[1].literal, "  two");
    }

    #[test]
    fn a_literal_may_break_its_line_with_a_backslash() {
        let lines = lines("let a = \"one \\\n  two\";\nb");
        assert_eq!(lines[1].literal, "  two");
        assert_eq!(lines[2].code, "b");
    }

    #[test]
    fn tokens_know_their_lines() {
        let lines = lines("a::b(\n  c_1 -> d)");
        let tokens: Vec<(&str, usize)> = tokens(&lines).iter().map(|t| (t.text, t.line)).collect();
        assert_eq!(
            tokens,
            [
                ("a", 1),
                ("::", 1),
                ("b", 1),
                ("(", 1),
                ("c_1", 2),
                ("->", 2),
                ("d", 2),
                (")", 2)
            ]
        );
    }
}
