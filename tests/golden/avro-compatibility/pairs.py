"""
Random pairs of a writer's schema and a changed reader's, for Oracle.java. Always the same ones for a seed.
usage: pairs.py COUNT [SEED]
"""
import copy, json, random, sys

random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 20)
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


class Maker:
    def __init__(self):
        self.count = 0
        self.made = []

    def name(self):
        self.count += 1
        return random.choice(["A", "B", "C", "n.D", "n.m.E"]) + str(self.count)

    def type(self, depth):
        kind = random.choice(["primitive"] * 4 + ["named", "array", "map", "union", "record", "enum", "fixed"])
        if depth <= 0 and kind in ("array", "map", "union", "record"):
            kind = "primitive"
        if kind == "primitive" or (kind == "named" and not self.made):
            return random.choice(PRIMITIVES)
        if kind == "named":
            return random.choice(self.made)
        if kind == "array":
            return {"type": "array", "items": self.type(depth - 1)}
        if kind == "map":
            return {"type": "map", "values": self.type(depth - 1)}
        if kind == "union":
            return self.union(depth - 1)
        name = self.name()
        if kind == "fixed":
            self.made.append(name)
            return {"type": "fixed", "name": name, "size": random.randint(1, 3)}
        if kind == "enum":
            self.made.append(name)
            symbols = random.sample(["R", "G", "B", "Y", "K"], random.randint(1, 4))
            result = {"type": "enum", "name": name, "symbols": symbols}
            if random.random() < 0.3:
                result["default"] = random.choice(symbols)
            return result
        return self.record(name, depth - 1)

    def record(self, name, depth):
        result = {"type": "record", "name": name, "fields": []}
        if random.random() < 0.3 and "." not in name:
            result["namespace"] = random.choice(["n", "n.m"])
            self.made.append(result["namespace"] + "." + name)
        else:
            self.made.append(name) if "." in name else None
        for i in range(random.randint(0, 4)):
            field = {"name": f"f{i}", "type": self.type(depth)}
            if random.random() < 0.4:
                field["default"] = None
            result["fields"].append(field)
        return result

    def union(self, depth):
        branches, names = [], set()
        for _ in range(random.randint(1, 4)):
            branch = self.type(depth)
            label = branch if isinstance(branch, str) else branch["type"] if isinstance(branch, dict) else None
            if label is None or label in names:
                continue
            names.add(label)
            branches.append(branch)
        return branches or ["null"]


def nodes(schema):
    """All (container, key) places of types."""
    if isinstance(schema, list):
        for i, branch in enumerate(schema):
            yield schema, i
            yield from nodes(branch)
    elif isinstance(schema, dict):
        for key in ("items", "values"):
            if key in schema:
                yield schema, key
                yield from nodes(schema[key])
        for field in schema.get("fields", []):
            yield field, "type"
            yield from nodes(field["type"])


def definitions(schema):
    if isinstance(schema, dict) and "name" in schema and "type" in schema and isinstance(schema["type"], str):
        yield schema
    for container, key in list(nodes(schema)):
        if isinstance(container[key], dict) and "name" in container[key]:
            yield container[key]


def change(schema, maker):
    schema = copy.deepcopy(schema)
    for _ in range(random.randint(0, 3)):
        defined = [d for d in definitions(schema)]
        place = random.choice([*nodes(schema)] or [None])
        action = random.randint(0, 10)
        if action <= 2 and place:
            place[0][place[1]] = maker.type(1)
        elif action == 3 and place and not isinstance(place[0][place[1]], list):
            place[0][place[1]] = ["null", place[0][place[1]]] if place[0][place[1]] != "null" else ["null", "int"]
        elif defined:
            d = random.choice(defined)
            if d["type"] == "record":
                fields = d["fields"]
                if action == 4 and fields:
                    fields.pop(random.randrange(len(fields)))
                elif action == 5:
                    new = {"name": f"g{random.randint(0, 9)}", "type": maker.type(0)}
                    if random.random() < 0.5:
                        new["default"] = 0
                    if not any(f["name"] == new["name"] for f in fields):
                        fields.append(new)
                elif action == 6 and fields:
                    field = random.choice(fields)
                    field["aliases"] = [field["name"]]
                    field["name"] = "h" + field["name"]
                elif action == 7 and len(fields) > 1:
                    random.shuffle(fields)
                elif action == 8:
                    d["aliases"] = [d["name"]] if random.random() < 0.7 else ["Zz"]
                    d["name"] = d["name"] + "x"
            elif d["type"] == "enum":
                if action % 2:
                    d["symbols"] = random.sample(["R", "G", "B", "Y", "K"], random.randint(1, 4))
                    d.pop("default", None)
                    if random.random() < 0.4:
                        d["default"] = d["symbols"][0]
                else:
                    d["name"] += "y"
            elif d["type"] == "fixed":
                d["size"] = random.randint(1, 3)
    return schema


def uses_before_definition(schema):
    """Avro for Java takes these, the specification does not."""
    known = set(PRIMITIVES)

    def walk(node, space):
        if isinstance(node, str):
            return node not in known and f"{space}.{node}" not in known
        if isinstance(node, list):
            return any(walk(branch, space) for branch in node)
        if node["type"] in ("array", "map"):
            return walk(node.get("items", node.get("values")), space)
        if "name" in node:
            full = node["name"]
            if "." not in full and (node.get("namespace") or space):
                full = f"{node.get('namespace') or space}.{full}"
            known.add(full)
            space = full.rpartition(".")[0]
        return any(walk(field["type"], space) for field in node.get("fields", []))

    return walk(schema, "")


for i in range(int(sys.argv[1])):
    maker = Maker()
    writer = maker.record(random.choice(["Root", "a.Root"]), 3) if random.random() < 0.8 else maker.type(3)
    reader = change(writer, maker)
    if random.random() < 0.5:
        reader, writer = writer, reader
    if uses_before_definition(reader) or uses_before_definition(writer):
        continue
    print(json.dumps({"reader": json.dumps(reader), "writer": json.dumps(writer)}))
