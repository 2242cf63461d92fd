DROP INDEX audit_object_kind;
DROP INDEX audit_actor_kind;
DELETE FROM version WHERE name IN ('owners', 'moved');
DROP TABLE approval;
DROP TABLE operator_link;
DROP TABLE operator_session;
DROP TABLE operator;
