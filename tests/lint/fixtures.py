"""
What the system tests and benchmarks use of tests/system/lib is there: every name that they import from it, every
attribute of its modules, and every attribute of the fixtures (`kafka`, `millrace` …) and of what its classes make, also
behind `self`. Those tests run only with real servers, so a method that was removed or renamed would show up late.
No class has a method twice, as a merge may leave behind.
"""

import ast
import builtins

import sources

# Fixtures of conftest.py, which are also the names of parameters in all tests.
FIXTURES = {
    "cluster": "Cluster",
    "database": "Database",
    "function": "FunctionServer",
    "kafka": "Kafka",
    "millrace": "Millrace",
    "postgres": "Postgres",
}
MAKERS = {
    "make_database": "Database",
    "make_millrace": "Millrace",
    "private_kafka": "Kafka",
    "private_postgres": "Postgres",
}
LIB = "tests/system/lib"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def bound(statement):
    """Names that a statement of a module or class binds."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in statement.names]
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return [node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)]


def pairs(node):
    """(target, value) of an assignment; value is None when it can't be told."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if not isinstance(target, (ast.Tuple, ast.List)):
                yield target, node.value
                continue
            values = getattr(node.value, "elts", [None] * len(target.elts))
            yield from zip(target.elts, values)
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        yield node.target, node.value
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        yield from ((item.optional_vars, None) for item in node.items if item.optional_vars)


def one(kinds):
    """The only kind of several expressions, or None."""
    kinds = set(kinds)
    return kinds.pop() if len(kinds) == 1 else None


class Class:
    """A class's attributes and methods. `kinds` has the class of what its methods assign to an attribute, or None."""

    def __init__(self, node):
        self.bases = [base.id if isinstance(base, ast.Name) else None for base in node.bases]
        self.methods = {child.name: child for child in node.body if isinstance(child, FUNCTIONS)}
        self.kinds = dict.fromkeys(name for child in node.body for name in bound(child))
        self.results = {}
        for child in ast.walk(node):
            if isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store) and is_self(child.value):
                self.kinds[child.attr] = None


def is_self(node):
    return isinstance(node, ast.Name) and node.id == "self"


