CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)

CREATE TABLE log (
  id INTEGER NOT NULL,
  origin VARCHAR(160) NOT NULL,
  size BIGINT NOT NULL,
  root BLOB NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (origin)
)

CREATE TABLE record (
  log INTEGER NOT NULL,
  idx BIGINT NOT NULL,
  leaf BLOB NOT NULL,
  body BLOB NOT NULL,
  id VARCHAR(36) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  time_ms BIGINT NOT NULL,
  attempt VARCHAR(36),
  decision VARCHAR(16),
  clip_id VARCHAR(64),
  file_sha256 VARCHAR(64),
  media_digest VARCHAR(64),
  mark_id VARCHAR(32),
  manifest_label VARCHAR(255),
  frame_hashes BLOB,
  PRIMARY KEY (log, idx),
  CONSTRAINT record_id UNIQUE (log, id),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE INDEX record_kind ON record (log, kind, idx)

CREATE INDEX record_time ON record (log, time_ms)

CREATE INDEX record_decision ON record (log, decision, idx)

CREATE INDEX record_attempt ON record (log, attempt, idx)

CREATE INDEX record_clip ON record (log, clip_id, idx)

CREATE INDEX record_file ON record (log, file_sha256, idx)

CREATE INDEX record_media ON record (log, media_digest, idx)

CREATE INDEX record_mark ON record (log, mark_id, idx)

CREATE INDEX record_manifest ON record (log, manifest_label, idx)

CREATE INDEX record_frames ON record (log, idx, frame_hashes) WHERE frame_hashes IS NOT NULL

CREATE INDEX record_marks ON record (log, idx, mark_id) WHERE mark_id IS NOT NULL

CREATE TABLE tile (
  log INTEGER NOT NULL,
  level INTEGER NOT NULL,
  n BIGINT NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (log, level, n),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE TABLE checkpoint (
  log INTEGER NOT NULL,
  size BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  note VARCHAR NOT NULL,
  PRIMARY KEY (log, size),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE TABLE attempt (
  log INTEGER NOT NULL,
  id VARCHAR(36) NOT NULL,
  clip_id VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  opened BIGINT NOT NULL,
  cleared BIGINT,
  released BIGINT,
  closed BIGINT,
  folder VARCHAR,
  staged_path VARCHAR,
  public_path VARCHAR,
  place VARCHAR(255) NOT NULL,
  boot VARCHAR(64) NOT NULL,
  pid INTEGER NOT NULL,
  process_start BIGINT NOT NULL,
  heartbeat_ms BIGINT NOT NULL,
  PRIMARY KEY (log, id),
  CONSTRAINT attempt_clip UNIQUE (log, clip_id),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE INDEX attempt_state ON attempt (log, state)

CREATE TABLE subject_key (
  log INTEGER NOT NULL,
  subject VARCHAR(128) NOT NULL,
  wrapped BLOB NOT NULL,
  PRIMARY KEY (log, subject),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE TABLE sealed (
  log INTEGER NOT NULL,
  commitment VARCHAR(64) NOT NULL,
  subject VARCHAR(128) NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (log, commitment),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE INDEX sealed_subject ON sealed (log, subject)

CREATE TABLE token (
  log INTEGER NOT NULL,
  hash BLOB NOT NULL,
  token_id VARCHAR(16) NOT NULL,
  name VARCHAR(128) NOT NULL,
  role VARCHAR(16) NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT,
  revoked_ms BIGINT,
  PRIMARY KEY (log, hash),
  CONSTRAINT token_id UNIQUE (log, token_id),
  FOREIGN KEY(log) REFERENCES log (id)
)

CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'records are never changed'); END

CREATE TRIGGER record_no_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'records are never changed'); END
