//! Who may come in: what is written is read by whoever asks behind its version, and goes when it
//! has no more to say.

use super::drafts::{DAY, HOUR, SECOND};
use super::sweep::payloads_only;
use super::world::World;
use crate::access::{
    AccessChange, AccessChanged, AccessRows, ApiKeyRow, OneTimeToken, RevokedToken, TokenFloor,
};
use crate::change::{Change, ChangeError, Changed};
use crate::work::SweepLimits;
use model::Timestamp;
use model::api_key::ApiKey;
use model::id::{ApiKeyId, ApplicationKey, Key};

const KEYS_MAX: usize = 3;

pub(super) async fn a_revocation_is_read_behind_the_version_before_it(world: &mut World) {
    assert_eq!(since(world, 0).await, None, "nothing was written");
    let first = revoked("first", world.now().plus(DAY));
    let second = revoked("second", world.now().plus(HOUR));
    revoke(world, &first).await;
    let seen = since(world, 0).await.expect("something is new");
    assert_eq!(seen.revoked, std::slice::from_ref(&first));
    assert_eq!(since(world, seen.version).await, None, "nothing is new");
    revoke(world, &second).await;
    let new = since(world, seen.version).await.expect("something is new");
    assert!(new.version > seen.version, "{new:?}");
    assert_eq!(new.revoked, std::slice::from_ref(&second));
    assert_eq!((new.floors, new.keys), (Vec::new(), Vec::new()));

    world.reopen().await;
    let mut all = since(world, 0).await.expect("it is there").revoked;
    all.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(all, [first, second]);
}

pub(super) async fn a_version_of_another_database_gets_all(world: &World) {
    let token = revoked("token", world.now().plus(DAY));
    revoke(world, &token).await;
    let all = since(world, 17).await.expect("it is another database");
    assert_eq!((all.version, all.revoked), (1, vec![token]));
}

pub(super) async fn a_token_that_is_revoked_again_stays_so_for_longer(world: &World) {
    let long = revoked("token", world.now().plus(DAY));
    for ends_at in [long.ends_at, world.now().plus(HOUR)] {
        revoke(world, &revoked("token", ends_at)).await;
    }
    let all = since(world, 0).await.expect("it is there");
    assert_eq!((all.version, all.revoked), (2, vec![long]));
}

pub(super) async fn a_floor_that_holds_takes_the_place_of_lower_ones(world: &World) {
    let application = ApplicationKey::from_integer(7);
    let floor = |session: Option<&str>, issued_before, holds_from| TokenFloor {
        application,
        session: session.map(str::to_owned),
        issued_before,
        holds_from,
        ends_at: Timestamp::MAX,
    };
    let now = world.now();
    let (low, high) = (now.minus(HOUR), now.minus(SECOND));
    let later = floor(None, now, now.plus(DAY));
    let of_session = floor(Some("s"), low, now);
    for one in [
        vec![floor(None, low, low), of_session.clone()],
        vec![later.clone()],
        vec![floor(None, high, now)],
    ] {
        expire(world, one).await;
    }
    let mut floors = since(world, 0).await.expect("they are there").floors;
    floors.sort_by_key(|floor| (floor.session.clone(), floor.issued_before));
    assert_eq!(floors, [floor(None, high, now), later, of_session]);
}

pub(super) async fn an_api_key_is_read_back_as_it_was_made(world: &mut World) {
    let draft = ApiKey {
        scopes: Some(vec![
            "*:read".parse().expect("a scope"),
            "message:write".parse().expect("one"),
        ]),
        expires_at: Some(world.now().plus(DAY)),
        ..draft(world, "B\u{fc}ro")
    };
    let made = create(world, draft.clone(), 1).await.expect("it is made");
    assert_eq!(made.key.id.tail(), draft.id.tail());
    let expected = ApiKey {
        id: made.key.id,
        created_at: world.now(),
        ..draft
    };
    assert_eq!((&made.key, made.hash), (&expected, [1; 32]));
    world.reopen().await;
    assert_eq!(keys(world).await, [made]);
}

