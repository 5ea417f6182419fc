//! What event types take from payloads: rules beside the rest of their rows, and what their schemas
//! mark.

use super::drafts::{self, name};
use super::world::World;
use crate::change::{Change, ChangeError, Changed, EnvironmentChange, Expect, OwnRedaction};
use model::event_type::EventType;
use model::name::Name;
use model::redaction::{Path, Rule, TypeRedaction, paths, rules};

const RULES: &str = "drop /a b/c\nmask:4 $..card\nhash $['é']";
const MARKED: &str = "$.customer.email\n$..ssn";

pub(super) async fn an_event_type_has_its_redaction_until_it_is_taken_away(world: &mut World) {
    event_type(world, "Order.sent", MARKED).await;
    event_type(world, "order.paid", "").await;
    event_type(world, "order.lost", "").await;
    assert_eq!(
        all(world).await,
        [(name("Order.sent"), redaction("", MARKED))]
    );
    for text in ["Order.sent", "order.paid"] {
        put(world, (text, RULES), 9).await.expect("it is there");
    }
    world.reopen().await;
    let both = [
        (name("Order.sent"), redaction(RULES, MARKED)),
        (name("order.paid"), redaction(RULES, "")),
    ];
    assert_eq!(all(world).await, both);

    put(world, ("order.paid", "drop /x"), 9)
        .await
        .expect("it is there");
    put(world, ("Order.sent", ""), 9)
        .await
        .expect("it is there");
    let other = [
        (name("Order.sent"), redaction("", MARKED)),
        (name("order.paid"), redaction("drop /x", "")),
    ];
    assert_eq!(all(world).await, other);
    put(world, ("order.paid", ""), 9)
        .await
        .expect("it is there");
    event_type(world, "Order.sent", "").await;
    assert_eq!(all(world).await, []);
}

pub(super) async fn rules_stay_with_their_event_type_and_go_with_it(world: &World) {
    event_type(world, "order.paid", "").await;
    put(world, ("order.paid", RULES), 1)
        .await
        .expect("it is there");
    event_type(world, "order.paid", MARKED).await;
    let expected = [(name("order.paid"), redaction(RULES, MARKED))];
    assert_eq!(all(world).await, expected);

    let event_types = vec![written(world, "order.paid", "$..email").await];
    let change = EnvironmentChange {
        event_types,
        ..EnvironmentChange::default()
    };
    world.change(Change::PutEnvironment(change)).await;
    let expected = [(name("order.paid"), redaction(RULES, "$..email"))];
    assert_eq!(all(world).await, expected);

    world
        .change(Change::ExpungeEventType(name("order.paid")))
        .await;
    assert_eq!(all(world).await, []);
    for rules in [RULES, ""] {
        let refused = put(world, ("order.paid", rules), 1).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
    event_type(world, "order.paid", "").await;
    assert_eq!(all(world).await, []);
}

pub(super) async fn there_are_no_more_redactions_than_may_be(world: &World) {
    event_type(world, "a", "").await;
    event_type(world, "b", MARKED).await;
    event_type(world, "c", "").await;
    put(world, ("a", RULES), 2).await.expect("it is the second");
    let refused = put(world, ("c", RULES), 2).await;
    assert!(matches!(refused, Err(ChangeError::TooMany)), "{refused:?}");
    for text in ["a", "b"] {
        put(world, (text, RULES), 2)
            .await
            .expect("it is one of them");
    }
    put(world, ("c", ""), 2).await.expect("it has none");
    put(world, ("a", ""), 2).await.expect("it is there");
    put(world, ("c", RULES), 2)
        .await
        .expect("there is one less now");
}

fn redaction(rules_text: &str, marked: &str) -> TypeRedaction {
    TypeRedaction {
        rules: own(rules_text),
        marked: places(marked),
    }
}

fn own(text: &str) -> Vec<Rule> {
    rules(text).expect("they are rules")
}

fn places(text: &str) -> Vec<Path> {
    paths(text).expect("they are paths")
}

/// Makes an event type whose schema marks these places, or writes it anew.
async fn event_type(world: &World, text: &str, marked: &str) {
    let (event_type, expect) = written(world, text, marked).await;
    world
        .change(Change::PutEventType { event_type, expect })
        .await;
}

async fn written(world: &World, text: &str, marked: &str) -> (EventType, Expect) {
    let named = world.store().event_types_named(&[name(text)]).await;
    let before = named.expect("reads go on").pop();
    let expect = Expect::SavedAt(before.map(|before| before.updated_at));
    let event_type = EventType {
        sensitive: places(marked),
        ..drafts::event_type(text)
    };
    (event_type, expect)
}

async fn put(
    world: &World,
    (event_type, rules): (&str, &str),
    redactions_max: usize,
) -> Result<(), ChangeError> {
    let change = Change::PutRedaction(OwnRedaction {
        event_type: name(event_type),
        rules: own(rules),
        redactions_max,
    });
    let changed = world.try_change(change).await?;
    assert!(matches!(changed, Changed::Redaction), "{changed:?}");
    Ok(())
}

async fn all(world: &World) -> Vec<(Name, TypeRedaction)> {
    world.store().redactions().await.expect("reads go on")
}
