//! What every answer says to a browser that is led to it, whichever route it comes from.

use crate::call::Answer;
use crate::operations::{Operation, Who, in_order, operations};
use crate::outcomes::Ended;
use crate::stage::Stage;
use crate::world::World;
use axum::body::Body;
use http::Request;
use serde_json::json;

/// Our own pages, and what they are made of: all that may be more than JSON.
const PAGES: [&str; 2] = ["/docs", "/docs/style.css"];

/// What anybody may keep for a while.
const PUBLIC: &str = "public, max-age=60";

impl Answer {
    /// Passes an answer that no browser does anything with.
    #[track_caller]
    pub(crate) fn is_harmless(&self) {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'; sandbox",
            ),
        ] {
            assert_eq!(self.headers[name], value, "{self:?}");
        }
        let kept = &self.headers["cache-control"];
        assert!(kept == "no-store" || kept == PUBLIC, "{self:?}");
        let how = self.headers.get("content-disposition");
        match self.headers.get("content-type") {
            // What is saved is shown by nobody, whatever it is.
            Some(_) if how.is_some_and(|how| how == "attachment") => {}
            Some(kind) => assert_eq!(kind, "application/json", "{self:?}"),
            None => assert_eq!(self.text, "", "{self:?}"),
        }
    }
}

/// Requests that are answered in every way that there is: success, and each refusal.
async fn all_answers(stage: &Stage, operation: &Operation) -> Vec<Answer> {
    let part = |name| move |part| stage.path_with(operation, (part, name));
    let mut paths = vec![
        stage.path(operation),
        format!("{}?limit=x", stage.path(operation)),
    ];
    for name in ["nobody", "%00", "%ff"] {
        paths.extend(operation.open_parts().into_iter().map(part(name)));
    }
    let mut answers = Vec::new();
    for path in paths {
        for method in [operation.method, "HEAD", "OPTIONS", "TRACE"] {
            let call = || stage.world.call(method, &path);
            answers.push(call().without_token().body("{}").await);
            answers.push(call().body("no JSON").await);
        }
    }
    let body = crate::takes::Takes::of(operation).body();
    answers.push(stage.call(operation).body(body.unwrap_or(json!({}))).await);
    answers
}

#[tokio::test]
async fn no_browser_does_anything_with_an_answer() {
    let stage = Stage::new().await;
    for operation in in_order() {
        for answer in all_answers(&stage, &operation).await {
            answer.is_harmless();
            let kept = &answer.headers["cache-control"];
            assert!(kept == "no-store" || operation.who == Who::Anybody);
        }
    }
}

#[tokio::test]
async fn what_leads_nowhere_is_as_harmless() {
    let world = World::new();
    for path in [
        "/nothing",
        "/app//x",
        "/%ff",
        "/openapi.json",
        "/openapi.json/",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "BREW"] {
            world.call(method, path).await.is_harmless();
        }
    }
}

/// An answer to a request for a path that is not the API's.
async fn get(world: &World, path: &str) -> http::Response<axum::body::Body> {
    let request = Request::builder().uri(path).body(Body::empty());
    world.door.answer(request.expect("a request")).await
}

#[tokio::test]
async fn our_pages_run_no_script_and_load_nothing_from_elsewhere() {
    let world = World::new();
    for path in PAGES {
        let answer = get(&world, path).await;
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        let policy = headers["content-security-policy"].to_str().expect("a text");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("script"), "{policy}");
    }
    let led = get(&world, "/").await;
    assert_eq!(led.headers()["location"], PAGES[0]);
    assert!(
        led.headers()["content-security-policy"]
            .to_str()
            .expect("a text")
            .ends_with("sandbox")
    );
}

#[tokio::test]
async fn what_others_wrote_never_goes_out_as_html() {
    let stage = Stage::new().await;
    let world = &stage.world;
    let page = "<html><script>alert(1)</script></html>";
    let body = json!({
        "eventType": "order.paid", "payload": {},
        "transformationsParams": { "rawPayload": page, "headers": { "content-type": "text/html" } },
    });
    let message = world.post("/app/acme/msg", body).await.is(202).text("id");
    let handed = world.lanes.take_one();
    world
        .record(handed.claimed, Ended::success().answer(page.as_bytes()))
        .await;
    let attempts = world.get(format!("/app/acme/attempt/msg/{message}")).await;
    let attempt = attempts.column("id").remove(0);
    let mut shown = 0;
    for operation in operations().iter().filter(|one| one.method == "GET") {
        let path = stage.path(operation).replace(&stage.ids["msg_"], &message);
        let path = path.replace(&stage.ids["atmpt_"], &attempt);
        for accepted in ["text/html", "*/*"] {
            let answer = world.get(&path).header("accept", accepted).await;
            answer.is_harmless();
            shown += usize::from(answer.text.contains("<script>"));
        }
    }
    assert!(shown >= 6, "only {shown} answers showed what was written");
}
