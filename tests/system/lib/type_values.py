"""
Columns of every type that a connector knows, and for each its extreme values and random ones, as SQL. A random value
comes of the generator that it is given, so that a seed gives the same values again.
"""

import ipaddress
import json
import struct

MADE = """create extension hstore; create extension ltree; create extension citext; create extension cube;
create type mood as enum ('sad', 'happy, very', 'q"uote', 'ünï');
create domain amount as numeric(9,3); create domain sum as amount; create domain moods as mood[];
create type address as (street text, rent numeric(8,2), paid bool);
create type place as (at address, "when" timestamptz, "a b" int[], bag hstore);
create type fruits as range (subtype = text, collation = "C");"""
UUID = "11111111-2222-3333-4444-555555555555"
NUMBERS = ["0", "0.00", "-0.01", "9999999999.99", "1e30", "1e-30", "-1234567890123456789.0123456789", "10000"]
DATES = [
    "'2026-02-28'", "'0001-01-01'", "'0001-12-31 BC'", "'4713-01-01 BC'", "'5874897-12-31'", "'infinity'",
    "'-infinity'", "'1582-10-10'", "'10000-01-01'", "'1969-12-31'",
]  # fmt: skip
TIMES = ["'12:34:56.789012'", "'24:00'", "'00:00'", "'23:59:59.999999'"]
TIMESTAMPS = [
    "'2026-02-28 23:59:59.999999'", "'0001-01-01 00:00'", "'0001-12-31 23:59:59.000001 BC'", "'-infinity'",
    "'4713-01-01 00:00 BC'", "'9999-12-31 23:59:59.999999'", "'294276-12-31 23:59:59.999999'", "'infinity'",
    "'1582-10-10 12:00'", "'1969-12-31 23:59:59.999999'", "'294247-01-10 04:00:54.775807'", "'1900-01-01 00:00:00.5'",
]  # fmt: skip
INTERVALS = [
    "'1 year 2 mons 3 days 04:05:06.789'", "'-1 mons -1 days -00:00:01'", "'0'", "'178000000 years'",
    "'-178000000 years'", "'1 mon -1 day'", "'-00:00:00.000001'", "'2540400:10:10'", "'536870912 days'",
    "'-2147483648 days'",
]  # fmt: skip
EXTREMES = {
    "bool": ["true", "false"],
    "smallint": ["-32768", "32767", "0"],
    "int": ["-2147483648", "2147483647", "-1"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "1"],
    "real": ["1.5", "'NaN'", "'-Infinity'", "3.4028235e38", "1e-45", "-0.0", "0.1", "1e6", "123456.7"],
    "double precision": ["0.1", "'NaN'", "'Infinity'", "1.7976931348623157e308", "5e-324", "-0.0", "1e15", "1e-5"],
    "numeric": [*NUMBERS, "1e131071", "1e-16383", "'NaN'", "'Infinity'", "'-Infinity'", "repeat('123456789', 40)"],
    "numeric(12,2)": ["12.34", "-0.01", "9999999999.99", "0", "'NaN'", "100"],
    "numeric(38,10)": ["1234567890123456789012345678.0123456789", "-0.0000000001", "1", "10000.00010001"],
    "numeric(1000,0)": ["repeat('9', 1000)", "-1", "10000"],
    "numeric(3,-2)": ["12345", "-99949", "0"],
    "numeric(3,5)": ["0.00999", "-0.00001", "0"],
    "money": ["12345.67", "-0.99", "'92233720368547758.07'", "'-92233720368547758.08'", "0"],
    "text": ["''", "'Grüße 你好 😀'", r"E'\ttab\nnl\\bs\"quote,{}'", "'NULL'", "repeat('long', 1000)"],
    "varchar(20)": ["'v'", "''"],
    "char(5)": ["'abc'", "''", "'äöü'"],
    '"char"': ["'c'", "''", r"'\'"],
    "name": ["'nm'", "''"],
    "citext": ["'CiText'", "''"],
    "refcursor": ["'a cursor'", "''"],
    "json": ["""'{"b" : 1, "a":[null]}'""", "'1'", "'null'"],
    "jsonb": ["""'{"b" : 1, "a":[null]}'""", "'2.50'", "'1e400'"],
    "jsonpath": ["""'$.a[*] ? (@."b c" > 1)'""", "'strict $'"],
    "xml": ["'<a>ü</a>'", "''"],
    "bytea": [r"'\x'", r"'\x00ff10'", r"decode(repeat('ab', 5000), 'hex')"],
    "uuid": [f"'{UUID}'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
    "bit(1)": ["B'1'", "B'0'"],
    "bit(5)": ["B'10101'", "B'00000'"],
    "bit(64)": ["('1' || repeat('0', 62) || '1')", "repeat('1', 64)"],
    "bit(65)": ["('1' || repeat('0', 63) || '1')"],
    "bit varying(1)": ["B'1'", "B''"],
    "bit varying(12)": ["B'101'", "B''", "B'110000000001'"],
    "bit varying": ["B''", "repeat('10', 50)", "repeat('1', 9)"],
    "date": DATES,
    "time": TIMES,
    "time(0)": TIMES,
    "time(3)": [*TIMES, "'23:59:59.9999'"],
    "timetz": ["'12:34:56.789012+02'", "'24:00+00'", "'23:59:59.999999-12'", "'00:00:00+15:59:59'", "'12:00-05:30'"],
    "timetz(2)": ["'12:34:56.789012+02'", "'24:00-15:59:59'"],
    "timestamp": TIMESTAMPS,
    "timestamp(0)": ["'2026-02-28 23:59:59.6'", "'infinity'", "'-infinity'", "'0044-03-15 12:00 BC'"],
    "timestamp(3)": [value for value in TIMESTAMPS if "294276" not in value] + ["'294276-12-31'"],
    "timestamptz": [value.replace(" BC", "+00 BC").replace("00'", "00+00'") for value in TIMESTAMPS],
    "timestamptz(3)": ["'2026-02-28 23:59:59.9996+00'", "'2026-02-28 23:59:59+05:30'", "'infinity'"],
    "interval": INTERVALS,
    "interval(0)": INTERVALS,
    "interval year to month": INTERVALS,
    "inet": ["'192.168.1.5/24'", "'10.0.0.1'", "'::1'", "'2001:db8::1:0:0:1/64'", "'::ffff:1.2.3.4'", "'0.0.0.0/0'"],
    "cidr": ["'10.1.2.0/24'", "'2001:db8::/32'", "'10.0.0.1/32'", "'::/0'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "oid": ["4294967295", "0"],
    "xid": ["'4294967295'", "'0'"],
    "xid8": ["'18446744073709551615'", "'0'"],
    "cid": ["'4294967295'"],
    "tid": ["'(4294967295,65535)'", "'(0,1)'"],
    "pg_lsn": ["'16/B374D848'", "'0/0'", "'FFFFFFFF/FFFFFFFF'"],
    "txid_snapshot": ["'10:20:10,14'", "'1:1:'"],
    "pg_snapshot": ["'10:20:10,14'", "'1:9223372036854775807:'"],
    "int2vector": ["'1 -2'", "''"],
    "oidvector": ["'1 4294967295'", "''"],
    "point": ["'(1.5,-2)'", "'(1e300,0)'", "'(NaN,Infinity)'"],
    "line": ["'{1,2,3}'", "'{0,-1,1e-300}'"],
    "lseg": ["'[(1,2),(3,4)]'"],
    "box": ["'(1,2),(3,4)'"],
    "path": ["'[(1,2),(3,4)]'", "'((1,2),(3,4))'"],
    "polygon": ["'((1,2),(3,4),(5,6))'"],
    "circle": ["'<(1,2),3>'"],
    "tsvector": ["'a:1A b:2,3'", "''", r"""'''it''''s'' "x\\y":16383'"""],
    "tsquery": ["'a & !b <2> c:*A'", "''", "'''x y'':B | !!(a | b) & c'"],
    "int4range": ["'[1,10)'", "'empty'", "'(,)'"],
    "int8range": ["'[1,5]'", "'empty'"],
    "numrange": ["'(1.5,2.5]'", "'[,0.001)'", "'[1,NaN]'"],
    "daterange": ["'[2026-01-01,2026-02-01)'", "'[2026-01-01,)'", "'[-infinity,infinity]'"],
    "tsrange": ["'[2026-01-01 00:00,2026-01-02 00:00)'", "'[0044-03-15 BC,infinity]'"],
    "tstzrange": ["'[2026-01-01 00:00+02,2026-01-02 00:00+00)'", "'(,2026-01-01 00:00+00]'"],
    "fruits": ["""'[apple,"pear, \\"tree")'""", "'empty'", "'[\"\",b)'"],
    "int4multirange": ["'{[1,3),[5,7)}'", "'{}'"],
    "int8multirange": ["'{[1,3),[5,7)}'", "'{(,)}'"],
    "nummultirange": ["'{(1.5,2.5],[3,3]}'"],
    "datemultirange": ["'{[2026-01-01,2026-02-01)}'"],
    "tsmultirange": ["'{[2026-01-01 00:00,2026-01-02 00:00)}'"],
    "tstzmultirange": ["'{[2026-01-01 00:00+02,2026-01-02 00:00+00)}'"],
    "fruits_multirange": ["""'{[a,b],("c d",)}'"""],
    "mood": ["'sad'", "'happy, very'", "'q\"uote'", "'ünï'"],
    "amount": ["1.50", "-0.001"],
    "sum": ["2.5", "'NaN'"],
    "moods": ["'{sad,NULL,\"happy, very\"}'", "'{}'"],
    "address": ["row('x, y', 1.50, null)", "row('', 0, true)", "row(null, null, null)", """row('"\\)', -1, false)"""],
    "place": [
        "row(row('s', 1, null)::address, '2026-01-02 03:04:05.6+00', array[1, null], 'a=>NULL'::hstore)",
        "row(null, 'infinity', '{{1},{2}}', '')",
    ],
    "hstore": ["'b=>2, a=>NULL'", "''", r"""'"k \"q"=>"v,\\ =>"'""", "'ü=>ö'"],
    "ltree": ["'Top.Science'", "''"],
    "lquery": ["'*.a'", "'Top.*{0,2}.sport*@|x.!y'"],
    "ltxtquery": ["'Europe & Russia*@ & !Transportation'"],
}
# An array whose elements are arrays is text only.
IN_ARRAYS = [kind for kind in EXTREMES if kind != "moods"]
# Their binary form has numbers in place of names, or they have none: a stream with one of them is text.
TEXT_ONLY = {
    "regproc": ["'pg_catalog.now'", "'-'"],
    "regprocedure": ["'sum(int4)'"],
    "regoper": ["'||/'", "'|/'"],
    "regoperator": ["'+(int4,int4)'"],
    "regclass": ["'pg_class'", "4294967295"],
    "regtype": ["'int'", "'text[]'"],
    "regconfig": ["'english'"],
    "regdictionary": ["'simple'"],
    "regnamespace": ["'public'"],
    "regrole": ["'postgres'"],
    "regcollation": ["'\"C\"'"],
    "cube": ["'(1,2),(3,4)'"],
    "aclitem": ["'postgres=r/postgres'"],
    "moods": EXTREMES["moods"],
}
# PostGIS's, of every shape: the extension is made with `create extension postgis`. Geography has SRID 4326 always.
SHAPES = [
    "'POINT(1 -2)'", "'SRID=4326;POINT Z(1 2 3)'", "'SRID=3857;POINT M(1 2 3)'", "'SRID=998999;POINT ZM(1e300 2 3 4)'",
    "'POINT EMPTY'", "'SRID=4326;POINT Z EMPTY'", "ST_MakePoint('NaN', 'Infinity')", "'SRID=4326;LINESTRING(1 2,3 4)'",
    "'POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))'", "'POLYGON EMPTY'", "'MULTIPOINT(1 2,EMPTY,3 4)'",
    "'SRID=4326;MULTILINESTRING M((1 2 3,3 4 5),EMPTY)'", "'MULTIPOLYGON(((0 0,1 0,1 1,0 0)),EMPTY)'",
    "'SRID=2056;GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(LINESTRING(1 2,3 4),POLYGON EMPTY))'",
    "'SRID=4326;GEOMETRYCOLLECTION EMPTY'", "'CIRCULARSTRING(0 0,1 1,2 0)'", "'TIN(((0 0,0 1,1 1,0 0)))'",
    "'SRID=4326;CURVEPOLYGON(COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,2 0),(2 0,0 0)))'",
    "'POLYHEDRALSURFACE Z(((0 0 0,0 1 0,1 1 0,0 0 0)))'", "'TRIANGLE((0 0,0 1,1 1,0 0))'",
    "ST_MakeLine(array(select ST_MakePoint(n, -n) from generate_series(1, 2000) n))",
]  # fmt: skip
POSTGIS = {
    "geometry": SHAPES,
    "geometry(PointZM,3857)": ["'SRID=3857;POINT ZM(1 2 3 4)'", "'SRID=3857;POINT ZM EMPTY'"],
    "geography": [
        "'POINT(-179.5 90)'", "'POINT Z(1 2 3)'", "'POINT M(1 2 3)'", "'LINESTRING ZM(1 2 3 4,5 6 7 8)'",
        "'POINT EMPTY'", "'POLYGON((0 0,9 0,9 9,0 0))'", "'MULTIPOLYGON EMPTY'",
        "'GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))'", "'GEOMETRYCOLLECTION EMPTY'",
    ],
    "geography(Polygon,4326)": ["'POLYGON((0 0,9 0,9 9,0 0))'", "'POLYGON EMPTY'"],
}  # fmt: skip


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def word(rng):
    """A string with what the forms of nested types give a meaning to."""
    odd = ["", " ", ",", '"', "\\", "{", "}", "(", ")", "[", "]", "'", ":", "=>", "NULL", "ü", "😀", "\t", "\n", "%"]
    return "".join(rng.choice([*odd, rng.choice("abcXYZ019")]) for _ in range(rng.randrange(12)))


def letters(rng):
    return "".join(rng.choice("abcdefXYZ") for _ in range(rng.randrange(1, 8)))


def whole(bits, is_signed=True):
    def value(rng):
        size = rng.randrange(1, bits + 1)
        return quoted(str(rng.randrange(-(2 ** (size - 1)), 2 ** (size - 1)) if is_signed else rng.randrange(2**size)))

    return value


def floating(form):
    """Of random bits, so of every exponent."""

    def value(rng):
        return quoted(repr(struct.unpack(form, rng.randbytes(struct.calcsize(form)))[0]))

    return value


def digits(before, after):
    """A decimal number of up to that many digits before and after its point."""

    def value(rng):
        whole_part = "".join(rng.choice("0000123456789") for _ in range(rng.randrange(before + 1)))
        fraction = "".join(rng.choice("0000123456789") for _ in range(rng.randrange(after + 1)))
        return quoted(f"{rng.choice(['', '-'])}{whole_part or 0}{'.' if fraction else ''}{fraction}")

    return value


def bits(least, most):
    return lambda rng: quoted("".join(rng.choice("01") for _ in range(rng.randint(least, most))))


def day(rng, last=294000):
    year = rng.choice([rng.randint(-4711, last), rng.randint(1900, 2100)])
    text = f"{abs(year) or 1:04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return text, " BC" if year < 0 else ""


def clock(rng):
    micros = rng.choice(["", f".{rng.randrange(10**6):06}", f".{rng.randrange(1000):03}"])
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}{micros}"


def date(rng):
    return quoted("".join(day(rng, 5874896)))


def timestamp(rng):
    text, era = day(rng)
    return quoted(f"{text} {clock(rng)}{era}")


def timestamptz(rng):
    text, era = day(rng)
    return quoted(f"{text} {clock(rng)}{offset(rng)}{era}")


def offset(rng):
    some = f"{rng.choice('+-')}{rng.randrange(16):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    return rng.choice(["+00", some])


def interval(rng):
    parts = [f"{rng.randint(-limit, limit)} {unit}" for unit, limit in [("mon", 10**5), ("day", 10**6), ("us", 10**14)]]
    return quoted(" ".join(part for part in parts if rng.randrange(3)) or "0")


def address(rng):
    """Of either family, with runs of zeros."""
    if rng.randrange(2):
        return ipaddress.IPv4Address(rng.randbytes(4)), rng.randint(0, 32)
    groups = [rng.choice([b"\0\0", rng.randbytes(2)]) for _ in range(8)]
    return ipaddress.IPv6Address(b"".join(groups)), rng.randint(0, 128)


def inet(rng):
    return quoted("%s/%d" % address(rng))


def cidr(rng):
    return quoted(str(ipaddress.ip_network("%s/%d" % address(rng), strict=False)))


def mac(size):
    return lambda rng: quoted(rng.randbytes(size).hex(":"))


def document(rng, depth=3):
    kind = rng.randrange(6 if depth else 4)
    if kind == 4:
        return [document(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 5:
        return {word(rng): document(rng, depth - 1) for _ in range(rng.randrange(4))}
    return [None, rng.randint(-(10**18), 10**18), rng.choice([True, False]), word(rng)][kind]


def doc(rng):
    return quoted(json.dumps(document(rng), ensure_ascii=rng.choice([True, False])))


def coordinates(count, form="%s"):
    """A shape with that many numbers."""

    def value(rng):
        some = ([rng.uniform(-1e3, 1e3), rng.randint(-9, 9), rng.uniform(-1, 1) * 1e300] for _ in range(count))
        return quoted(form % tuple(map(rng.choice, some)))

    return value


def points(opening, closing):
    def value(rng):
        some = [f"({rng.uniform(-9, 9)},{rng.randint(-9, 9)})" for _ in range(rng.randrange(1, 5))]
        return quoted(f"{opening}{','.join(some)}{closing}")

    return value


def ranged(kind, subtype):
    def value(rng):
        ends = [f"({values(subtype, 1, rng)[0]})::{subtype}" for _ in range(2)]
        low, high = f"least({', '.join(ends)})", f"greatest({', '.join(ends)})"
        bounds = rng.choice("[(") + rng.choice("])")
        return f"{kind}({rng.choice(['null', low])}, {rng.choice(['null', high])}, '{bounds}')"

    return value


def multiranged(kind, below, subtype):
    one = ranged(below, subtype)
    return lambda rng: f"{kind}({', '.join(one(rng) for _ in range(rng.randrange(4)))})"


def lexemes(rng):
    return f"setweight(array_to_tsvector(array[{', '.join(quoted('w' + word(rng)) for _ in range(4))}]), 'B')"


def query(rng, depth=3):
    if depth == 0 or rng.randrange(3) == 0:
        weights = rng.choice(["", ":*", ":A", ":*BD"])
        return "'" + letters(rng) + word(rng).replace("\\", "").replace("'", "''") + "'" + weights
    if rng.randrange(4) == 0:
        return f"!({query(rng, depth - 1)})"
    return f"({query(rng, depth - 1)}) {rng.choice(['&', '|', '<->', '<7>'])} ({query(rng, depth - 1)})"


def bag(rng):
    return f"hstore(array[{string(rng)}, 'k', {string(rng)}], array[{string(rng)}, null, ''])"


def composite(rng):
    return f"row({quoted(word(rng))}, {digits(6, 2)(rng)}, {rng.choice(['null', 'true', 'false'])})"


def string(rng):
    return quoted(word(rng))


RANDOM = {
    "smallint": whole(16), "int": whole(32), "bigint": whole(64), "real": floating("f"),
    "double precision": floating("d"), "numeric": digits(60, 60), "numeric(12,2)": digits(10, 2),
    "numeric(38,10)": digits(28, 10), "numeric(1000,0)": digits(1000, 0), "money": digits(16, 2),
    "text": string, "varchar(20)": string, "citext": string, "name": string, "refcursor": string,
    "json": doc, "jsonb": doc, "xml": lambda rng: f"xmlelement(name a, {quoted(word(rng))})",
    "bytea": lambda rng: quoted("\\x" + rng.randbytes(rng.randrange(40)).hex()),
    "uuid": lambda rng: quoted(rng.randbytes(16).hex()),
    "bit(1)": bits(1, 1), "bit(5)": bits(5, 5), "bit(64)": bits(64, 64), "bit(65)": bits(65, 65),
    "bit varying(12)": bits(0, 12), "bit varying": bits(0, 100),
    "date": date, "time": lambda rng: quoted(clock(rng)), "time(0)": lambda rng: quoted(clock(rng)),
    "time(3)": lambda rng: quoted(clock(rng)), "timetz": lambda rng: quoted(clock(rng) + offset(rng)),
    "timetz(2)": lambda rng: quoted(clock(rng) + offset(rng)), "timestamp": timestamp, "timestamp(0)": timestamp,
    "timestamp(3)": timestamp, "timestamptz": timestamptz, "timestamptz(3)": timestamptz,
    "interval": interval, "interval(0)": interval, "interval year to month": interval,
    "inet": inet, "cidr": cidr, "macaddr": mac(6), "macaddr8": mac(8),
    "oid": whole(32, False), "xid": whole(32, False), "xid8": whole(64, False), "cid": whole(32, False),
    "pg_lsn": lambda rng: quoted(f"{rng.getrandbits(32):X}/{rng.getrandbits(rng.randrange(33)):X}"),
    "int2vector": lambda rng: quoted(" ".join(str(rng.randint(-32768, 32767)) for _ in range(rng.randrange(5)))),
    "point": coordinates(2, "(%s,%s)"), "line": coordinates(2, "{1,%s,%s}"),
    "lseg": coordinates(4, "[(%s,%s),(%s,%s)]"), "box": coordinates(4, "(%s,%s),(%s,%s)"),
    "path": points("[", "]"), "polygon": points("(", ")"),
    "tsvector": lexemes, "tsquery": lambda rng: quoted(query(rng)),
    "int4range": ranged("int4range", "int"), "int8range": ranged("int8range", "bigint"),
    "numrange": ranged("numrange", "numeric"), "daterange": ranged("daterange", "date"),
    "tsrange": ranged("tsrange", "timestamp"), "tstzrange": ranged("tstzrange", "timestamptz"),
    "int4multirange": multiranged("int4multirange", "int4range", "int"),
    "int8multirange": multiranged("int8multirange", "int8range", "bigint"),
    "nummultirange": multiranged("nummultirange", "numrange", "numeric"),
    "datemultirange": multiranged("datemultirange", "daterange", "date"),
    "tsmultirange": multiranged("tsmultirange", "tsrange", "timestamp"),
    "tstzmultirange": multiranged("tstzmultirange", "tstzrange", "timestamptz"),
    "amount": digits(6, 3), "sum": digits(6, 3), "address": composite, "hstore": bag,
    "ltree": lambda rng: quoted(".".join(letters(rng) for _ in range(rng.randrange(1, 5)))),
    "geometry": coordinates(4, "SRID=3857;LINESTRING(%s %s,%s %s)"),
    "geometry(PointZM,3857)": coordinates(4, "SRID=3857;POINT ZM(%s %s %s %s)"),
}  # fmt: skip


def values(kind, count, rng):
    """`count` values: the extreme ones first, then random ones, where the type has any."""
    extremes = {**EXTREMES, **TEXT_ONLY, **POSTGIS}[kind]
    made = [RANDOM[kind](rng) if kind in RANDOM else rng.choice(extremes) for _ in range(count)]
    return ([*extremes, *made] if count > 1 else made)[:count]


def array(kind, some, rng):
    """An array of some of the values: with nulls, of two dimensions, or with a lower bound that is not 1."""
    cast = [f"({value})::{kind}" for value in rng.sample(some, 2)]
    if kind == "moods":
        return f"array_fill({cast[0]}, array[2], array[3])::{kind}[]"
    form = rng.randrange(6)
    if form == 0:
        return f"array[array[{cast[0]}, null], array[{cast[1]}, {cast[0]}]]::{kind}[]"
    if form == 1:
        return f"array_fill({cast[0]}, array[2], array[-1])::{kind}[]"
    if form == 2:
        return f"'{{}}'::{kind}[]"
    return f"array[{', '.join(cast)}, null]::{kind}[]"
