-- What a capture does to a running guest: its disk goes through a filter of ours, its file systems are frozen.

INSERT INTO leftover_kinds VALUES ('drive'), ('fsfreeze');
