"""The part of CDDL (RFC 8610) that maillon.cddl uses: a rule's name and a decoded item, and whether they fit."""

import re

TOKEN = re.compile(r"""\s+|;[^\n]*|(h'[0-9A-Fa-f]*'|"[^"]*"|[A-Za-z][A-Za-z0-9-]*|\.size|\.\.|\d*\*\d*|\d+|[=/\[\]{}():,&])""")
PRELUDE = {
    "uint": lambda item: type(item) is int and 0 <= item < 2**64,
    "bool": lambda item: type(item) is bool,
    "tstr": lambda item: type(item) is str,
    "bstr": lambda item: type(item) is bytes,
    "null": lambda item: item is None,
    "any": lambda item: True,
}


class Shapes:
    """A CDDL text, read. Every type becomes a function from an item to whether it fits."""

    def __init__(self, text):
        self.tokens, place = [], 0
        while place < len(text):
            found = TOKEN.match(text, place)
            if not found:
                raise ValueError(f"CDDL not understood at {text[place:place + 40]!r}")
            if found.group(1):
                self.tokens.append(found.group(1))
            place = found.end()
        self.rules, self.named, self.place = dict(PRELUDE), set(), 0
        while self.place < len(self.tokens):
            name = self.take()
            self.take("=")
            if name in self.rules:
                raise ValueError(f"{name} is defined twice")
            self.rules[name] = self.choice()
        if self.named - set(self.rules):
            raise ValueError(f"not defined: {sorted(self.named - set(self.rules))}")

    def fits(self, rule, item):
        return self.rules[rule](item)

    def peek(self, ahead=0):
        return self.tokens[self.place + ahead] if self.place + ahead < len(self.tokens) else None

    def take(self, expected=None):
        token = self.peek()
        if expected not in (None, token):
            raise ValueError(f"CDDL: {expected!r} expected, {token!r} found")
        self.place += 1
        return token

    def choice(self):
        options = [self.type()]
        while self.peek() == "/":
            self.take()
            options.append(self.type())
        return options[0] if len(options) == 1 else lambda item: any(option(item) for option in options)

    def type(self):
        base = self.plain()
        if self.peek() == ".size":
            self.take()
            low, high = self.sizes()
            return lambda item: base(item) and low <= len(item if type(item) is bytes else item.encode()) <= high
        return base

    def sizes(self):
        if self.peek() != "(":
            size = int(self.take())
            return size, size
        self.take("(")
        low = int(self.take())
        self.take("..")
        high = int(self.take())
        self.take(")")
        return low, high

    def plain(self):
        token = self.take()
        if token == "[":
            return self.array()
        if token == "{":
            self.take("}")
            return lambda item: item == {} and type(item) is dict
        if token == "&":
            return self.codes()
        if token.startswith("h'"):
            content = bytes.fromhex(token[2:-1])
            return lambda item: type(item) is bytes and item == content
        if token.startswith('"'):
            return lambda item: type(item) is str and item == token[1:-1]
        if token.isdigit():
            low = high = int(token)
            if self.peek() == "..":
                self.take()
                high = int(self.take())
            return lambda item: type(item) is int and low <= item <= high
        self.named.add(token)
        return lambda item: self.rules[token](item)

    def codes(self):
        """&(name: number, …)"""
        self.take("(")
        numbers = set()
        while self.peek() != ")":
            self.take()
            self.take(":")
            numbers.add(int(self.take()))
            if self.peek() == ",":
                self.take()
        self.take(")")
        return lambda item: type(item) is int and item in numbers

    def array(self):
        entries = []
        while self.peek() != "]":
            least = most = 1
            if "*" in self.peek():
                least, most = self.take().split("*")
                least, most = int(least or 0), int(most or 2**32)
            if self.peek(1) == ":":
                self.take()
                self.take(":")
            entries.append((least, most, self.choice()))
            if self.peek() == ",":
                self.take()
        self.take("]")

        def fits(item):
            if type(item) is not list:
                return False
            place = 0
            for least, most, entry in entries:
                count = 0
                while count < most and place < len(item) and entry(item[place]):
                    count, place = count + 1, place + 1
                if count < least:
                    return False
            return place == len(item)

        return fits