pub(super) async fn an_api_key_is_replaced_only_as_it_was_read(world: &World) {
    let made = create(world, draft(world, "a"), 1)
        .await
        .expect("it is made");
    let mut key = made.key.clone();
    (key.name, key.scopes, key.expires_at) = ("b".to_owned(), Some(Vec::new()), Some(world.now()));
    let replaced = replace(world, key.clone(), made.version).await;
    let replaced = replaced.expect("it was current");
    assert_eq!(replaced.key, key);
    let stale = replace(world, key.clone(), made.version).await;
    assert!(matches!(stale, Err(ChangeError::Stale)), "{stale:?}");
    key.id = ApiKeyId::new(key.id.key(), [9; 12]);
    let other = replace(world, key, replaced.version).await;
    assert!(matches!(other, Err(ChangeError::Missing)), "{other:?}");
    assert_eq!(keys(world).await, [replaced]);
}

pub(super) async fn there_are_no_more_api_keys_than_there_may_be(world: &World) {
    for number in 0..KEYS_MAX {
        let hash = u8::try_from(number).expect("it is small");
        let made = create(world, draft(world, "a"), hash).await;
        made.expect("there is room");
    }
    let refused = create(world, draft(world, "a"), 99).await;
    assert!(matches!(refused, Err(ChangeError::TooMany)), "{refused:?}");
    assert_eq!(keys(world).await.len(), KEYS_MAX);
}

pub(super) async fn the_last_use_of_an_api_key_is_the_latest(world: &World) {
    let made = create(world, draft(world, "a"), 1)
        .await
        .expect("it is made");
    let key = made.key.id.key();
    let (early, late) = (world.now().plus(SECOND), world.now().plus(HOUR));
    for used in [late, early] {
        change(world, AccessChange::UseApiKeys(vec![(key, used)])).await;
    }
    let rows = since(world, made.version).await.expect("it is new").keys;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].key.used_at, Some(late));
}

pub(super) async fn a_token_that_is_good_once_is_taken_once(world: &World) {
    let token = OneTimeToken {
        hash: [5; 32],
        granted: r#"{"what":"ever"}"#.to_owned(),
        expires_at: world.now().plus(HOUR),
    };
    let made = AccessChange::CreateOneTimeToken(token.clone());
    change(world, made).await;
    assert_eq!(since(world, 0).await, None, "nobody need read it");
    let other = take(world, [6; 32]).await;
    assert!(matches!(other, Err(ChangeError::Missing)), "{other:?}");
    match take(world, token.hash).await {
        Ok(Changed::Access(AccessChanged::Taken(taken))) => assert_eq!(taken, token),
        other => panic!("took a token, was told of {other:?}"),
    }
    let again = take(world, token.hash).await;
    assert!(matches!(again, Err(ChangeError::Missing)), "{again:?}");
}

pub(super) async fn a_token_that_is_good_once_expires(world: &World) {
    let token = OneTimeToken {
        hash: [5; 32],
        granted: String::new(),
        expires_at: world.now().plus(HOUR),
    };
    change(world, AccessChange::CreateOneTimeToken(token.clone())).await;
    world.clock.set(token.expires_at);
    let late = take(world, token.hash).await;
    assert!(matches!(late, Err(ChangeError::Missing)), "{late:?}");
}

pub(super) async fn what_has_no_more_to_say_is_swept(world: &World) {
    let ends_at = world.now().plus(HOUR);
    revoke(world, &revoked("short", ends_at)).await;
    let long = revoked("long", ends_at.plus(DAY));
    revoke(world, &long).await;
    let floor = TokenFloor {
        application: ApplicationKey::from_integer(7),
        session: Some("s".to_owned()),
        issued_before: world.now(),
        holds_from: world.now(),
        ends_at,
    };
    expire(world, vec![floor]).await;
    let key = ApiKey {
        expires_at: Some(ends_at),
        ..draft(world, "a")
    };
    create(world, key, 1).await.expect("it is made");
    world.clock.set(ends_at);
    world.sweep(payloads_only(world)).await;
    let left = since(world, 0).await.expect("some is left");
    assert_eq!(left.revoked, std::slice::from_ref(&long));
    assert_eq!((left.floors.len(), left.keys.len()), (0, 1));

    let all = SweepLimits {
        keep_since: ends_at,
        ..payloads_only(world)
    };
    world.sweep(all).await;
    assert_eq!(keys(world).await, []);
}

