-- Readings: when the stored bytes of each layer were last read whole, and how far each policy has come with that.

ALTER TABLE layers ADD COLUMN read_at INTEGER;  -- the last reading of every byte that ended
-- 1: that reading found the layer right, and is not older than a policy asks for
ALTER TABLE layers ADD COLUMN sound INTEGER NOT NULL DEFAULT 0 CONSTRAINT sound_is_a_boolean CHECK (sound IN (0, 1));

ALTER TABLE policies ADD COLUMN verify_every TEXT AS (definition ->> '$.verify_every');
CREATE INDEX policies_verifying ON policies (id) WHERE verify_every IS NOT NULL;

-- Totals of layers, kept by triggers. last_verified_at is the last verification or reading of anything there.
ALTER TABLE machines ADD COLUMN layer_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN sound_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN last_verified_at INTEGER;
ALTER TABLE repositories ADD COLUMN layer_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN sound_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN last_verified_at INTEGER;

UPDATE machines SET
  layer_bytes = (SELECT coalesce(sum(layers.file_bytes), 0) FROM chains JOIN layers ON layers.chain_id = chains.id
                 WHERE chains.machine_id = machines.id),
  last_verified_at = (SELECT max(verified_at) FROM points WHERE points.machine_id = machines.id);
UPDATE repositories SET
  layer_bytes = (SELECT coalesce(sum(layers.file_bytes), 0) FROM chains JOIN layers ON layers.chain_id = chains.id
                 WHERE chains.repository_id = repositories.id),
  last_verified_at = (SELECT max(verified_at) FROM points WHERE points.repository_id = repositories.id);

CREATE TRIGGER layers_count_up AFTER INSERT ON layers BEGIN
  UPDATE machines SET layer_bytes = layer_bytes + new.file_bytes, sound_bytes = sound_bytes + new.sound * new.file_bytes
  WHERE id = (SELECT machine_id FROM chains WHERE id = new.chain_id);
  UPDATE repositories
  SET layer_bytes = layer_bytes + new.file_bytes, sound_bytes = sound_bytes + new.sound * new.file_bytes
  WHERE id = (SELECT repository_id FROM chains WHERE id = new.chain_id);
END;

CREATE TRIGGER layers_count_down AFTER DELETE ON layers BEGIN
  UPDATE machines SET layer_bytes = layer_bytes - old.file_bytes, sound_bytes = sound_bytes - old.sound * old.file_bytes
  WHERE id = (SELECT machine_id FROM chains WHERE id = old.chain_id);
  UPDATE repositories
  SET layer_bytes = layer_bytes - old.file_bytes, sound_bytes = sound_bytes - old.sound * old.file_bytes
  WHERE id = (SELECT repository_id FROM chains WHERE id = old.chain_id);
END;

CREATE TRIGGER layers_count_bytes AFTER UPDATE OF file_bytes, sound ON layers BEGIN
  UPDATE machines
  SET layer_bytes = layer_bytes + new.file_bytes - old.file_bytes,
      sound_bytes = sound_bytes + new.sound * new.file_bytes - old.sound * old.file_bytes
  WHERE id = (SELECT machine_id FROM chains WHERE id = new.chain_id);
  UPDATE repositories
  SET layer_bytes = layer_bytes + new.file_bytes - old.file_bytes,
      sound_bytes = sound_bytes + new.sound * new.file_bytes - old.sound * old.file_bytes
  WHERE id = (SELECT repository_id FROM chains WHERE id = new.chain_id);
END;

CREATE TRIGGER layers_were_read AFTER UPDATE OF read_at ON layers WHEN new.read_at IS NOT NULL BEGIN
  UPDATE machines SET last_verified_at = max(coalesce(last_verified_at, new.read_at), new.read_at)
  WHERE id = (SELECT machine_id FROM chains WHERE id = new.chain_id);
  UPDATE repositories SET last_verified_at = max(coalesce(last_verified_at, new.read_at), new.read_at)
  WHERE id = (SELECT repository_id FROM chains WHERE id = new.chain_id);
END;

CREATE TRIGGER points_were_verified AFTER UPDATE OF verified_at ON points WHEN new.verified_at IS NOT NULL BEGIN
  UPDATE machines SET last_verified_at = max(coalesce(last_verified_at, new.verified_at), new.verified_at)
  WHERE id = new.machine_id;
  UPDATE repositories SET last_verified_at = max(coalesce(last_verified_at, new.verified_at), new.verified_at)
  WHERE id = new.repository_id;
END;

DROP INDEX points_by_verification;  -- last_verified_at stands in for it

-- A policy reads a share of its layers at a time. With the share that it has read it is done up to this moment.
CREATE TABLE verify_turns (
  policy_id INTEGER NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  done_until INTEGER NOT NULL,
  PRIMARY KEY (policy_id, repository_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX verify_turns_by_repository ON verify_turns (repository_id);
