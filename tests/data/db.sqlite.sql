create table t(a integer, b text);
insert into t values(1, 'one'), (2, 'two words'), (3, NULL), (4, '');
