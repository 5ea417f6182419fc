-- ROWS rows of APPLICATIONS other applications in each table that grows, beside the rows of the one
-- message that was sent; then those go, and only partitions and the others' rows stay.
CREATE TEMPORARY TABLE one AS
    SELECT m.id AS message, m.expires_at, a.id AS attempt FROM message m, attempt a;
CREATE TEMPORARY TABLE other AS
    SELECT 1 + n % APPLICATIONS AS application, n, one.* FROM one, generate_series(1, ROWS) AS n;
TRUNCATE application, data_key, endpoint, endpoint_url, message, payload, event_key, delivery,
    open_count, attempt, excerpt, rollup, idempotency, replay_key, task;

INSERT INTO message (application, id, tail, event_type, expires_at, form)
    SELECT application, message + n, '\x000000000000000000000000', 'order.paid', expires_at, 1
    FROM other;
-- Later than any claim sweeps.
CREATE TABLE payload_later PARTITION OF payload FOR VALUES FROM (8000000000000000) TO (MAXVALUE);
INSERT INTO payload (application, message, expires_at, body)
    SELECT application, message + n, 8000000000000000 + n, '\x00' FROM other;
INSERT INTO event_key (application, event_id, message)
    SELECT application, n::text, message + n FROM other;
INSERT INTO replay_key (key, content, message, tail, until)
    SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), '\x00', message + n,
        '\x000000000000000000000000', 8000000000000000 + n FROM other;
INSERT INTO attempt (application, id, tail, message, endpoint, trigger, number, started_at,
    duration_ms, status_code, result, revision)
    SELECT application, attempt + n, '\x000000000000000000000000', message + n, application + n % 3,
        0, 1, 0, 1, 500, 1, 1
    FROM other;
INSERT INTO excerpt (application, attempt, body)
    SELECT application, attempt + n, '\x00' FROM other;
-- Known to the planner, and gone again: claims would find them waiting.
INSERT INTO delivery (endpoint, class, due, id, application, message, trigger, attempts, owner)
    SELECT application, 0, n, attempt + n, application, message + n, 0, 0, 0 FROM other
    LIMIT 3;
-- As autovacuum does: it leaves alone what nothing was written to.
DO $$ DECLARE written regclass; BEGIN
    FOR written IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind = 'r' AND pg_relation_size(oid) > 0
    LOOP EXECUTE format('ANALYZE %s', written); END LOOP;
END $$;
DELETE FROM delivery;
