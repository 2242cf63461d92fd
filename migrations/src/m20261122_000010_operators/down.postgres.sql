DELETE FROM version WHERE name IN ('owners', 'moved');
DROP TABLE approval;
DROP TABLE operator_link;
DROP TABLE operator_session;
DROP TABLE operator;
