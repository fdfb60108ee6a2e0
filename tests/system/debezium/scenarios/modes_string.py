"""The modes of types that give texts: decimals, times and intervals as strings, bytes as base64, hstore as a map."""

from debezium.scenarios import _types

CONNECTOR = {"decimal": "string", "temporal": "iso", "interval": "string", "binary": "base64", "hstore": "map"}
DEBEZIUM = {
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "interval.handling.mode": "string",
    "binary.handling.mode": "base64",
    "hstore.handling.mode": "map",
}
EXTENSIONS = ("hstore",)
KINDS = {
    "numeric(12,2)": ["0", "-0.01", "9999999999.99", "1.5"],
    "numeric": ["0", "'0.00'", "1e30", "1e-30", "-1.500"],
    "numeric(5,0)[]": ["'{1,NULL,-2}'", "'{}'"],
    "money": ["12345.67", "-0.99"],
    "date": ["'2026-01-02'", "'0001-01-01'"],
    "time": ["'03:04:05.678901'", "'00:00'"],
    "time(3)": ["'03:04:05.678'"],
    "timetz": ["'03:04:05.67+05:30'"],
    "timestamp": ["'2026-01-02 03:04:05.678901'", "'2026-01-02 03:04:05'"],
    "timestamp(3)": ["'2026-01-02 03:04:05.678'"],
    "timestamptz": ["'2026-01-02 03:04:05.678901+05:30'"],
    "date[]": ["'{2026-01-02}'"],
    "timestamp[]": ["'{\"2026-01-02 03:04:05.678901\"}'"],
    "interval": ["'1 year 2 mons 3 days 04:05:06.789'", "'0'", "'-1 day 02:00'"],
    "bytea": ["''", "'\\x00ff10'", "decode(repeat('ab', 100), 'hex')"],
    "bytea[]": ["'{\"\\\\x00ff\",NULL}'"],
    "hstore": ["'a=>1, b=>NULL'", "''", "'ü=>ö'"],
}
SETUP = _types.setup({"kinds": KINDS})
CHANGES = [*_types.changes({"kinds": KINDS}), "update kinds set numeric_12_2 = 7 where id = 1", "delete from kinds"]
