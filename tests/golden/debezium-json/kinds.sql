create table kinds (id int primary key, small smallint not null default 5, big bigint not null default 6000000000, r real default 1.5,
 d double precision default 0.1, n numeric(10,2) not null default 12.50, v numeric default 7.125, ok boolean not null default true, t text not null default 'a "b"',
 c varchar(5) default 'ü', raw bytea default '\x00ff', day date not null default '2026-01-02', at timestamp default '2026-01-02 03:04:05', tz timestamptz,
 tm time default '03:04:05', doc json default '{"a":1}', u uuid, xs int[] );
