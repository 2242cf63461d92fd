DROP TABLE count_head;
DROP TABLE flow_count;
DROP TABLE call_count;
