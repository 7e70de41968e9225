\c db postgres
drop schema public cascade;
create schema public authorization u;
\c db u
create table t(id int primary key, name varchar(40), note text);
insert into t values (1, 'one', 'a b'), (2, 'two', ''), (3, 'three', null);
