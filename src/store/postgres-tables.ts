/**
 * The tables in PostgreSQL, one text for each version of them. A text that was released is never changed again. They
 * begin with `pulsegate_`, for a database may be shared with others.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE pulsegate_deployments (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    model_id TEXT NOT NULL,
    model_group TEXT NOT NULL,
    model TEXT NOT NULL
  );
  CREATE TABLE pulsegate_folds (
    width BIGINT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    ok BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    took BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    up BIGINT NOT NULL,
    down BIGINT NOT NULL,
    PRIMARY KEY (width, n, at)
  );
  CREATE INDEX pulsegate_folds_recent ON pulsegate_folds (last_at) WHERE width = 300000 AND ok > 0;
  CREATE TABLE pulsegate_failures (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    n BIGINT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER NOT NULL,
    error TEXT NOT NULL,
    took BIGINT NOT NULL
  );
  CREATE INDEX pulsegate_failures_at ON pulsegate_failures (at);
  CREATE INDEX pulsegate_failures_of ON pulsegate_failures (n, at);
  CREATE TABLE pulsegate_transitions (
    at BIGINT NOT NULL,
    n BIGINT NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    reason TEXT,
    error TEXT
  );
  CREATE INDEX pulsegate_transitions_at ON pulsegate_transitions (at);
  CREATE TABLE pulsegate_incidents (
    n BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL
  );
  CREATE UNIQUE INDEX pulsegate_incidents_open ON pulsegate_incidents (n) WHERE closed_at IS NULL;
  CREATE INDEX pulsegate_incidents_at ON pulsegate_incidents (opened_at);
  CREATE TABLE pulsegate_standings (n BIGINT PRIMARY KEY, at BIGINT NOT NULL, plain TEXT NOT NULL);
  CREATE TABLE pulsegate_writers (writer TEXT PRIMARY KEY, number BIGINT NOT NULL, at BIGINT NOT NULL);
  `,
]
