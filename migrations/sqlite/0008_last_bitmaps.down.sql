DELETE FROM leftovers WHERE kind = 'unwanted_bitmap';
DELETE FROM leftover_kinds WHERE word = 'unwanted_bitmap';