/// Rows of every kind, for whoever moves or copies a store.
pub(super) async fn fill(world: &World) {
    revoke(world, &revoked("a token's id", world.now().plus(DAY))).await;
    for session in [None, Some("session@1".to_owned())] {
        let floor = TokenFloor {
            application: ApplicationKey::from_integer(7),
            session,
            issued_before: world.now(),
            holds_from: world.now().plus(HOUR),
            ends_at: world.now().plus(DAY),
        };
        expire(world, vec![floor]).await;
    }
    let scoped = ApiKey {
        scopes: Some(vec!["*".parse().expect("a scope")]),
        expires_at: Some(world.now().plus(DAY)),
        ..draft(world, "It's \"one\"")
    };
    for (number, key) in (1..).zip([scoped, draft(world, "")]) {
        create(world, key, number).await.expect("there is room");
    }
    let token = OneTimeToken {
        hash: [0xff; 32],
        granted: "{}".to_owned(),
        expires_at: world.now().plus(365 * DAY),
    };
    change(world, AccessChange::CreateOneTimeToken(token)).await;
}

fn revoked(id: &str, ends_at: Timestamp) -> RevokedToken {
    RevokedToken {
        id: id.to_owned(),
        ends_at,
    }
}

fn draft(world: &World, name: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::new(Key::MIN, world.tail()),
        name: name.to_owned(),
        shown: "sk_***abcd".to_owned(),
        scopes: None,
        created_at: Timestamp::MIN,
        expires_at: None,
        used_at: None,
    }
}

pub(super) async fn since(world: &World, version: u64) -> Option<AccessRows> {
    let rows = world.store().access(version).await;
    rows.expect("reads go on")
}

async fn keys(world: &World) -> Vec<ApiKeyRow> {
    let rows = since(world, 0).await.unwrap_or_default();
    rows.keys
}

async fn change(world: &World, change: AccessChange) {
    let changed = world.change(Change::Access(change)).await;
    let done = matches!(changed, Changed::Access(AccessChanged::Done));
    assert!(done, "{changed:?}");
}

async fn revoke(world: &World, token: &RevokedToken) {
    change(world, AccessChange::RevokeToken(token.clone())).await;
}

async fn expire(world: &World, floors: Vec<TokenFloor>) {
    change(world, AccessChange::ExpireTokens(floors)).await;
}

async fn take(world: &World, hash: [u8; 32]) -> Result<Changed, ChangeError> {
    let change = AccessChange::TakeOneTimeToken(hash);
    world.try_change(Change::Access(change)).await
}

async fn create(world: &World, key: ApiKey, hash: u8) -> Result<ApiKeyRow, ChangeError> {
    let change = AccessChange::CreateApiKey {
        key,
        hash: [hash; 32],
        keys_max: KEYS_MAX,
    };
    key_of(world.try_change(Change::Access(change)).await)
}

async fn replace(world: &World, key: ApiKey, version: u64) -> Result<ApiKeyRow, ChangeError> {
    let change = AccessChange::ReplaceApiKey { key, version };
    key_of(world.try_change(Change::Access(change)).await)
}

fn key_of(changed: Result<Changed, ChangeError>) -> Result<ApiKeyRow, ChangeError> {
    match changed? {
        Changed::Access(AccessChanged::ApiKey(row)) => Ok(row),
        other => panic!("changed an API key, was told of {other:?}"),
    }
}
