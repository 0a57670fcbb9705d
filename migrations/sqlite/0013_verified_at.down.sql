DROP INDEX points_by_verification;
