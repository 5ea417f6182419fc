//! Who may what, for every operation of the table, and how whoever may not is refused.

use crate::operations::{Who, operations};
use crate::stage::Stage;

#[tokio::test]
async fn without_a_good_token_nothing_but_the_public_is_answered() {
    let stage = Stage::new().await;
    let forged = format!("{}x", stage.world.token());
    for operation in operations() {
        let calls = [
            stage.call(&operation).without_token(),
            stage.call(&operation).token("x.y.z"),
            stage.call(&operation).token(&forged),
        ];
        for call in calls {
            let answer = call.body("no JSON").await;
            if operation.who == Who::Anybody {
                assert_ne!(answer.status, 401, "{answer:?}");
                continue;
            }
            let detail = answer.refuses(401, "authentication_failed");
            assert_eq!(detail, "Invalid token");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn what_is_the_organisations_is_refused_to_applications_before_any_lookup() {
    let stage = Stage::new().await;
    let token = stage.world.token_of(&stage.ids["app_"], &[]);
    for operation in operations() {
        if operation.who != Who::Organisation {
            continue;
        }
        let mut paths = vec![stage.path(&operation)];
        for part in operation.open_parts() {
            paths.push(stage.path_with(&operation, (part, "nobody")));
        }
        for path in paths {
            let call = stage.world.call(operation.method, path).token(&token);
            let answer = call.body("no JSON").await;
            answer.refuses(403, "insufficient access");
        }
    }
}

#[tokio::test]
async fn to_another_application_an_application_is_not_there() {
    let stage = Stage::new().await;
    let other = stage.world.application("other").await;
    let token = stage.world.token_of(&other, &[]);
    for operation in operations() {
        let below = operation.template.contains("{app_id}");
        if operation.who == Who::Application && below {
            let answer = stage.call(&operation).token(&token).body("no JSON").await;
            assert_eq!(answer.refuses(404, "not_found"), "Entity not found");
        }
    }
}

#[tokio::test]
async fn whoever_may_is_let_in() {
    let mut stage = Stage::new().await;
    for operation in operations() {
        let own = stage.world.token_of(&stage.ids["app_"], &[]);
        let deletes = operation.method == "DELETE";
        let calls = match operation.who {
            Who::Anybody => vec![stage.call(&operation).without_token()],
            Who::Organisation => vec![stage.call(&operation)],
            // What the first deletes is not there for the second.
            Who::Application if deletes => vec![stage.call(&operation).token(&own)],
            Who::Application => vec![stage.call(&operation), stage.call(&operation).token(&own)],
        };
        for call in calls {
            let answer = call.body("{}").await;
            if !operation.built {
                answer.refuses(501, "not_implemented");
                continue;
            }
            operation.judge(&answer);
            assert!(![401, 403, 404, 405].contains(&answer.status), "{answer:?}");
        }
        if deletes {
            stage = Stage::new().await;
        }
    }
}
