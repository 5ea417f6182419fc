//! An application's own token: what it reaches, and that it ends. The admin's token is the story's.

use e2e::eventually;
use svix::models::{AppPortalAccessIn, ApplicationTokenExpireIn};

use crate::{APP, Story, app, ask, done, refused};

pub(crate) async fn an_own_token_reaches_its_own(story: &Story) {
    let (first, second) = (own(story).await, own(story).await);
    let shop = done!(first, application.get(app()));
    assert_eq!(shop.uid.as_deref(), Some(APP));
    assert_eq!(done!(first, authentication.whoami()).app_id, Some(shop.id));
    assert_eq!(done!(story, authentication.whoami()).app_id, None);
    refused(403, ask!(first, application.list(None)));
    done!(first, authentication.logout(None));
    no_longer(&first).await;
    done!(second, application.get(app()));
    let now = ApplicationTokenExpireIn {
        expiry: Some(0),
        ..ApplicationTokenExpireIn::new()
    };
    done!(story, authentication.expire_all(app(), now, None));
    no_longer(&second).await;
}

async fn own(story: &Story) -> Story {
    let access = AppPortalAccessIn::new();
    let access = done!(story, authentication.app_portal_access(app(), access, None));
    assert!(!access.url.contains(&access.token), "{}", access.url);
    story.with_token(access.token)
}

async fn no_longer(story: &Story) {
    eventually("the token's end", async || {
        match ask!(story, application.get(app())) {
            Ok(_) => Err("it is still good".to_owned()),
            refusal => Ok(refused(401, refusal)),
        }
    })
    .await;
}
