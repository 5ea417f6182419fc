//! Applications, as the operator sees them.

use crate::world::World;
use model::role::Role;

#[tokio::test]
async fn an_application_is_made_found_changed_and_deleted() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let all = "/dashboard/applications";
    admin
        .get(all)
        .await
        .is(200)
        .shows("There is no application yet.");
    admin.get("/dashboard/applications/new").await.is(200);
    let fields = [
        ("name", "Acme <b>"),
        ("uid", "acme"),
        ("rateLimit", "5"),
        ("metadata", "plan=gold\r\nteam=<b>"),
    ];
    let made = admin.post("/dashboard/applications/new", &fields).await;
    let to = made.leads_to().to_owned();
    assert!(to.ends_with("?done=created"), "{to}");
    let page = admin.get(&to).await;
    page.is(200)
        .shows("Made.")
        .shows("Acme &lt;b&gt;")
        .hides("<b>");
    admin
        .get(all)
        .await
        .is(200)
        .shows("Acme &lt;b&gt;")
        .hides("<b>");
    let one = to.split('?').next().expect("an address");
    let found = admin.get("/dashboard/applications?find=acme").await;
    assert_eq!(found.leads_to(), one);
    let none = admin.get("/dashboard/applications?find=none").await;
    none.is(200).shows("There is no application called");
    let edit = format!("{one}/edit");
    let page = admin.get(&edit).await;
    page.is(200)
        .shows(r#"value="5""#)
        .shows("plan=gold\nteam=&lt;b&gt;</textarea>");
    let fields = [("name", "Ajax"), ("metadata", "team=red")];
    let saved = admin.post(&edit, &fields).await;
    assert_eq!(saved.leads_to(), format!("{one}?done=saved"));
    let page = admin.get(one).await;
    page.shows("Ajax")
        .shows("no limit")
        .shows("<dt>team</dt><dd>red</dd>")
        .hides("<dt>plan</dt>");
    let deleted = admin.post(format!("{one}/delete"), &[]).await;
    assert_eq!(deleted.leads_to(), "/dashboard/applications?done=deleted");
    admin.get(one).await.is(404);
}

#[tokio::test]
async fn a_form_that_is_refused_is_shown_again_with_what_was_typed_and_what_was_wrong() {
    let world = World::new();
    world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    let new = "/dashboard/applications/new";
    for (fields, wrong) in [
        (
            [("name", "x"), ("uid", "no spaces"), ("rateLimit", "")],
            "uid",
        ),
        (
            [("name", "x"), ("uid", "fine"), ("rateLimit", "many")],
            "rateLimit",
        ),
        ([("name", ""), ("uid", "fine"), ("rateLimit", "")], "name"),
    ] {
        let page = admin.post(new, &fields).await;
        page.is(422).shows(&format!("<code>{wrong}</code>"));
        page.shows(&format!(r#"value="{}""#, fields[1].1));
    }
    let noted = [("name", "x"), ("metadata", "plan")];
    let page = admin.post(new, &noted).await;
    page.is(422)
        .shows("<code>metadata</code>: line 1: must be `name=value`");
    let taken = admin.post(new, &[("name", "x"), ("uid", "acme")]).await;
    taken
        .is(409)
        .shows("already exists")
        .shows(r#"value="acme""#);
}

#[tokio::test]
async fn a_link_into_the_portal_is_shown_once_and_good_once() {
    let world = World::new();
    world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    let page = admin.post("/dashboard/applications/acme/portal", &[]).await;
    let text = page.is(200).text();
    let begin = "https://hooks.example/portal/open/";
    let at = text.find(begin).expect("a link") + begin.len();
    let token: String = text[at..].chars().take_while(|c| *c != '<').collect();
    let stranger = world.stranger();
    let path = format!("/portal/open/{token}");
    let entered = stranger.post_bare(&path, &[]).await;
    assert_eq!(entered.leads_to(), "/portal");
    stranger.post_bare(&path, &[]).await.is(401);
    admin
        .get("/dashboard/applications/acme")
        .await
        .hides(&token);
}

#[tokio::test]
async fn only_what_a_role_may_do_is_offered() {
    let world = World::new();
    world.application("acme").await;
    for (role, offered) in [
        (Role::Viewer, false),
        (Role::Operator, false),
        (Role::Admin, true),
    ] {
        let visitor = world.signed_in(role).await;
        let list = visitor.get("/dashboard/applications").await;
        let one = visitor.get("/dashboard/applications/acme").await;
        for (page, text) in [
            (&list, "New application"),
            (&one, "Make a link into the portal"),
            (&one, "/edit"),
            (&one, "/delete"),
        ] {
            assert_eq!(page.is(200).text().contains(text), offered, "{role} {text}");
        }
    }
}
