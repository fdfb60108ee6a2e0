"""A publication with a row filter and a column list, which the administrator has made."""

CONNECTOR = {"slot": {"publication": "by_hand"}, "tables": {"include": ["public.*"]}}
DEBEZIUM = {"publication.name": "by_hand", "publication.autocreate.mode": "disabled"}
SETUP = [
    "create table filtered (id int primary key, status text not null, v int)",
    "alter table filtered replica identity full",
    "create table listed (id int primary key, v int, w int)",
    "create publication by_hand for table filtered where (status <> 'draft'), listed (id, w), zz_marker",
]
CHANGES = [
    "insert into filtered values (1, 'draft', 1), (2, 'paid', 2)",
    "update filtered set status = 'paid' where id = 1",
    "update filtered set status = 'draft' where id = 2",
    "update filtered set v = 9",
    "delete from filtered",
    "insert into listed values (1, 1, 1)",
    "update listed set v = 2",
    "update listed set w = 2",
    "delete from listed",
]
