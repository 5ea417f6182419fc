//! What is refused by what is known, and what is not.

use super::*;
use model::api_key::ApiKey;
use model::id::Key;
use store::access::RevokedToken;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn known(rows: AccessRows) -> Known {
    let known = Known::default();
    known.take(rows, NOW);
    known
}

fn floor(session: Option<&str>, issued_before: Timestamp, holds_from: Timestamp) -> TokenFloor {
    TokenFloor {
        application: ApplicationKey::from_integer(7),
        session: session.map(str::to_owned),
        issued_before,
        holds_from,
        ends_at: Timestamp::MAX,
    }
}

fn token(application: i64, session: Option<&str>, issued_at: Timestamp) -> Credentials {
    Credentials {
        application: Some(ApplicationKey::from_integer(application)),
        session: session.map(str::to_owned),
        issued_at,
        ..Credentials::new("a token")
    }
}

fn with_floors(floors: Vec<TokenFloor>) -> Known {
    known(AccessRows {
        version: 1,
        floors,
        ..AccessRows::default()
    })
}

#[test]
fn a_revoked_token_alone_is_refused() {
    let revoked = RevokedToken {
        id: "this".to_owned(),
        ends_at: NOW.plus(SECOND),
    };
    let known = known(AccessRows {
        version: 1,
        revoked: vec![revoked],
        ..AccessRows::default()
    });
    assert!(known.is_revoked(&Credentials::new("this"), NOW));
    assert!(!known.is_revoked(&Credentials::new("that"), NOW));
}

#[test]
fn a_floor_ends_what_was_issued_before_it_and_nothing_else() {
    let all = with_floors(vec![floor(None, NOW, NOW)]);
    let before = NOW.minus(Duration::from_micros(1));
    assert!(all.is_revoked(&token(7, None, before), NOW));
    assert!(all.is_revoked(&token(7, Some("s"), before), NOW));
    assert!(!all.is_revoked(&token(7, None, NOW), NOW));
    assert!(!all.is_revoked(&token(8, None, before), NOW));
    assert!(!all.is_revoked(&Credentials::new("the organisation's"), NOW));

    let one = with_floors(vec![floor(Some("s"), NOW, NOW)]);
    assert!(one.is_revoked(&token(7, Some("s"), before), NOW));
    assert!(!one.is_revoked(&token(7, Some("t"), before), NOW));
    assert!(!one.is_revoked(&token(7, None, before), NOW));
}

#[test]
fn a_floor_holds_from_its_time_on_and_takes_nothing_from_another() {
    let later = NOW.plus(SECOND);
    let known = with_floors(vec![
        floor(None, NOW.minus(SECOND), NOW.minus(SECOND)),
        floor(None, NOW, later),
    ]);
    let old = token(7, None, NOW.minus(2 * SECOND));
    let young = token(7, None, NOW.minus(Duration::from_micros(1)));
    assert!(known.is_revoked(&old, NOW));
    assert!(!known.is_revoked(&young, NOW));
    assert!(known.is_revoked(&young, later));
}

#[test]
fn rows_of_another_database_take_the_place_of_all() {
    let known = with_floors(vec![floor(None, NOW, NOW)]);
    known.take(
        AccessRows {
            version: 5,
            ..AccessRows::default()
        },
        NOW,
    );
    let old = token(7, None, Timestamp::MIN);
    assert!(known.is_revoked(&old, NOW));
    known.take(AccessRows::default(), NOW);
    assert!(!known.is_revoked(&old, NOW));
    assert_eq!(known.version(), 0);
}

#[test]
fn what_has_no_more_to_say_is_forgotten() {
    let ends_at = NOW.plus(SECOND);
    let revoked = RevokedToken {
        id: "this".to_owned(),
        ends_at,
    };
    let known = known(AccessRows {
        version: 1,
        revoked: vec![revoked],
        floors: vec![TokenFloor {
            ends_at,
            ..floor(Some("s"), NOW, NOW)
        }],
        ..AccessRows::default()
    });
    let next = AccessRows {
        version: 2,
        ..AccessRows::default()
    };
    known.take(next, NOW.plus(PURGE_EVERY));
    let state = known.read();
    assert_eq!((state.revoked.len(), state.floors.len()), (0, 0));
}

#[test]
fn a_key_is_good_until_it_ends() {
    let key = ApiKey {
        id: ApiKeyId::new(Key::from_integer(1), [0; 12]),
        name: String::new(),
        shown: String::new(),
        scopes: None,
        created_at: NOW,
        expires_at: Some(NOW.plus(SECOND)),
        used_at: None,
    };
    let row = ApiKeyRow {
        key,
        hash: [1; 32],
        version: 1,
    };
    let known = known(AccessRows {
        version: 1,
        keys: vec![row],
        ..AccessRows::default()
    });
    assert!(matches!(known.key(&[1; 32], NOW), Standing::Good(_)));
    let end = NOW.plus(SECOND);
    assert!(matches!(known.key(&[1; 32], end), Standing::Ended(_)));
    assert!(matches!(known.key(&[2; 32], NOW), Standing::Unknown));
}
