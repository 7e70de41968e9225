drop database if exists db;
create database db;
create or replace user 'u'@'%' identified by 'secret';
create or replace user 'u'@'localhost' identified by 'secret';
grant all on *.* to 'u'@'%';
grant all on *.* to 'u'@'localhost';
use db;
create table t(id int primary key, name varchar(40), note text);
insert into t values(1, 'one', 'a b'), (2, 'two', ''), (3, 'three', null);
