DROP INDEX jobs_alone_of_repository;
DROP INDEX jobs_alone_of_machine;
