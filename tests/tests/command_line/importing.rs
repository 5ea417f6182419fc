//! Event types from an OpenAPI document.

use serde_json::json;

use super::Desk;

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: {title: Pets, version: "1"}
webhooks:
  pet.new:
    post:
      description: A pet is there
      tags: [pets]
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Pet"}
  pet.gone: {post: {deprecated: true}}
components:
  schemas:
    Pet:
      type: object
      properties:
        name: {type: string}
        parent: {$ref: "#/components/schemas/Pet"}
      example: {name: Rex}
"##;

#[tokio::test]
async fn the_webhooks_of_a_document_become_event_types() {
    let desk = Desk::new().await;
    let file = desk.file("pets.yaml", DOCUMENT);
    let other = [
        "event-type",
        "create",
        "--name",
        "old",
        "--description",
        "o",
    ];
    desk.ask(&other).await.expect(0);
    let import = ["import", "openapi", &file];

    let foreseen = desk
        .ask(&[&import[..], &["--dry-run", "--replace-all"]].concat())
        .await;
    for part in [
        "would be", "pet.new", "pet.gone", "created", "old", "archived",
    ] {
        assert!(foreseen.text().contains(part), "{part}: {foreseen:?}");
    }
    let get = ["event-type", "get", "pet.new"];
    desk.ask(&get).await.expect(1);

    let done = desk.ask(&import).await;
    assert!(
        done.text().contains("created") && !done.text().contains("old"),
        "{done:?}"
    );
    let pet = desk.json(&get).await;
    assert_eq!(
        (&pet["description"], &pet["groupName"], &pet["deprecated"]),
        (&json!("A pet is there"), &json!("pets"), &json!(false))
    );
    let schema = &pet["schemas"]["1"];
    assert_eq!(schema["examples"], json!([{"name": "Rex"}]));
    assert_eq!(
        schema["properties"]["parent"],
        json!({"$ref": "#/definitions/Pet"})
    );

    let again = desk.json(&[&import[..], &["--replace-all"]].concat()).await;
    assert_eq!(
        again["data"],
        json!({
            "modified": [], "to_modify": null, "created": [], "updated": [],
            "unchanged": ["pet.gone", "pet.new"], "archived": ["old"],
        })
    );
    let read = desk.ask_with(DOCUMENT, &["import", "openapi", "-"]).await;
    assert!(read.text().contains("unchanged"), "{read:?}");
}

#[tokio::test]
async fn a_document_that_is_none_is_refused_and_says_where() {
    let desk = Desk::new().await;
    for (text, why) in [
        ("openapi: 3.1.0", "has no webhooks"),
        ("openapi: [", "neither JSON nor YAML: line 2"),
        (
            "{openapi: 3.1.0, webhooks: {a: {post: {requestBody: {$ref: pets.yaml}}}}}",
            "nothing is fetched",
        ),
    ] {
        let file = desk.file("document", text);
        let refused = desk.ask(&["import", "openapi", &file]).await;
        refused.expect(2).complains_of(why);
    }
    let missing = desk.ask(&["import", "openapi", "/no/such/file"]).await;
    missing.expect(3).complains_of("can't be read");
    desk.ask(&["import", "openapi"]).await.expect(2);
}
