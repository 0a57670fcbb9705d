DROP TABLE repository_sizes;
