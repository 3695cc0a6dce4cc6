/**
 * The tables, one text for each version of them; `user_version` counts those that a file has. A text that was released
 * is never changed again.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE deployments (
    n INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    model_id TEXT NOT NULL,
    model_group TEXT NOT NULL,
    model TEXT NOT NULL
  );
  CREATE TABLE folds (
    width INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    took INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    up INTEGER NOT NULL,
    down INTEGER NOT NULL,
    PRIMARY KEY (width, n, at)
  ) WITHOUT ROWID;
  CREATE INDEX folds_recent ON folds (last_at) WHERE width = 300000 AND ok > 0;
  CREATE TABLE texts (text_n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  CREATE TABLE failures (
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER NOT NULL,
    text_n INTEGER NOT NULL,
    took INTEGER NOT NULL
  );
  CREATE INDEX failures_at ON failures (at);
  CREATE INDEX failures_of ON failures (n, at);
  CREATE TABLE transitions (
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    reason TEXT,
    error TEXT
  );
  CREATE INDEX transitions_at ON transitions (at);
  CREATE TABLE incidents (
    n INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL
  );
  CREATE UNIQUE INDEX incidents_open ON incidents (n) WHERE closed_at IS NULL;
  CREATE INDEX incidents_at ON incidents (opened_at);
  CREATE TABLE standings (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, plain TEXT NOT NULL);
  CREATE TABLE writers (writer TEXT PRIMARY KEY, number INTEGER NOT NULL, at INTEGER NOT NULL);
  `,
]
