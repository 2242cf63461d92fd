DELETE FROM version WHERE name = 'facts';
DROP TABLE checkpoint;
DROP TABLE signing_key;
