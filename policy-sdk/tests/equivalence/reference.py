#!/usr/bin/env python3
"""What docs/policy.md says, as plainly as it can be written: every list is looked through from its beginning, for every
request anew. In another language, and of its standard library alone, so that it shares nothing with the engine.

Of each line of input, a document that loads and questions about it, it makes a line with the answers. A question is a
request as it was meant, before it was spelt; a value that servers read in two ways is null, and so is no body. Of each family of operators
there is one at least; the engine's tables have them all. Truth is True, False, or None where it is unknown.
"""
import datetime, ipaddress, json, re, sys
from urllib.parse import unquote

class Part(dict):
    """A part of a document. What is not there is an empty part: false, and without members."""

    def __missing__(self, name):
        return Part()

def every(truths):
    truths = list(truths)
    return False if False in truths else None if None in truths else True

def negated(truth):
    return None if truth is None else not truth

def says(truth, what, name):
    """P permits, D and a code denies, N would permit another role; of what is unknown, ?P and ?D might have (XACML 3.0)."""
    return [(what, name)] if truth else [("?" + what[0], name)] if truth is None else []

def captures(template, path):
    """What the placeholders of a template stand for in a path; None where the path does not fit."""
    pattern = ""
    for piece in template.split("/")[1:]:
        named = f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("{") else re.escape(unquote(piece))
        pattern += {"*": "/[^/]+", "**": "(/.*)?"}.get(piece, "/" + named)
    found = re.fullmatch(pattern, unquote(path), re.DOTALL) if path else None
    return found and found.groupdict()

def covers(held, wanted):
    held, wanted = (["*", "*"] if text == "*" else text.rsplit(":", 1) for text in (held, wanted))
    return len(held) == 2 and all(have in ("*", want) for have, want in zip(held, wanted))

def seconds(moment):
    """Since 1970. ValueError here and below: the test cannot be made."""
    read = datetime.datetime.strptime
    return read(moment, "%Y-%m-%dT%H:%M:%S%z").timestamp() if isinstance(moment, str) else moment

