DROP TABLE payload;
