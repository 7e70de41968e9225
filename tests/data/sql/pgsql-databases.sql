create user u password 'secret';
create database db encoding 'SQL_ASCII' template template0 owner u lc_collate 'C' lc_ctype 'C';
create database udb encoding 'UTF8' template template0 owner u lc_collate 'C' lc_ctype 'C';
create database ldb encoding 'LATIN1' template template0 owner u lc_collate 'C' lc_ctype 'C';
