"""Decimals as doubles, Kafka Connect's own types of times, bytes as hex digits."""

from debezium.scenarios import _types

CONNECTOR = {"decimal": "double", "temporal": "connect", "binary": "hex"}
DEBEZIUM = {
    "decimal.handling.mode": "double",
    "time.precision.mode": "connect",
    "binary.handling.mode": "hex",
}
KINDS = {
    "numeric(12,2)": ["0", "-0.01", "9999999999.99", "1.5"],
    "numeric": ["0", "1e30", "1e-30", "-1.500", "'NaN'", "123456789012345678901234567890"],
    "numeric(5,0)[]": ["'{1,NULL,-2}'"],
    "money": ["12345.67", "-0.99"],
    "date": ["'2026-01-02'", "'1970-01-01'"],
    "time": ["'03:04:05.678901'", "'00:00'"],
    "time(3)": ["'03:04:05.678'"],
    "timetz": ["'03:04:05.67+05:30'"],
    "timestamp": ["'2026-01-02 03:04:05.678901'", "'2026-01-02 03:04:05'", "'1969-12-31 23:59:59.999'"],
    "timestamp(3)": ["'2026-01-02 03:04:05.678'"],
    "timestamptz": ["'2026-01-02 03:04:05.678901+05:30'"],
    "date[]": ["'{2026-01-02}'"],
    "timestamp[]": ["'{\"2026-01-02 03:04:05.678901\"}'"],
    "interval": ["'1 year 2 mons 3 days 04:05:06.789'", "'-1 day 02:00'"],
    "bytea": ["''", "'\\x00ff10'"],
    "bytea[]": ["'{\"\\\\x00ff\",NULL}'"],
}
SETUP = _types.setup({"kinds": KINDS})
CHANGES = [*_types.changes({"kinds": KINDS}), "update kinds set numeric_12_2 = 7 where id = 1", "delete from kinds"]
