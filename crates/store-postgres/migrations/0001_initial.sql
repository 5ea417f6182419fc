-- Every `id` is an integer key of model::id: it sorts by time. Times are microseconds since the Unix
-- epoch, hours whole hours since it, but for the node's lease, which is in the database's own time.
-- Lists of words (types, channels, tags, flags) are texts with a space between the words, whose
-- alphabet has none. Sealed columns are opaque.
--
-- What grows with traffic is keyed by application first, and partitioned by time: messages, attempts
-- and excerpts by the time in their keys, payloads by their expiry, idempotency keys by the hour in
-- which they expire. The last two are keyed by expiry first: that is how they go. Partitions are
-- made ahead (partitions.rs). The rest stays small.

CREATE TABLE setting (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE SEQUENCE node_epoch;

-- A node's lease. `epoch` is new with every start, and names it as an owner of deliveries. `last_key`
-- is the largest key that this slot ever gave, `floor` a key below which it commits none any more,
-- `batch` the number of its last commit, `moved` how many of this slot's commits had something in them
-- that is shown to people. `knows` is the newest version of the schema that its program knows,
-- `swept_at` when it last swept.
CREATE TABLE node (
    slot       integer PRIMARY KEY CHECK (slot BETWEEN 1 AND 1023),
    epoch      bigint NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    name       text NOT NULL,
    version    text NOT NULL,
    roles      text NOT NULL,
    last_key   bigint NOT NULL,
    floor      bigint NOT NULL,
    batch      bigint NOT NULL,
    moved      bigint NOT NULL DEFAULT 0,
    knows      integer NOT NULL DEFAULT 0,
    swept_at   timestamptz,
    -- The ids of the master keys that it told of.
    master_keys text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);

CREATE TABLE application (
    id         bigint PRIMARY KEY,
    tail       bytea NOT NULL,
    uid        text,
    name       text NOT NULL,
    rate_limit integer,
    metadata   text NOT NULL,
    revision   bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted    boolean NOT NULL DEFAULT false
);
CREATE INDEX application_live ON application (id) WHERE NOT deleted;
CREATE UNIQUE INDEX application_uid ON application (uid) WHERE uid IS NOT NULL AND NOT deleted;

CREATE TABLE data_key (
    application bigint NOT NULL,
    position    integer NOT NULL,
    sealed      bytea NOT NULL,
    PRIMARY KEY (application, position)
);

CREATE TABLE endpoint (
    id            bigint PRIMARY KEY,
    tail          bytea NOT NULL,
    application   bigint NOT NULL,
    uid           text,
    url           text NOT NULL,
    description   text NOT NULL,
    disabled      boolean NOT NULL,
    event_types   text,
    channels      text,
    rate_limit    integer,
    metadata      text NOT NULL,
    version       bigint NOT NULL,
    secrets       bytea NOT NULL,
    headers       bytea,
    protection    bytea,
    revision      bigint NOT NULL,
    failing_since bigint,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    deleted       boolean NOT NULL DEFAULT false,
    -- Deliveries opened up to this one were cancelled.
    cancelled_up_to bigint NOT NULL DEFAULT 0,
    -- The certificates that its receiver was last verified by.
    chain         bytea,
    -- What is known of whether its receiver wants what it is to get.
    proof         bytea
);
CREATE INDEX endpoint_application ON endpoint (application, id) INCLUDE (disabled)
    WHERE NOT deleted;
-- Counted apart: a public place to look at what arrives.
CREATE INDEX endpoint_play ON endpoint (application) INCLUDE (disabled)
    WHERE NOT deleted AND starts_with(url, 'https://play.svix.com/');
CREATE UNIQUE INDEX endpoint_uid ON endpoint (application, uid) WHERE uid IS NOT NULL AND NOT deleted;
-- Deleted ones too: what was on its way to them is listed, and counted.
CREATE INDEX endpoint_all ON endpoint (application);
-- Those that get nothing through, of all applications.
CREATE INDEX endpoint_failing ON endpoint (disabled, failing_since)
    WHERE NOT deleted AND failing_since IS NOT NULL;

-- The URL that an endpoint has had since a revision of its own: attempts name only the revision.
CREATE TABLE endpoint_url (
    endpoint bigint NOT NULL,
    revision bigint NOT NULL,
    url      text NOT NULL,
    PRIMARY KEY (endpoint, revision)
);

CREATE TABLE event_type (
    name          text COLLATE "C" PRIMARY KEY,
    description   text NOT NULL,
    archived      boolean NOT NULL,
    deprecated    boolean NOT NULL,
    schemas       text,
    feature_flags text NOT NULL,
    group_name    text,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    redaction     text,
    sensitive     text
);

CREATE INDEX event_type_redacted ON event_type (name)
    WHERE redaction IS NOT NULL OR sensitive IS NOT NULL;

-- Event types' own schedules: the waits in nanoseconds, with a space between them.
CREATE TABLE retry_schedule (
    event_type text COLLATE "C" PRIMARY KEY,
    waits      text NOT NULL
);

-- No hops: none. The trace is what its sender told: the trace, the parent and the flags.
CREATE TABLE message (
    application  bigint NOT NULL,
    id           bigint NOT NULL,
    tail         bytea NOT NULL,
    event_type   text NOT NULL,
    event_id     text,
    channels     text,
    tags         text,
    deliver_at   bigint,
    expires_at   bigint NOT NULL,
    form         smallint NOT NULL,
    content_type text,
    hops         smallint,
    trace        bytea,
    PRIMARY KEY (application, id)
) PARTITION BY RANGE (id);
-- For whoever follows what is sent to all applications, and for nobody else: the planner would take a
-- plain one for an application's own messages, too, as long as there are few applications.
CREATE INDEX message_key ON message ((id + 0));
-- Whose payloads may outlive them.
CREATE INDEX message_scheduled ON message (application, id) WHERE deliver_at IS NOT NULL;

-- Sealed. No row: it is gone. Whoever reads one knows all of its key.
CREATE TABLE payload (
    application bigint NOT NULL,
    message     bigint NOT NULL,
    expires_at  bigint NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (expires_at, application, message)
) PARTITION BY RANGE (expires_at);

CREATE TABLE event_key (
    application bigint NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    message     bigint NOT NULL,
    PRIMARY KEY (application, event_id)
);
-- For those of messages that go with their partition.
CREATE INDEX event_key_message ON event_key (message);

-- Open deliveries only. The key is the order of a lane. Class 0 is live, 1 replayed. `owner` is the
-- epoch of the node that holds it, or 0: nobody. Rows come and go: vacuum keeps up with them.
CREATE TABLE delivery (
    endpoint    bigint NOT NULL,
    class       smallint NOT NULL,
    due         bigint NOT NULL,
    id          bigint NOT NULL,
    application bigint NOT NULL,
    message     bigint NOT NULL,
    trigger     smallint NOT NULL,
    attempts    integer NOT NULL,
    owner       bigint NOT NULL,
    PRIMARY KEY (endpoint, class, due, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
CREATE INDEX delivery_message ON delivery (message, endpoint);

-- Which epoch alone makes the attempts of a lane, or of an application's lanes, because a rate limit
-- holds there: `scope` is the endpoint's key or the application's, and none is both. `turn` is new
-- each time that the node asks for it, so that it gives up no more than it has been given.
CREATE TABLE lane (
    scope bigint PRIMARY KEY,
    epoch bigint NOT NULL,
    turn  bigint NOT NULL
);
CREATE INDEX lane_epoch ON lane (epoch);

-- By how much an endpoint's open deliveries, without an attempt behind them and with one, became
-- more or fewer on each node: their sums are how many there are. By node, so that two never wait for
-- each other.
CREATE TABLE open_count (
    endpoint bigint NOT NULL,
    slot     integer NOT NULL,
    pending  bigint NOT NULL,
    retrying bigint NOT NULL,
    PRIMARY KEY (endpoint, slot)
) WITH (fillfactor = 50);

-- Result 0 is success, 1 failure, 2 and more are reasons for which none was made. Given up: it was
-- the last of its delivery, without success, and nothing was sent by hand with success since then.
-- Phases: how its time was spent. Chain: the key of what its connection showed.
CREATE TABLE attempt (
    application bigint NOT NULL,
    id          bigint NOT NULL,
    tail        bytea NOT NULL,
    message     bigint NOT NULL,
    endpoint    bigint NOT NULL,
    trigger     smallint NOT NULL,
    number      integer NOT NULL,
    started_at  bigint NOT NULL,
    duration_ms bigint NOT NULL,
    status_code integer NOT NULL,
    result      smallint NOT NULL,
    revision    bigint NOT NULL,
    given_up    boolean NOT NULL DEFAULT false,
    phases      bytea,
    chain       bigint,
    PRIMARY KEY (application, id)
) PARTITION BY RANGE (id);
CREATE INDEX attempt_endpoint ON attempt (application, endpoint, id) INCLUDE (message, status_code, result);
CREATE INDEX attempt_message ON attempt (application, message, endpoint, id) INCLUDE (status_code, result);
CREATE INDEX attempt_failed ON attempt (application, endpoint, id) INCLUDE (message, status_code, result)
    WHERE result > 0;
-- What was given up is found among all that was delivered: of all applications, of one, of an
-- endpoint.
CREATE INDEX attempt_given_up ON attempt (message, endpoint, id) WHERE given_up;
CREATE INDEX attempt_given_up_application ON attempt (application, message, endpoint, id) WHERE given_up;
CREATE INDEX attempt_given_up_endpoint ON attempt (application, endpoint, message, id) WHERE given_up;

-- What was answered. An empty body was expunged, and the head with it; NULL: there was none.
CREATE TABLE excerpt (
    application bigint NOT NULL,
    attempt     bigint NOT NULL,
    body        bytea,
    head        bytea,
    PRIMARY KEY (application, attempt)
) PARTITION BY RANGE (attempt);

-- The certificates that connections showed, once for all attempts that saw the same. The key is of
-- their digest; the day, from 1970 on, is the last on which an attempt that names them was recorded.
CREATE TABLE chain_shown (
    key          bigint PRIMARY KEY,
    day          bigint NOT NULL,
    certificates bytea NOT NULL
);
CREATE INDEX chain_shown_day ON chain_shown (day);

-- Attempts recorded within an hour, by each node, and of them, within the five minutes from each of
-- these minutes on; NULL: none. Result 2 counts every reason for which none was made.
CREATE TABLE rollup (
    endpoint   bigint NOT NULL,
    hour       bigint NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    result     smallint NOT NULL,
    slot       integer NOT NULL,
    attempts   bigint NOT NULL,
    m00        integer,
    m05        integer,
    m10        integer,
    m15        integer,
    m20        integer,
    m25        integer,
    m30        integer,
    m35        integer,
    m40        integer,
    m45        integer,
    m50        integer,
    m55        integer,
    PRIMARY KEY (endpoint, hour, event_type, result, slot)
) WITH (fillfactor = 80);

-- `hour` is that in which it expires.
CREATE TABLE idempotency (
    hour        bigint NOT NULL,
    fingerprint bytea NOT NULL,
    body        bytea NOT NULL,
    status      integer NOT NULL,
    made        bigint NOT NULL,
    made_tail   bytea NOT NULL,
    PRIMARY KEY (hour, fingerprint)
) PARTITION BY RANGE (hour);

-- Background work. What `subject`, `low`, `high`, `detail` and `arguments` mean depends on the kind:
-- kinds of 16 and more are shown to people, those of 32 and more are done outside the store, by the
-- node whose epoch is the `owner`. An application of 0 is none. State 0 is running, 1 finished,
-- 2 failed.
CREATE TABLE task (
    id          bigint PRIMARY KEY,
    tail        bytea NOT NULL,
    application bigint NOT NULL,
    kind        smallint NOT NULL,
    subject     bigint NOT NULL,
    low         bigint NOT NULL,
    high        bigint NOT NULL,
    detail      bigint NOT NULL,
    arguments   bytea,
    cursor      bigint NOT NULL,
    done        bigint NOT NULL,
    state       smallint NOT NULL,
    failure     text,
    data        text,
    updated_at  bigint NOT NULL,
    owner       bigint NOT NULL DEFAULT 0
);
CREATE INDEX task_open ON task (id) WHERE state = 0 AND kind < 32;
CREATE INDEX task_outside ON task (id) WHERE state = 0 AND kind >= 32;
CREATE INDEX task_shown ON task (id) WHERE kind >= 16;

-- Who may come in. The version grows with each change of the next four tables, whose rows say by
-- which they were written, so that what is new is found. Its row is locked by each such change, so
-- that versions are committed in their order.
CREATE TABLE access_version (
    one     bigint PRIMARY KEY CHECK (one = 0),
    version bigint NOT NULL
);

-- Until they would not be good anyway.
CREATE TABLE revoked_token (
    token   text COLLATE "C" PRIMARY KEY,
    ends_at bigint NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX revoked_token_version ON revoked_token (version);
CREATE INDEX revoked_token_end ON revoked_token (ends_at);

-- An application's tokens that were issued before a point in time are not good from another on: all,
-- where no session is named.
CREATE TABLE token_floor (
    application   bigint NOT NULL,
    session       text COLLATE "C" NOT NULL,
    issued_before bigint NOT NULL,
    holds_from    bigint NOT NULL,
    ends_at       bigint NOT NULL,
    version       bigint NOT NULL,
    PRIMARY KEY (application, session, issued_before)
);
CREATE INDEX token_floor_version ON token_floor (version);
CREATE INDEX token_floor_end ON token_floor (ends_at);

-- The token itself is nowhere: `hash` is its SHA-256, `shown` what people see of it. No scopes: all.
CREATE TABLE api_key (
    id         bigint PRIMARY KEY,
    tail       bytea NOT NULL,
    hash       bytea NOT NULL UNIQUE,
    name       text NOT NULL,
    shown      text NOT NULL,
    scopes     text,
    created_at bigint NOT NULL,
    expires_at bigint,
    used_at    bigint,
    version    bigint NOT NULL
);
CREATE INDEX api_key_version ON api_key (version);

-- Where incoming webhooks arrive. Sealed: the token in its URL, whose SHA-256 is `token`, and the
-- configuration; NULL: it was deleted, and for a while nothing of it is left but that.
CREATE TABLE source (
    id          bigint PRIMARY KEY,
    tail        bytea NOT NULL,
    uid         text,
    name        text NOT NULL,
    source_type text NOT NULL,
    metadata    text NOT NULL,
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,
    token       bytea NOT NULL,
    sealed      bytea,
    version     bigint NOT NULL
);
CREATE UNIQUE INDEX source_uid ON source (uid) WHERE uid IS NOT NULL;
CREATE INDEX source_version ON source (version);

-- What came in at sources, until it needs to be told no more. Rows come and go, in any order of their
-- keys: vacuum keeps up with them.
CREATE TABLE replay_key (
    key         bytea PRIMARY KEY,
    unsigned_id bytea,
    content     bytea NOT NULL,
    message     bigint NOT NULL,
    tail        bytea NOT NULL,
    until       bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
CREATE INDEX replay_key_end ON replay_key (until);

-- Tokens that are good once, by their SHA-256.
CREATE TABLE one_time_token (
    hash       bytea PRIMARY KEY,
    granted    text NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX one_time_token_end ON one_time_token (expires_at);

-- Equal security events are one row. An application of 0 is none. Severity 0 is info, 1 warning,
-- 2 critical. A sample is sealed, of the latest that one was kept of.
CREATE TABLE security_event (
    id             bigint PRIMARY KEY,
    tail           bytea NOT NULL,
    kind           text NOT NULL,
    severity       smallint NOT NULL,
    subject_kind   text NOT NULL,
    subject        text NOT NULL,
    application    bigint NOT NULL,
    remote_address text,
    count          bigint NOT NULL,
    first_seen     bigint NOT NULL,
    last_seen      bigint NOT NULL,
    description    text NOT NULL,
    sample         bytea
);
CREATE INDEX security_event_application ON security_event (application, id);
CREATE INDEX security_event_subject ON security_event (subject_kind, subject, id);

-- Who did what. `entry` is all of it, as it is hashed; the application (0: none), the action,
-- the actor and the id of what it was done to stand beside it to be searched by. `position` and
-- `hash` are its place in the chain, which it gets a moment after its commit.
CREATE TABLE audit_entry (
    id          bigint PRIMARY KEY,
    tail        bytea NOT NULL,
    entry       text NOT NULL,
    application bigint NOT NULL,
    action      text NOT NULL,
    actor       text NOT NULL,
    subject     text NOT NULL,
    position    bigint,
    hash        bytea
);
CREATE UNIQUE INDEX audit_entry_position ON audit_entry (position) WHERE position IS NOT NULL;
CREATE INDEX audit_entry_unsealed ON audit_entry (id) WHERE position IS NULL;
CREATE INDEX audit_entry_application ON audit_entry (application, id);
CREATE INDEX audit_entry_actor ON audit_entry (actor, id);
CREATE INDEX audit_entry_subject ON audit_entry (subject, id);

-- Entries that commands left which changed something beside the servers. `entry` is an entry's text
-- under an id whose key is none, and `tail` that id's other part: a server moves it into the log
-- under a key of its own.
CREATE TABLE audit_left (
    tail  bytea PRIMARY KEY,
    entry text NOT NULL
);

-- Signed heads of the chain. `previous` is the position of the one before, 0 of none: each goes on
-- from another one. `first` is where the log began when it was signed.
CREATE TABLE audit_checkpoint (
    previous  bigint PRIMARY KEY,
    position  bigint NOT NULL UNIQUE,
    hash      bytea NOT NULL,
    first     bigint NOT NULL,
    signed_at bigint NOT NULL,
    signature bytea NOT NULL
);

-- Where the log begins, since what was older has reached its age: signed, with the hash of the last
-- entry that is gone. At most one row.
CREATE TABLE audit_start (
    one       bigint PRIMARY KEY CHECK (one = 1),
    position  bigint NOT NULL,
    hash      bytea NOT NULL,
    signed_at bigint NOT NULL,
    signature bytea NOT NULL
);
