-- Every `id` is an integer key of model::id: it sorts by time. Times are microseconds since the Unix
-- epoch, hours whole hours since it. Lists of words (types, channels, tags, flags) are texts with a
-- space between the words, whose alphabet has none. Sealed columns are opaque.

-- The largest key ever given, where no row of the tables below holds it.
CREATE TABLE sequence (
    id   INTEGER PRIMARY KEY CHECK (id = 0),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO sequence (id, last) VALUES (0, 0);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Written and emptied to find out whether commits succeed again.
CREATE TABLE probe (
    id      INTEGER PRIMARY KEY,
    ballast BLOB NOT NULL
) STRICT;

CREATE TABLE application (
    id         INTEGER PRIMARY KEY,
    tail       BLOB NOT NULL,
    uid        TEXT,
    name       TEXT NOT NULL,
    rate_limit INTEGER,
    metadata   TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX application_live ON application (id) WHERE deleted = 0;
CREATE UNIQUE INDEX application_uid ON application (uid) WHERE uid IS NOT NULL AND deleted = 0;

-- Rows only come at the end, are written over in their place, and never go: so none is ever moved,
-- which would leave a copy behind. Zeros: the application was deleted, and its key destroyed.
CREATE TABLE data_key (
    application INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (application, position)
) STRICT;

CREATE TABLE endpoint (
    id            INTEGER PRIMARY KEY,
    tail          BLOB NOT NULL,
    application   INTEGER NOT NULL,
    uid           TEXT,
    url           TEXT NOT NULL,
    description   TEXT NOT NULL,
    disabled      INTEGER NOT NULL,
    event_types   TEXT,
    channels      TEXT,
    rate_limit    INTEGER,
    metadata      TEXT NOT NULL,
    version       INTEGER NOT NULL,
    secrets       BLOB NOT NULL,
    headers       BLOB,
    protection    BLOB,
    revision      INTEGER NOT NULL,
    failing_since INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    deleted       INTEGER NOT NULL DEFAULT 0,
    -- Deliveries opened up to this one were cancelled.
    cancelled_up_to INTEGER NOT NULL DEFAULT 0,
    -- The certificates that its receiver was last verified by.
    chain         BLOB,
    -- What is known of whether its receiver wants what it is to get.
    proof         BLOB
) STRICT;
-- All that a count of endpoints needs.
CREATE INDEX endpoint_application ON endpoint (application, id, disabled, deleted)
    WHERE deleted = 0;
-- Counted apart: a public place to look at what arrives.
CREATE INDEX endpoint_play ON endpoint (application, disabled) WHERE deleted = 0
    AND url >= 'https://play.svix.com/' AND url < 'https://play.svix.com0';
CREATE UNIQUE INDEX endpoint_uid ON endpoint (application, uid)
    WHERE uid IS NOT NULL AND deleted = 0;
-- Deleted ones too: what was on its way to them is listed, and counted.
CREATE INDEX endpoint_all ON endpoint (application);
-- Those that get nothing through, of all applications.
CREATE INDEX endpoint_failing ON endpoint (disabled, failing_since)
    WHERE deleted = 0 AND failing_since IS NOT NULL;

-- The URL that an endpoint has had since a revision of its own: attempts name only the revision.
CREATE TABLE endpoint_url (
    endpoint INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    url      TEXT NOT NULL,
    PRIMARY KEY (endpoint, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_type (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    description   TEXT NOT NULL,
    archived      INTEGER NOT NULL,
    deprecated    INTEGER NOT NULL,
    redaction     TEXT,
    sensitive     TEXT,
    schemas       TEXT,
    feature_flags TEXT NOT NULL,
    group_name    TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

-- What takes something out of payloads, to be read without what is large.
CREATE INDEX event_type_redacted ON event_type (name)
    WHERE redaction IS NOT NULL OR sensitive IS NOT NULL;

-- Event types' own schedules: the waits in nanoseconds, with a space between them.
CREATE TABLE retry_schedule (
    event_type TEXT PRIMARY KEY,
    waits      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The payload stands last: who leaves it out does not read its overflow pages. NULL: it is gone.
-- No hops: none. The trace is what its sender told: the trace, the parent and the flags.
CREATE TABLE message (
    id           INTEGER PRIMARY KEY,
    tail         BLOB NOT NULL,
    application  INTEGER NOT NULL,
    event_type   TEXT NOT NULL,
    event_id     TEXT,
    channels     TEXT,
    tags         TEXT,
    deliver_at   INTEGER,
    expires_at   INTEGER NOT NULL,
    form         INTEGER NOT NULL,
    content_type TEXT,
    hops         INTEGER,
    trace        BLOB,
    payload      BLOB
) STRICT;
CREATE INDEX message_application ON message (application, id, event_type);
-- Messages of equal retention arrive in order of expiry, so this grows at a few ends only.
CREATE INDEX message_expiry ON message (expires_at) WHERE payload IS NOT NULL;

CREATE TABLE event_key (
    application INTEGER NOT NULL,
    event_id    TEXT NOT NULL,
    message     INTEGER NOT NULL,
    PRIMARY KEY (application, event_id)
) STRICT, WITHOUT ROWID;

-- Open deliveries only. The key is the order of a lane. Class 0 is live, 1 replayed.
CREATE TABLE delivery (
    endpoint    INTEGER NOT NULL,
    class       INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    application INTEGER NOT NULL,
    message     INTEGER NOT NULL,
    trigger     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    PRIMARY KEY (endpoint, class, due, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_message ON delivery (message, endpoint);

-- How many of these an endpoint has: without an attempt behind them, and with one.
CREATE TABLE open_count (
    endpoint INTEGER PRIMARY KEY,
    pending  INTEGER NOT NULL,
    retrying INTEGER NOT NULL
) STRICT;

-- Result 0 is success, 1 failure, 2 and more are reasons for which none was made. Given up: it was
-- the last of its delivery, without success, and nothing was sent by hand with success since then.
-- Phases: how its time was spent. Chain: the key of what its connection showed.
CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    tail        BLOB NOT NULL,
    message     INTEGER NOT NULL,
    endpoint    INTEGER NOT NULL,
    trigger     INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status_code INTEGER NOT NULL,
    result      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    given_up    INTEGER NOT NULL DEFAULT 0,
    phases      BLOB,
    chain       INTEGER
) STRICT;
CREATE INDEX attempt_endpoint ON attempt (endpoint, id, status_code, result);
CREATE INDEX attempt_message ON attempt (message, endpoint, id, status_code, result);
CREATE INDEX attempt_failed ON attempt (endpoint, id, status_code, result) WHERE result > 0;
-- What was given up is found among all that was delivered: by message, and by endpoint.
CREATE INDEX attempt_given_up ON attempt (message, endpoint) WHERE given_up = 1;
CREATE INDEX attempt_given_up_endpoint ON attempt (endpoint, message) WHERE given_up = 1;

-- What was answered. An empty body was expunged, and the head with it; NULL: there was none.
CREATE TABLE excerpt (
    attempt INTEGER PRIMARY KEY,
    body    BLOB,
    head    BLOB
) STRICT;

-- The certificates that connections showed, once for all attempts that saw the same. The key is of
-- their digest; the day, from 1970 on, is the last on which an attempt that names them was recorded.
CREATE TABLE chain_shown (
    key          INTEGER PRIMARY KEY,
    day          INTEGER NOT NULL,
    certificates BLOB NOT NULL
) STRICT;
CREATE INDEX chain_shown_day ON chain_shown (day);

-- Attempts recorded within an hour, and of them, within the five minutes from each of these minutes
-- on; NULL: none. Result 2 counts every reason for which none was made.
CREATE TABLE rollup (
    endpoint   INTEGER NOT NULL,
    hour       INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    result     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    m00        INTEGER,
    m05        INTEGER,
    m10        INTEGER,
    m15        INTEGER,
    m20        INTEGER,
    m25        INTEGER,
    m30        INTEGER,
    m35        INTEGER,
    m40        INTEGER,
    m45        INTEGER,
    m50        INTEGER,
    m55        INTEGER,
    PRIMARY KEY (endpoint, hour, event_type, result)
) STRICT, WITHOUT ROWID;

-- Grows at the end of each expiry hour only; found by the index that is kept in memory.
CREATE TABLE idempotency (
    hour        INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    body        BLOB NOT NULL,
    status      INTEGER NOT NULL,
    made        INTEGER NOT NULL,
    made_tail   BLOB NOT NULL,
    PRIMARY KEY (hour, id)
) STRICT, WITHOUT ROWID;

-- Where older keys are found: sorted runs of the first 8 bytes of fingerprints, each written once.
CREATE TABLE idempotency_run (
    hour    INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY (hour, run)
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency_sorted (
    hour   INTEGER NOT NULL,
    run    INTEGER NOT NULL,
    prefix INTEGER NOT NULL,
    id     INTEGER NOT NULL,
    PRIMARY KEY (hour, run, prefix, id)
) STRICT, WITHOUT ROWID;

-- Background work. What `subject`, `low`, `high`, `detail` and `arguments` mean depends on the kind:
-- kinds of 16 and more are shown to people, those of 32 and more are done outside the store. An
-- application of 0 is none. State 0 is running, 1 finished, 2 failed.
CREATE TABLE task (
    id          INTEGER PRIMARY KEY,
    tail        BLOB NOT NULL,
    application INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    subject     INTEGER NOT NULL,
    low         INTEGER NOT NULL,
    high        INTEGER NOT NULL,
    detail      INTEGER NOT NULL,
    arguments   BLOB,
    cursor      INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    failure     TEXT,
    data        TEXT,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX task_open ON task (id) WHERE state = 0 AND kind < 32;
CREATE INDEX task_outside ON task (id) WHERE state = 0 AND kind >= 32;
CREATE INDEX task_shown ON task (id) WHERE kind >= 16;

-- Who may come in. The version grows with each change of the next four tables, whose rows say by
-- which they were written, so that what is new is found.
CREATE TABLE access_version (
    one     INTEGER PRIMARY KEY CHECK (one = 0),
    version INTEGER NOT NULL
) STRICT;

-- Until they would not be good anyway.
CREATE TABLE revoked_token (
    token   TEXT PRIMARY KEY,
    ends_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_token_version ON revoked_token (version);
CREATE INDEX revoked_token_end ON revoked_token (ends_at);

-- An application's tokens that were issued before a point in time are not good from another on: all,
-- where no session is named.
CREATE TABLE token_floor (
    application   INTEGER NOT NULL,
    session       TEXT NOT NULL,
    issued_before INTEGER NOT NULL,
    holds_from    INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (application, session, issued_before)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_floor_version ON token_floor (version);
CREATE INDEX token_floor_end ON token_floor (ends_at);

-- The token itself is nowhere: `hash` is its SHA-256, `shown` what people see of it. No scopes: all.
CREATE TABLE api_key (
    id         INTEGER PRIMARY KEY,
    tail       BLOB NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    shown      TEXT NOT NULL,
    scopes     TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    version    INTEGER NOT NULL
) STRICT;
CREATE INDEX api_key_version ON api_key (version);

-- Where incoming webhooks arrive. Sealed: the token in its URL, whose SHA-256 is `token`, and the
-- configuration; NULL: it was deleted, and for a while nothing of it is left but that.
CREATE TABLE source (
    id          INTEGER PRIMARY KEY,
    tail        BLOB NOT NULL,
    uid         TEXT,
    name        TEXT NOT NULL,
    source_type TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    token       BLOB NOT NULL,
    sealed      BLOB,
    version     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX source_uid ON source (uid) WHERE uid IS NOT NULL;
CREATE INDEX source_version ON source (version);

-- What came in at sources, until it needs to be told no more: found, and grows, as idempotency keys
-- do. `hour` is the first by whose beginning `until` is over; that of a day, where it is far away.
CREATE TABLE replay_key (
    hour        INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    key         BLOB NOT NULL,
    unsigned_id BLOB,
    content     BLOB NOT NULL,
    message     INTEGER NOT NULL,
    tail        BLOB NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (hour, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE replay_key_run (
    hour    INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY (hour, run)
) STRICT, WITHOUT ROWID;
CREATE TABLE replay_key_sorted (
    hour   INTEGER NOT NULL,
    run    INTEGER NOT NULL,
    prefix INTEGER NOT NULL,
    id     INTEGER NOT NULL,
    PRIMARY KEY (hour, run, prefix, id)
) STRICT, WITHOUT ROWID;

-- Tokens that are good once, by their SHA-256.
CREATE TABLE one_time_token (
    hash       BLOB PRIMARY KEY,
    granted    TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_token_end ON one_time_token (expires_at);

-- Equal security events are one row. An application of 0 is none. Severity 0 is info, 1 warning,
-- 2 critical. A sample is sealed, of the latest that one was kept of.
CREATE TABLE security_event (
    id             INTEGER PRIMARY KEY,
    tail           BLOB NOT NULL,
    kind           TEXT NOT NULL,
    severity       INTEGER NOT NULL,
    subject_kind   TEXT NOT NULL,
    subject        TEXT NOT NULL,
    application    INTEGER NOT NULL,
    remote_address TEXT,
    count          INTEGER NOT NULL,
    first_seen     INTEGER NOT NULL,
    last_seen      INTEGER NOT NULL,
    description    TEXT NOT NULL,
    sample         BLOB
) STRICT;
CREATE INDEX security_event_application ON security_event (application, id);
CREATE INDEX security_event_subject ON security_event (subject_kind, subject, id);

-- Who did what. `entry` is all of it, as it is hashed; the application (0: none), the action,
-- the actor and the id of what it was done to stand beside it to be searched by. `position` and
-- `hash` are its place in the chain, which it gets a moment after its commit.
CREATE TABLE audit_entry (
    id          INTEGER PRIMARY KEY,
    tail        BLOB NOT NULL,
    entry       TEXT NOT NULL,
    application INTEGER NOT NULL,
    action      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    subject     TEXT NOT NULL,
    position    INTEGER,
    hash        BLOB
) STRICT;
CREATE UNIQUE INDEX audit_entry_position ON audit_entry (position) WHERE position IS NOT NULL;
CREATE INDEX audit_entry_unsealed ON audit_entry (id) WHERE position IS NULL;
CREATE INDEX audit_entry_application ON audit_entry (application, id);
CREATE INDEX audit_entry_actor ON audit_entry (actor, id);
CREATE INDEX audit_entry_subject ON audit_entry (subject, id);

-- Entries that commands left which changed something beside the servers. `entry` is an entry's text
-- under an id whose key is none, and `tail` that id's other part: a server moves it into the log
-- under a key of its own.
CREATE TABLE audit_left (
    tail  BLOB PRIMARY KEY,
    entry TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Signed heads of the chain. `previous` is the position of the one before, 0 of none: each goes on
-- from another one. `first` is where the log began when it was signed.
CREATE TABLE audit_checkpoint (
    previous  INTEGER PRIMARY KEY,
    position  INTEGER NOT NULL UNIQUE,
    hash      BLOB NOT NULL,
    first     INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;

-- Where the log begins, since what was older has reached its age: signed, with the hash of the last
-- entry that is gone. At most one row.
CREATE TABLE audit_start (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    position  INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    signed_at INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;
