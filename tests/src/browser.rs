//! Pages in a real Chromium: what is wrong with them, in sentences. The looking is done by
//! `tests/clients/browser`, in both sizes, light and dark, with scripts and without; this hands it
//! the pages, and makes a failure of what it found.
//!
//! A page is a [`Page`], a row of a test's table. A [`Story`], where something is filled in or
//! pressed, is a file of `tests/clients/browser/stories`. All of a [`Visit`] is seen in one start
//! of Chromium. Its pictures are in the target directory, under `screenshots`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clients::{self, Language};
use crate::place;

/// How long a whole visit may take, on a slow machine.
const VISIT_LIMIT: Duration = Duration::from_secs(600);
/// The variable that names the folder for pictures that documents show.
const PICTURES: &str = "POSTRIDER_PICTURES";

/// What to look at, and as whom.
pub struct Visit {
    base: String,
    sessions: Vec<Value>,
    pages: Vec<Page>,
    stories: Vec<Story>,
    screenshots: PathBuf,
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    name: String,
    path: String,
    session: Option<String>,
    status: u16,
    shows: Vec<String>,
    picture: bool,
    glance: bool,
}

/// Something that people do, told in `tests/clients/browser/stories/NAME.mjs`.
#[derive(Clone, Debug)]
pub struct Story {
    file: String,
    session: Option<String>,
    given: Value,
    hands: Hands,
}

/// What a story is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hands {
    Mouse,
    Keyboard,
    /// A mouse, where no scripts run.
    WithoutScripts,
}

/// Something that is wrong with a page.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// The page, by its name.
    pub page: String,
    /// How it was looked at.
    pub view: String,
    /// What kind of wrong: `accessibility`, `injection`, `host` and so on.
    pub kind: String,
    /// The sentence.
    pub text: String,
}

#[derive(Deserialize)]
struct Found {
    findings: Vec<Finding>,
    visited: Vec<Visited>,
}

#[derive(Deserialize)]
struct Visited {
    name: String,
    ms: u64,
}

impl Page {
    /// A page with a name, for its pictures, and its path.
    pub fn new(name: &str, path: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            session: None,
            status: 200,
            shows: Vec::new(),
            picture: false,
            glance: false,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Seen by whoever is signed in in this session.
    pub fn of(mut self, session: &str) -> Self {
        self.session = Some(session.to_owned());
        self
    }

    /// A text that it must show, as one that proves that what it is about is there.
    pub fn shows(mut self, text: impl Into<String>) -> Self {
        let text: String = text.into();
        // As a browser has it: white space in a row is one.
        self.shows
            .push(text.split_whitespace().collect::<Vec<_>>().join(" "));
        self
    }

    /// Answered with this status, not with 200.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Shown in the documents: see CONTRIBUTING.md.
    pub fn picture(mut self) -> Self {
        self.picture = true;
        self
    }

    /// Looked at once, for what it takes a text for: one of many that are made alike.
    pub fn glance(mut self) -> Self {
        self.glance = true;
        self
    }

    fn row(&self) -> Value {
        json!({
            "name": self.name, "path": self.path, "session": self.session, "glance": self.glance,
            "status": self.status, "shows": self.shows, "picture": self.picture,
        })
    }
}

impl Story {
    /// The story of this file, told with the mouse.
    pub fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            session: None,
            given: json!({}),
            hands: Hands::Mouse,
        }
    }

    /// Told by whoever is signed in in this session.
    pub fn of(mut self, session: &str) -> Self {
        self.session = Some(session.to_owned());
        self
    }

    /// With what only the test knows.
    pub fn given(mut self, given: Value) -> Self {
        self.given = given;
        self
    }

    /// Told by keyboard.
    pub fn by_keyboard(mut self) -> Self {
        self.hands = Hands::Keyboard;
        self
    }

    /// Told where no scripts run.
    pub fn without_scripts(mut self) -> Self {
        self.hands = Hands::WithoutScripts;
        self
    }

    fn row(&self) -> Value {
        let name = match self.hands {
            Hands::Mouse => self.file.clone(),
            Hands::Keyboard => format!("{} by keyboard", self.file),
            Hands::WithoutScripts => format!("{} without scripts", self.file),
        };
        json!({
            "name": name, "file": self.file, "session": self.session, "given": self.given,
            "keyboard": self.hands == Hands::Keyboard,
            "javaScript": self.hands != Hands::WithoutScripts,
        })
    }
}

impl Visit {
    /// To the server at this URL.
    pub fn to(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            sessions: Vec::new(),
            pages: Vec::new(),
            stories: Vec::new(),
            screenshots: place::target().join("screenshots"),
        }
    }

    /// A session that begins with a form at `path`, in which these fields are filled in.
    pub fn signing_in(mut self, name: &str, path: &str, fields: Value) -> Self {
        let session = json!({"name": name, "path": path, "fields": fields});
        self.sessions.push(session);
        self
    }

    /// A session that begins by pressing the button of the page at `path`, as of a link that leads
    /// in.
    pub fn opening(self, name: &str, path: &str) -> Self {
        self.signing_in(name, path, json!({}))
    }

    /// With screenshots in a folder of their own.
    pub fn apart(mut self, folder: &str) -> Self {
        self.screenshots.push(folder);
        self
    }

    /// These pages as well.
    pub fn pages(mut self, pages: impl IntoIterator<Item = Page>) -> Self {
        self.pages.extend(pages);
        self
    }

    /// A story as well.
    pub fn story(mut self, story: Story) -> Self {
        self.stories.push(story);
        self
    }

    /// Looks at everything; gives what is wrong.
    ///
    /// # Panics
    /// When a page could not be looked at.
    pub async fn found(self) -> Vec<Finding> {
        std::fs::create_dir_all(&self.screenshots).expect("a folder for screenshots");
        let pictures = place::variable(PICTURES).map(|folder| place::repository().join(folder));
        if let Some(folder) = &pictures {
            std::fs::create_dir_all(folder).expect("a folder for pictures");
        }
        let rows: Vec<Value> = self.pages.iter().map(Page::row).collect();
        let stories: Vec<Value> = self.stories.iter().map(Story::row).collect();
        let job = json!({
            "base": self.base, "sessions": self.sessions, "pages": rows, "stories": stories,
            "screenshots": self.screenshots, "pictures": pictures,
        });
        let script = ("browser/main.mjs", VISIT_LIMIT);
        let output = clients::script(Language::Node, script, &[], &job.to_string()).await;
        let Found { findings, visited } = serde_json::from_str(&output)
            .unwrap_or_else(|error| panic!("the browser answered oddly ({error}): {output}"));
        assert_eq!(visited.len(), self.pages.len() + self.stories.len());
        for Visited { name, ms } in visited {
            eprintln!("{ms:>6} ms  {name}");
        }
        findings
    }

    /// Looks at everything.
    ///
    /// # Panics
    /// When anything is wrong: with all of it.
    pub async fn is_good(self) {
        let findings = self.found().await;
        let text: String = findings.iter().map(|one| format!("{one}\n")).collect();
        let count = findings.len();
        assert!(
            findings.is_empty(),
            "{count} things are wrong with these pages:\n{text}"
        );
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.text.replace('\n', "\n    ");
        write!(f, "{} ({}): {}: {text}", self.page, self.view, self.kind)
    }
}
