create database 'FBDIR/users.fdb';
create user u password 'secret' using plugin Srp;
create user "small" password 'pass:w/o|rd' using plugin Srp;
commit;

create database 'FBDIR/db.fdb' default character set utf8;
create table t (id int not null primary key, name varchar(20), note varchar(200));
create table b (id int, text blob sub_type text, data blob);
create table big (a int);
create table kinds (
  s smallint, n numeric(9,2), i bigint, d double precision, born date, clock time,
  moment timestamp, fixed char(6), raw char(3) character set octets,
  bytes varchar(9) character set none, good boolean
);
create table secret (a int);
create table arrays (a int[2]);
create exception broken 'it is broken';
commit;
grant all on t to public;
grant all on b to public;
grant all on big to public;
grant all on kinds to public;
grant all on arrays to public;
grant usage on exception broken to public;
commit;
insert into t values (1, 'one', 'a b');
insert into t values (2, 'two', '');
insert into t values (3, 'three', null);
insert into b values (1, 'a text', x'ff01');
insert into b values (2, '', null);
insert into kinds values (-7, 1.5, 9223372036854775807, 0.25, '2020-02-29', '01:02:03.5',
  '2020-02-29 01:02:03.5', 'ab', x'202020', x'e4', true);
insert into kinds (s) values (null);
set term ^;
execute block as
  declare n int = 0;
begin
  while (n < 5000) do
  begin
    insert into big values (:n);
    n = n + 1;
  end
end^
set term ;^
commit;