def one(value, *kinds):
    """The only value there is. A list of one is as good as its element."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if type(value) not in (kinds or (str, int, bool)):
        raise ValueError
    return value

def compare(operator, mine, theirs):
    opposites = {"ne": "eq", "not_in": "in", "contains_none": "contains_any", "not_in_cidr": "in_cidr"}
    if operator in opposites:
        return not compare(opposites[operator], mine, theirs)
    if operator == "gte":
        return one(mine, int) >= one(theirs, int)
    if operator == "after":
        return seconds(one(mine, str, int)) > seconds(one(theirs, str, int))
    if operator == "starts_with":
        return one(mine, str).startswith(one(theirs, str))
    if operator == "matches":
        return bool(re.fullmatch(theirs, one(mine, str), re.ASCII))
    if operator == "in_cidr":
        return any(ipaddress.ip_address(one(mine, str)) in ipaddress.ip_network(network) for network in theirs)
    mine = [one(mine)] if operator in ("eq", "in") else mine
    theirs = [one(theirs)] if operator in ("eq", "contains") else theirs
    if not isinstance(mine, list) or not isinstance(theirs, list) or len({type(value) for value in mine + theirs}) > 1:
        raise ValueError
    return set(mine) <= set(theirs) if operator == "subset_of" else bool(set(mine) & set(theirs))

class Reference:
    def __init__(self, document, question):
        self.document, self.question, self.steps = document, question, 0
        self.all = Part(document["authorization"], rules=document["rules"] or document["authorization"]["rules"],
                        groups=document["groups"] or document["authorization"]["groups"])
        self.host, self.path, self.action = question["resource"]["host"], question["resource"]["path"], question["action"]
        self.twin = self.path[:-1] if self.path.endswith("/") else self.path + "/"
        self.subject, self.known = Part(question["subject"] or {}), bool(question["subject"])
        self.tenant = self.subject["tenant"] or self.known and document["tenancy"]["default"] or None
        self.id, time, self.subject["tenant"] = self.subject["id"] or None, question["context"]["time"], self.tenant
        self.held = {field: list(self.subject[field] or []) for field in ("roles", "permissions", "groups", "scopes")}
        for grant in self.all["grants"]:
            is_mine = grant["subject"] and grant["subject"] == self.id or grant["group"] in self.held["groups"]
            begun = not grant["not_before"] or time and seconds(grant["not_before"]) <= time
            goes_on = not grant["expires"] or time and time < seconds(grant["expires"])
            if is_mine and begun and goes_on and grant["tenant"] in (Part(), self.tenant):
                self.held["roles"] += grant["roles"]
                self.held["permissions"] += grant["permissions"]
        for role in self.held["roles"]:  # It grows as it is walked.
            self.held["roles"] += self.all["roles"][role]["inherits"]
            self.held["permissions"] += self.all["roles"][role]["permissions"]
            self.held["permissions"] += document["tenancy"]["tenants"][self.tenant]["roles"][role]["permissions"]
        superusers = self.all["superusers"]
        is_named = self.id in superusers["subjects"] or self.has("roles", superusers["roles"])
        self.superuser = is_named or self.known and superusers["conditions"] and self.hold(superusers["conditions"], {})

    def has(self, field, names):
        return any(name in self.held[field] for name in names)

    def decide(self):
        decision, code, reasons, tenant, crosses = (*self.answer(), None, False)[:5]
        code = code if self.known or decision == "permit" else "missing_token"
        return [decision, code, list(dict.fromkeys(reasons))[:16], tenant, crosses]

    def answer(self):
        if self.document["authentication"]["disabled"]:
            return "permit", "", []
        for index, entry in enumerate(self.all["preflight"]):
            origin, fits = self.question["preflight"], captures(entry["path"], self.path) is not None
            if origin and fits and self.is_at(entry) and {origin, "*"} & set(entry["origins"]):
                return "permit", "", [f"preflight/{index}"]
        own, twin = self.found(self.path), self.found(self.twin)
        is_exact = lambda found: found and not found["path"].endswith("/**")
        if is_exact(own) or not is_exact(twin):
            twin = Part()
        if not own and self.question["upgrade"]:
            own = Part(name="upgrade", half=True, asks=2)
        half, names = own if own["half"] else twin, [found["name"] for found in (own, twin) if found]
        asks = max(own["asks"] if own else 2, twin["asks"] or 0)
        if half["half"]:
            return ("deny", "access_denied", [half["name"]]) if self.known else ("deny", "", [])
        if asks == 0 or asks == 2 and not self.known:
            return ("permit", "", names[:1]) if asks == 0 else ("deny", "", names)
        refusal, tenant, crosses = self.tenancy()
        if refusal:
            return "deny", refusal, []
        said = self.demands("", self.all, {})
        said += says(bool(own), "P", own["name"])
        said += self.route(own, self.path) + self.route(twin, self.twin)
        said += self.entries("", self.all)
        said += says(self.superuser, "P", "superuser")
        levels = ["host", "path", "routes", "methods", "tenants"]
        level = lambda policy: max([levels.index(field) for field in policy["attach"]], default=-1)
        for policy in sorted(self.all["policies"], key=level):
            said += self.policy(policy, own, twin, tenant)
        if self.steps > 100_000:
            said = [("?D", "budget")]
        of = lambda wanted: [name for what, name in said if what.split()[0] == wanted]
        if of("D"):
            return "deny", next(what[2:] for what, _ in said if what[0] == "D"), of("D")
        if of("?D"):
            return "indeterminate", "access_denied", of("?D")
        if of("P"):
            return "permit", "", of("P"), tenant, crosses
        if of("?P"):
            return "indeterminate", "access_denied", of("?P")
        return "not_applicable", "insufficient_role" if of("N") else "access_denied", of("N")

    def is_at(self, part):
        pattern = part["host"] or self.host
        return pattern == self.host or pattern.startswith("*") and self.host.endswith(pattern[1:])

    def found(self, path):
        """The most specific entry that a request is about, or half about. It asks for nobody, anybody (1), a caller (2)."""
        found = []
        for kind, index, entry in [(kind, *each) for kind in ("public", "routes") for each in enumerate(self.all[kind])]:
            template = entry["path"] or f"/{entry['grpc']['service']}/{entry['grpc']['method'] or '*'}"
            methods, host, sent = entry["methods"] or ["POST"], entry["host"] or "", self.question["match"]
            parts = [(sent[place][each["name"]], each["one_of"]) for place in entry["match"] for each in entry["match"][place]]
            parts += [(self.question["content"], ["grpc"])] if entry["grpc"] else []
            parts += [(self.question["upgrade"], ["websocket"])] if entry["upgrade"] else []
            good = [sum(value is None or value in wanted for value in values) for values, wanted in parts]
            is_about = captures(template, path) is not None and self.is_at(entry) and all(good)
            is_about = is_about and ("*" in methods or self.action["method"] in methods)
            if is_about and bool(entry["upgrade"]) == bool(self.question["upgrade"]):
                vague = [2 if piece == "**" else piece == "*" or piece[:1] == "{" for piece in template.split("/")]
                precedence = (vague, not host, host.startswith("*"), -len(host), -len(parts), len(found))
                asks = 0 if kind == "public" else 1 if entry["authentication"] == "optional" else 2
                half = any(None in values or good[place] < len(values) for place, (values, _) in enumerate(parts))
                name = entry["name"] or f"{kind}/{index}"
                found.append((precedence, Part(entry, name=name, path=template, asks=asks, half=half)))
        return min(found, key=lambda entry: entry[0])[1] if found else Part()

    def tenancy(self):
        """Why a request is refused, or the tenant that it acts in and whether that is another's."""
        tenancy, addressed, dots = self.document["tenancy"], [], lambda host: "/" + host.replace(".", "/")
        if self.known and tenancy["required"] and not self.tenant:
            return "tenant_required", None, False
        for binding in tenancy["bind"]:
            at = [captures(binding["path"] or "/-", path) for path in (self.path, self.twin)]
            at.append(captures(dots(binding["host"] or "-"), dots(self.host)))
            addressed += [captured["tenant"] for captured in at if captured]
            for place in ("header", "query"):
                addressed += self.question["context"][place][binding[place]] if binding[place] else []
        if not addressed or self.tenant and set(addressed) == {self.tenant}:
            return None, self.tenant, False
        may_cross = self.has("roles", tenancy["cross_tenant"]["roles"]) and len(set(addressed)) == 1 and addressed[0]
        return None if may_cross else "tenant_mismatch", addressed[0], True

    def demands(self, of, part, captured):
        """What everyone, or a policy, asks for. What is not met objects; only conditions of `abac` grant."""
        is_stranger = bool(part["groups"]) and not self.has("groups", part["groups"])
        allowed = [(self.subject[field], part["restrictions"][field + "s"]) for field in ("key_type", "method")]
        is_barred, hold = any(list and own not in list for own, list in allowed), self.hold(part["conditions"], captured)
        said = says(is_stranger, "D insufficient_group", of + "groups")
        said += self.require(part["require"], of + "require", False)
        said += says(is_barred, "D access_denied", of + "restrictions")
        said += says(negated(hold), "D access_denied", of + "conditions")
        return said + says(hold is True and part["type"] == "abac", "P", of + "conditions")

    def require(self, require, name, exempt):
        said = []
        for field in ("roles", "scopes", "groups"):
            wanted = require[field]
            lacks = wanted["any_of"] and not self.has(field, wanted["any_of"])
            lacks = lacks or any(one not in self.held[field] for one in wanted["all_of"])
            lacks = lacks and not (exempt and field != "groups") or self.has(field, wanted["none_of"])
            scopes = [*wanted["all_of"], *wanted["any_of"]] if field == "scopes" else []
            said += says(bool(lacks), " ".join([f"D insufficient_{field[:-1]}", *scopes]), name)
        return said

    def route(self, route, path):
        name, wanted, exempt = route["name"], route["permission"], self.superuser is True
        is_held = not wanted or exempt or any(covers(held, wanted) for held in self.held["permissions"])
        hold = self.hold(route["conditions"], route and captures(route["path"], path))
        said = self.require(route["require"], name, exempt) + says(not is_held, "D insufficient_permissions", name)
        return said + says(negated(hold), "D access_denied", name)

    def entries(self, of, part):
        said = []
        for index, rule in enumerate(part["rules"]):
            entry = Part(rule, actions=[rule["action"]], roles=[rule["role"]])
            said += self.entry(rule["name"] or f"{of}rules/{index}", rule["resource"], entry)
        for index, acl in enumerate(part["acl"]):
            for number, entry in enumerate(acl["entries"]):
                name = f"{acl['name'] or f'{of}acl/{index}'}/entries/{number}"
                said += self.entry(name, acl["resource"], entry)
        return said

    def entry(self, name, resource, entry):
        denies, action = entry["effect"] == "deny", self.action["name"]
        resource, paths = "/**" if resource == "*" else resource, (self.path, self.twin) if denies else (self.path,)
        captured = next((found for found in (captures(resource, path) for path in paths) if found is not None), None)
        writes = action != "read" if denies else action in ("create", "update", "delete")
        asked = {"*", action, self.action["method"]} | ({"write"} if writes else set())
        if captured is None or not asked & set(entry["actions"]):
            return []
        mine = {"*", *self.held["roles"]} if self.known else set()
        fits = self.id in entry["users"] or self.has("groups", entry["groups"]) or mine & set(entry["roles"])
        said = says(not denies and bool({*entry["roles"]} - mine - {"*"}), "N", name)
        hold = self.hold(entry["conditions"], captured) if fits else False
        return said + says(hold, "D access_denied" if denies else "P", name)

    def policy(self, policy, own, twin, tenant):
        attach, name, is_abac = policy["attach"], policy["name"], policy["type"] == "abac"
        named = [not attach["routes"] or found["name"] in attach["routes"] for found in (own, twin)]
        at = [captures(attach["path"] or "/**", path) for path in (self.path, self.twin)]
        by_method = not attach["methods"] or self.action["method"] in attach["methods"] or "*" in attach["methods"]
        by_tenant = not attach["tenants"] or tenant in attach["tenants"]
        if not (self.is_at(attach) and any(named) and by_method and by_tenant) or at == [None, None]:
            return []
        may_grant = named[0] and at[0] is not None
        demands, entries = self.demands(name + "/", policy, at[1] if at[0] is None else at[0]), self.entries(name + "/", policy)
        said = [what for what, _ in (demands if is_abac else []) + entries]
        must_permit = is_abac or policy["rules"] or policy["acl"]
        if must_permit and self.superuser is not True and not {"P", "?D", "D"} & {what.split()[0] for what in said}:
            others = [("D insufficient_role", name) for what, name in entries if what == "N"]
            might = [("?D", name) for what, name in entries if what == "?P"]
            entries += might or others or [("D access_denied", name)]
        return [said for said in demands + entries if "D" in said[0] or said[0] == "P" and may_grant]

    def hold(self, conditions, captured):
        return every([self.holds(condition, captured) for condition in conditions])

    def holds(self, condition, captured):
        for group in ("all_of", "any_of", "none_of"):
            if condition[group]:
                truths = [self.holds(member, captured) for member in condition[group]]
                none = every(map(negated, truths))
                return every(truths) if group == "all_of" else none if group == "none_of" else negated(none)
        try:
            mine = self.attribute(condition["attribute"], captured)
            theirs = self.attribute(condition["value_from"], captured) if condition["value_from"] else condition["value"]
            self.steps += 1 + (len(mine) * len(theirs) if isinstance(mine, list) and isinstance(theirs, list) else 0)
            if condition["operator"] in ("present", "absent"):
                return (mine in (None, [])) == (condition["operator"] == "absent")
            return None if mine is None or theirs is None else compare(condition["operator"], mine, theirs)
        except ValueError:
            return None

    def attribute(self, name, captured):
        """What an attribute is; None where there is none."""
        root, _, name = name.partition(".") if "." in name else ("subject", "", name)
        value = self.subject if root == "subject" else self.question[root]
        for step in re.split("[./]", name):
            value = value[step] if isinstance(value, Part) else Part()
        value = captured.get(name, value) if root == "resource" else value
        self.steps += self.question["size"][name.split(".")[0]] or 0 if root == "context" else 0
        self.steps += sum(1 + len(str(each)) // 64 for each in value) if isinstance(value, list) else 0
        if isinstance(value, list) and None in value or name[:4] == "body" and self.question["context"]["body"] is None:
            raise ValueError
        return None if value == Part() else value

for line in sys.stdin:
    read = json.loads(line, object_hook=Part)
    print(json.dumps([Reference(read["document"], question).decide() for question in read["questions"]]), flush=True)