class File(ast.NodeVisitor):
    """Complaints about one file. A variable's class is known when each of its assignments has the same one."""

    def __init__(self, path, tree, lib):
        self.path, self.tree, self.lib = path, tree, lib
        self.complaints, self.modules = [], {}
        self.scopes = [{}]  # name: its class, or None
        self.classes = dict(lib.classes)
        own = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        self.classes.update((node.name, lib.of_node.get(node) or Class(node)) for node in own)
        # What a test adds to a fixture is its own affair.
        self.added = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and not is_self(node.value)
        }
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.see_import(node)
        for node in own:
            self.see_class(self.classes[node.name], node.name)

    def check(self):
        self.visit(self.tree)
        return self.complaints

    def complain(self, node, text):
        self.complaints.append(f"{self.path}:{node.lineno}: {text}")

    def see_import(self, node):
        module = getattr(node, "module", None) or ""
        for alias in node.names:
            if module == "lib":
                if alias.name not in self.lib.modules:
                    self.complain(node, f"{LIB} has no {alias.name}.py")
                self.modules[alias.asname or alias.name] = alias.name
            elif module.startswith("lib."):
                name = module[len("lib.") :]
                if alias.name not in self.lib.modules.get(name, ()):
                    self.complain(node, f"{LIB}/{name}.py has no {alias.name}")
            else:
                self.classes.pop(alias.asname or alias.name, None)

    def see_class(self, of, name):
        """The classes of what its methods assign to attributes of `self`."""
        found = {}
        for method in of.methods.values():
            self.scopes.append(self.scope_of(method, name))
            for child in ast.walk(method):
                for target, value in pairs(child):
                    if isinstance(target, ast.Attribute) and is_self(target.value):
                        found.setdefault(target.attr, []).append(self.kind(value))
            self.scopes.pop()
        of.kinds.update((attribute, one(kinds)) for attribute, kinds in found.items())

    def ancestry(self, name):
        """A class and its bases, None for one that is unknown."""
        of = self.classes.get(name)
        yield of
        for base in of.bases if of else []:
            yield from self.ancestry(base)

    def has(self, name, attribute):
        """True also when a base is unknown."""
        return attribute.startswith("__") or any(
            of is None or attribute in of.kinds for of in self.ancestry(name)
        )

    def scope_of(self, function, owner=None):
        """What is known of a function's names."""
        given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        scope = {argument.arg: FIXTURES.get(argument.arg) for argument in given}
        if owner and given and not function.decorator_list:
            scope[given[0].arg] = owner
        values, told = {}, set()
        for node in ast.walk(function):
            for target, value in pairs(node):
                if isinstance(target, ast.Name):
                    told.add(target)
                    values.setdefault(target.id, []).append(value)
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in told:
                values.setdefault(node.id, []).append(None)  # of a loop, say
        self.scopes.append(scope)
        for name, assigned in values.items():
            known = [scope[name]] if name in scope else []
            scope[name] = one(known + [self.kind(value) for value in assigned])
        return self.scopes.pop()

    def kind(self, node):
        """The name of an expression's class, or None."""
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in reversed(self.scopes) if node.id in scope), None)
        if isinstance(node, ast.Attribute):
            return self.first(self.kind(node.value), lambda of: of.kinds, node.attr)
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name in MAKERS:
                return MAKERS[name]
            if isinstance(node.func, ast.Name):
                return name if name in self.classes else None
            if isinstance(node.func, ast.Attribute):
                return self.result(self.kind(node.func.value), name)
        return None

    def first(self, name, table, attribute):
        return next((table(of)[attribute] for of in self.ancestry(name) if of and attribute in table(of)), None)

    def result(self, name, method):
        """The class of what a method returns."""
        of = next((of for of in self.ancestry(name) if of and method in of.methods), None)
        if of is None:
            return None
        if method not in of.results:
            of.results[method] = None  # while it is looked for
            node = of.methods[method]
            self.scopes.append(self.scope_of(node, name))
            returned = [child.value for child in ast.walk(node) if isinstance(child, ast.Return)]
            of.results[method] = one(self.kind(value) for value in returned)
            self.scopes.pop()
        return of.results[method]

    def visit_in(self, node, scope):
        self.scopes.append(scope)
        self.generic_visit(node)
        self.scopes.pop()

    def visit_FunctionDef(self, node, owner=None):
        self.visit_in(node, self.scope_of(node, owner))

    def visit_Lambda(self, node):
        self.visit_in(node, {argument.arg: None for argument in ast.walk(node.args) if isinstance(argument, ast.arg)})

    def visit_ClassDef(self, node):
        seen = set()
        for child in node.body:
            if isinstance(child, FUNCTIONS):
                if child.name in seen and not child.decorator_list:
                    self.complain(child, f"class {node.name} has {child.name} twice")
                seen.add(child.name)
                self.visit_FunctionDef(child, node.name)
            else:
                self.visit(child)

    def visit_Attribute(self, node):
        owner = self.kind(node.value)
        name = getattr(node.value, "id", None)
        if owner is None and name and not any(name in scope for scope in self.scopes):
            owner = name if name in self.classes else None
            names = self.lib.modules.get(self.modules.get(name))
            if names and node.attr not in names and not node.attr.startswith("__"):
                self.complain(node, f"{LIB}/{self.modules[name]}.py has no {node.attr}")
        if owner in self.classes and node.attr not in self.added and not self.has(owner, node.attr):
            self.complain(node, f"{ast.unparse(node.value)}: class {owner} has no attribute {node.attr}")
        self.generic_visit(node)


class Lib:
    """The modules of tests/system/lib: `modules` has their names' names, `classes` their classes."""

    def __init__(self, trees):
        self.modules, self.classes, self.of_node = {}, {}, {}
        for path, tree in trees.items():
            names = {name for statement in tree.body for name in bound(statement)}
            self.modules[path.split("/")[-1][: -len(".py")]] = names | set(dir(builtins))
            for node in (node for node in tree.body if isinstance(node, ast.ClassDef)):
                self.classes[node.name] = self.of_node[node] = Class(node)


paths = sources.files(["tests/system", "tests/bench"], (".py",))
trees = {path: ast.parse(sources.read(path), path) for path in paths}
lib = Lib({path: tree for path, tree in trees.items() if path.startswith(LIB)})
wanted = {*FIXTURES.values(), *MAKERS.values()}
complaints = [f"{LIB} has no class {name}, which fixtures.py names" for name in sorted(wanted - set(lib.classes))]
for path in sorted(paths, key=lambda path: not path.startswith(LIB)):  # what lib's attributes are comes first
    complaints += File(path, trees[path], lib).check()
sources.finish(complaints, len(paths))
