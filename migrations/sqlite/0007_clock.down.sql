DROP TABLE seen_clock;
