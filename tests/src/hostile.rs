//! Texts that do harm where a page takes them for more than text: each is stored wherever a tenant,
//! a sender or a receiver can leave one, and the browser notices what comes of it.
//!
//! A script among them sets `__xss`, a request has `xss` in its path, and an element is named so:
//! that is what `tests/clients/browser` looks for. A new one needs nothing but a line here.

/// Each has a name, and is at most 240 bytes long, which fits into every field for people's words.
pub const HOSTILE: [(&str, &str); 16] = [
    ("script", "<script>__xss='script'</script>"),
    ("image", r#""><img src=/xss-image onerror="__xss='image'">"#),
    ("drawing", r#"'><svg onload="__xss='drawing'"></svg>"#),
    (
        "attribute",
        r#"" autofocus onfocus="__xss='attribute'" x-xss=""#,
    ),
    (
        "single quotes",
        "' onmouseover='__xss=`single quotes`' x-xss='",
    ),
    ("no quotes", "x onclick=__xss=`unquoted` x-xss"),
    ("link", "javascript:__xss='link'"),
    (
        "data link",
        "data:text/html,<script>opener.__xss='data link'</script>",
    ),
    (
        "frame",
        r#"<iframe srcdoc="<script>parent.__xss='frame'</script>"></iframe>"#,
    ),
    (
        "end of text",
        "</title></textarea></style></script>--><script>__xss='end'</script>",
    ),
    (
        "element",
        "<x-xss>an element</x-xss><a href=/xss>a link</a>",
    ),
    (
        "style",
        "<style>@import '/xss-style';*{display:none}</style>",
    ),
    (
        "entities",
        "&lt;script&gt;__xss='entities'&lt;/script&gt;&#34;&#x3e;",
    ),
    (
        "template",
        "{{7919*7907}}${7919*7907}#{7919*7907}<%= 7919*7907 %>{%7919*7907%}",
    ),
    ("direction", "\u{202e}fdp.eciovni\u{2066}\u{2067}\u{202b}"),
    (
        "long",
        concat!(
            "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
            "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
            "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        ),
    ),
];

/// All of them in one text, for what there is one of.
pub fn all() -> String {
    HOSTILE.map(|(_, text)| text).join(" ")
}

/// As long a name as one may be, without a place to break it: for what has a name of letters.
pub fn long_name() -> String {
    "W".repeat(250)
}
