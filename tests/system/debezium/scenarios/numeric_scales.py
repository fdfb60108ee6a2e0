"""Scales beyond the precision and below zero, which PostgreSQL 15 brought."""

from debezium.scenarios import _types

NUMBERS = {"numeric(3,5)": ["0.00999", "-0.00001", "0"]}
NEGATIVE = {"numeric(5,-2)": ["1234567", "100", "0"]}
TABLES = {"numbers": NUMBERS, "negative": NEGATIVE}

SETUP = _types.setup(TABLES)
CHANGES = _types.changes(TABLES)
