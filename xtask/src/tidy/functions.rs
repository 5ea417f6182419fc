//! Finds functions in tokens: name, length, and number of parameters.
//!
//! Function types (`fn(u8)`), and functions without a body in traits, are told apart from
//! definitions. A closure is part of the function that it stands in.

use super::lexer::{Token, is_word};

/// A function as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Where `fn` stands, counted from 1.
    pub(crate) line: usize,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
    /// Without `self`.
    pub(crate) parameters: usize,
}

/// All functions in `tokens`, also those inside others.
pub(crate) fn find(tokens: &[Token<'_>]) -> Vec<Function> {
    let starts = (0..tokens.len()).filter(|&at| tokens[at].text == "fn");
    starts.filter_map(|at| function_at(tokens, at)).collect()
}

/// The index of the bracket that closes the one at `open`; the last index if none does.
pub(crate) fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len().saturating_sub(1)
}

/// The index at which the item that goes on at `from` ends: its closing brace, or `;`.
pub(crate) fn body_or_semicolon(tokens: &[Token<'_>], from: usize) -> usize {
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "(" | "[" => at = closing(tokens, at) + 1,
            "{" => return closing(tokens, at),
            ";" => return at,
            _ => at += 1,
        }
    }
    tokens.len().saturating_sub(1)
}

fn function_at(tokens: &[Token<'_>], at: usize) -> Option<Function> {
    let dollar = usize::from(tokens.get(at + 1)?.text == "$");
    let name = tokens.get(at + 1 + dollar)?.text;
    if !name.starts_with(is_word) {
        return None;
    }
    let open = after_generics(tokens, at + 2 + dollar);
    if tokens.get(open)?.text != "(" {
        return None;
    }
    let close = closing(tokens, open);
    let end = body_or_semicolon(tokens, close + 1);
    Some(Function {
        name: name.to_owned(),
        line: tokens[at].line,
        lines: tokens[end].line - tokens[at].line + 1,
        parameters: parameters(&tokens[open + 1..close]),
    })
}

fn after_generics(tokens: &[Token<'_>], from: usize) -> usize {
    if tokens.get(from).is_none_or(|token| token.text != "<") {
        return from;
    }
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text {
            "<" => depth += 1,
            ">" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn parameters(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    let mut list: Vec<Vec<&str>> = vec![Vec::new()];
    for token in tokens {
        match token.text {
            "(" | "[" | "{" | "<" => depth += 1,
            ")" | "]" | "}" | ">" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                list.push(Vec::new());
                continue;
            }
            _ => {}
        }
        list.last_mut()
            .expect("it begins with one")
            .push(token.text);
    }
    let is_self = |words: &Vec<&str>| {
        words
            .iter()
            .take_while(|&&word| word != ":")
            .any(|&word| word == "self")
    };
    // `a in 1..9` is no parameter, but what proptest's macro makes up.
    let is_made_up = |words: &Vec<&str>| words.contains(&"in");
    let counts = |words: &&Vec<&str>| !words.is_empty() && !is_self(words) && !is_made_up(words);
    list.iter().filter(counts).count()
}

#[cfg(test)]
mod tests {
    use super::super::lexer;
    use super::*;

    fn found(text: &str) -> Vec<(String, usize, usize, usize)> {
        let lines = lexer::lines(text);
        let functions = find(&lexer::tokens(&lines));
        functions
            .into_iter()
            .map(|f| (f.name, f.line, f.lines, f.parameters))
            .collect()
    }

    #[test]
    fn lengths_go_from_fn_to_the_closing_brace() {
        let text = "fn a() {\n  let b = \"}\"; // }\n  if c {\n  }\n}\nfn d() {}\n";
        assert_eq!(found(text), [("a".into(), 1, 5, 0), ("d".into(), 6, 1, 0)]);
    }

    #[test]
    fn parameters_are_counted_without_self() {
        for (text, count) in [
            ("fn a()", 0),
            ("fn a(b: u8, c: u8,)", 2),
            ("fn a(&self)", 0),
            ("fn a(&'a mut self, b: u8)", 1),
            ("fn a(self: &Arc<Self>, b: HashMap<u8, u8>)", 1),
            (
                "fn a((b, c): (u8, u8), d: impl Fn(u8, u8) -> Vec<u8>, e: u8)",
                3,
            ),
            ("fn a<T: Fn(u8) -> u8, const N: usize>(b: [T; N], c: T)", 2),
            ("fn a(#[x] b: u8, c: &dyn for<'c> Fn(&'c u8, u8))", 2),
            ("fn a(b in 0..9, c in any::<(u8, u8)>(), d: u8)", 1),
        ] {
            assert_eq!(found(&format!("{text} {{}}"))[0].3, count, "{text}");
            assert_eq!(found(&format!("{text};"))[0].3, count, "{text}");
        }
    }

    #[test]
    fn function_types_are_not_functions() {
        assert_eq!(
            found("struct A { b: fn(u8) -> u8, c: Box<dyn Fn(u8)> }"),
            []
        );
    }

    #[test]
    fn a_semicolon_in_a_type_does_not_end_the_signature() {
        let text = "fn a(b: [u8; 2]) -> [u8; 2]\nwhere\n  u8: Copy,\n{\n  b\n}\n";
        assert_eq!(found(text), [("a".into(), 1, 6, 1)]);
    }

    #[test]
    fn functions_in_functions_and_macros_are_found() {
        let text = "fn a() {\n  fn b() {}\n}\nmacro_rules! m { () => { fn $c() {} } }\n";
        let names: Vec<String> = found(text).into_iter().map(|f| f.0).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
