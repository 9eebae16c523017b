"""Each operation of macros/engine as a table of given and expected, which holds on any engine."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from engines import Engine

Rows = list[tuple[Any, ...]]


class Macro(NamedTuple):
    """A query over `cases`, each with its number and a text, and what it finds for each text."""

    query: str
    expected: Mapping[str, Rows]


def expression(macro: str, expected: Mapping[str, Any]) -> Macro:
    """Return a macro that finds one value for each text."""
    query = "select case_number, {{ " + macro + " }} as found from cases"
    return Macro(query, {given: [(value,)] for given, value in expected.items()})


def each(givens: Iterable[str], *rows: tuple[Any, ...]) -> dict[str, Rows]:
    return {given: list(rows) for given in givens}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def deep(levels: int) -> str:
    return '{"a":' * levels + "[1]" + "}" * levels


DEEP = deep(200)
BIGINT = {
    "0": 0, "-0": 0, "007": 7, "42": 42, "-7": -7,
    "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63),
    **dict.fromkeys((
        "9223372036854775808", "-9223372036854775809", "12345678901234567890", "1_000", "0x1F", "1e2", "3.7", "3.0", "+5",
        " 12", "12 ", "12\n", "\t12", "1,000", "٣", "１２", "--1", "-", "", " ", "yes", "true", "NaN", "infinity", "null",
    )),
}  # fmt: skip
BOOLEAN = {
    "true": True, "false": False,
    **dict.fromkeys(("True", "TRUE", "yes", "no", "1", "0", "t", "on", "", " true", "true\n", "null")),
}  # fmt: skip
TIMESTAMP = {
    "2026-01-31T10:00:00Z": at("2026-01-31 10:00:00"),
    "2026-01-31T10:00:00+02:00": at("2026-01-31 08:00:00"),
    "2026-01-31T10:00:00-0530": at("2026-01-31 15:30:00"),
    "2026-01-31T10:00:00+14": at("2026-01-30 20:00:00"),
    "2026-01-31T10:00:00-00:00": at("2026-01-31 10:00:00"),
    "2026-01-01T00:30:00+01:00": at("2025-12-31 23:30:00"),
    "2026-01-31T10:00:00.1Z": at("2026-01-31 10:00:00.100000"),
    "2026-01-31T10:00:00.12Z": at("2026-01-31 10:00:00.120000"),
    "2026-01-31T10:00:00.123Z": at("2026-01-31 10:00:00.123000"),
    "2026-01-31T10:00:00.1234Z": at("2026-01-31 10:00:00.123400"),
    "2026-01-31T10:00:00.12345Z": at("2026-01-31 10:00:00.123450"),
    "2026-01-31T10:00:00.123456Z": at("2026-01-31 10:00:00.123456"),
    "2026-01-31T10:00:00.1234567Z": at("2026-01-31 10:00:00.123456"),
    "2026-01-31T23:59:59.99999999Z": at("2026-01-31 23:59:59.999999"),
    "2026-01-31T23:59:59.999999999Z": at("2026-01-31 23:59:59.999999"),
    "2024-02-29T00:00:00Z": at("2024-02-29 00:00:00"),
    "2000-02-29T00:00:00Z": at("2000-02-29 00:00:00"),
    "1994-12-31T12:00:00Z": at("1994-12-31 12:00:00"),
    "1582-10-10T00:00:00Z": at("1582-10-10 00:00:00"),
    "1000-01-01T00:00:00Z": at("1000-01-01 00:00:00"),
    "2999-12-31T23:59:59-14:00": at("3000-01-01 13:59:59"),
    **dict.fromkeys((
        "2026-01-31T10:00:00", "2026-01-31", "2026-01-31 10:00:00Z", "2026-01-31t10:00:00Z", "2026-01-31T10:00:00z",
        "2026-01-31T10:00Z", "20260131T100000Z", "2026-W05-6T10:00:00Z", "2026-01-31T10:00:00.Z", "2026-01-31T10:00:00,5Z",
        "2026-01-31T10:00:00.1234567890Z", "2026-01-31T10:00:00+15:00", "2026-01-31T10:00:00 +02:00",
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z", "2026-01-01T23:60:00Z",
        "0000-01-01T00:00:00Z", "0999-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "99999-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
        " 2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z\n", "now", "today", "infinity", "epoch", "1767225600", "",
    )),
}  # fmt: skip
NO_JSON = (
    "", " ", "not json", "{", '{"a":1', "{'a':[1]}", "nul", '{"a":01}', "\ufeff[1]", r'["\ud800"]', '["\t"]', "[1] x",
)  # fmt: skip
"""What is no JSON on any engine."""
NO_ARRAY = (*NO_JSON, "null", "1", "true", '"[1]"', "{}", '{"0":1}', DEEP)

MACROS = {
    "to_bigint": expression("to_bigint('given')", BIGINT),
    "to_boolean": expression("to_boolean('given')", BOOLEAN),
    "to_timestamp": expression("to_timestamp('given')", TIMESTAMP),
    "to_double": expression(
        "to_double(to_bigint('given'))", {"0": 0.0, "-3": -3.0, "9007199254740993": 9007199254740992.0, "x": None}
    ),
    "to_utc": expression(
        "to_utc('cast(given as ' ~ ('timestamp' if target.type == 'spark' else 'timestamp with time zone') ~ ')')",
        {
            "2026-01-31 10:00:00+02": at("2026-01-31 08:00:00"),
            "2026-01-31 23:59:59.999999+00": at("2026-01-31 23:59:59.999999"),
            "1994-12-31 12:00:00+00": at("1994-12-31 12:00:00"),
        },
    ),
    "array_length": expression(
        "array_length('given')",
        {"[]": 0, "[null]": 1, ' [1, "two" ,[3,4]] ': 3, "[[[]]]": 1, '["]"]': 1, **dict.fromkeys(NO_ARRAY, 0)},
    ),
    "texts_as_json": expression(
        "texts_as_json(array_texts('given', ['path', 'title']))",
        {
            "[]": "[]",
            "[null]": "[]",
            '["a", "b"]': '["a","b"]',
            '["", " ", "\\u00a0\\t", " a\\nb"]': '[" a\\nb"]',
            '[{"path": " ", "title": "t"}, {"path": {"a": 1}, "title": [1]}, {"path": 1, "title": true}, {"path": "[1]"}, "{\\"a\\":1}"]':
                '["t","[1]","{\\"a\\":1}"]',
            '[1, true, 2.5, {"path": "p"}, {"path": "", "title": "t"}, {"path": null, "title": ""}, {"other": "o"}, [1,"x"]]':
                '["1","true","2.5","p","t"]',
            '["\\u00e9 \\ud83d\\ude42 🙂", "\\"\\\\\\/"]': '["é 🙂 🙂","\\"\\\\/"]',
            '["\\u000b\\u001b\\b\\f\\t", "\\\\u001b"]': '["\\u000B\\u001B\\b\\f\\t","\\\\u001b"]',
            **dict.fromkeys(NO_ARRAY),
        },
    ),
    "texts_as_lines": expression(
        "texts_as_lines(array_texts('given'))",
        {
            "[]": "", '["a"]': "a", '["a", null, "", "b"]': "a\n\nb", '["{}", 1, true, "[x]"]': "{}\n1\ntrue\n[x]",
            **dict.fromkeys(('[{"path":"p"},1]', "[[]]", '["a",{}]', '["a",[1]]', '["[",["b"]]', *NO_ARRAY)),
        },
    ),
    "explode": Macro(
        "{{ explode('cases', 'given', keep=['case_number']) }}",
        {
            "[]": [],
            '[1, "two", null, {"three":3}, [], false]':
                [(1, "1"), (2, '"two"'), (3, None), (4, '{"three":3}'), (5, "[]"), (6, "false")],
            '["null", "]", "\\"", "a\\\\b", "é🙂"]': [(1, '"null"'), (2, '"]"'), (3, '"\\""'), (4, '"a\\\\b"'), (5, '"é🙂"')],
            '["\\u000b\\u001b"]': [(1, '"\\u000B\\u001B"')],
            "[12345678901234567890123,-1,0.5]": [(1, "12345678901234567890123"), (2, "-1"), (3, "0.5")],
            f"[{DEEP}]": [(1, DEEP)],
            **each(NO_ARRAY),
        },
    ),
    "explode at a path": Macro(
        "{{ explode('cases', 'given', 'a.b', keep=['case_number']) }}",
        {
            '{"a":{"b":[1,2]}}': [(1, "1"), (2, "2")],
            '{"a":{"B":[1],"b":[3]},"a.b":[2]}': [(1, "3")],
            **each(
                ('{"a":{"b":[]}}', '{"a":{"b":{"0":1}}}', '{"a":{"b":"[1]"}}', '{"a":{"b":null}}', '{"a":[[1]]}', '{"a":null}', "[1]", *NO_JSON)
            ),
        },
    ),
    "explode_object": Macro(
        "{{ explode_object('cases', 'given', keep=['case_number']) }}",
        {
            "{}": [],
            '{"a": 1, "b": "two", "A": null, "": true}': [("a", "1"), ("b", "two"), ("A", None), ("", "true")],
            '{"a.b":{"x":[1]},"$":[],"[0]":{}}': [("a.b", '{"x":[1]}'), ("$", "[]"), ("[0]", "{}")],
            '{"é 🙂":"\\u00e9","\\"\\\\":"\\"\\\\"," ":" "}': [("é 🙂", "é"), ('"\\', '"\\'), (" ", " ")],
            **each((*NO_JSON, "null", "1", '"a"', '[{"a":1}]')),
        },
    ),
    "project": Macro(
        "{{ project('cases', 'given', [('t', 'a', 'text'), ('n', 'b.c', 'bigint'), ('l', 'd', 'array')], keep=['case_number']) }}",
        {
            '{"a":"x","b":{"c":7},"d":[1,2]}': [("x", 7, "[1,2]", None)],
            '{"a":1,"b":{"c":"7"},"d":[]}': [("1", 7, "[]", None)],
            '{"a":true,"b":{"c":7.5},"d":{}}': [("true", None, None, "n, l")],
            '{"a":{"k":[1]},"b":{"c":{"x":1}},"d":"[1"}': [(None, None, None, "t, n, l")],
            '{"d":"[1]"}': [(None, None, None, "l")],
            '{"a":"{\\"k\\":[1]}","b":null}': [('{"k":[1]}', None, None, None)],
            '{"a":"","b":{"c":""},"d":""}': [("", None, None, "n, l")],
            '{"a":" \\n\\t","b":{"c":" 7"},"d":" []"}': [(" \n\t", None, None, "n, l")],
            '{"a":"\\"\\\\\\/\\u00e9\\ud83d\\ude42"}': [('"\\/é🙂', None, None, None)],
            '{"A":"x","b":{"C":7},"a.b":1,"":2}': [(None, None, None, None)],
            '{"b":[{"c":7}],"a":12345678901234567890123}': [("12345678901234567890123", None, None, "n")],
            '{"a":"\\u001b","d":["\\u001b"]}': [("\x1b", None, '["\\u001B"]', None)],
            '{"a":-0.5,"b":{"c":-0},"d":null}': [("-0.5", 0, None, None)],
            DEEP: [(None, None, None, "t")],
            **each(('{"b":7}', '{"b":"{}"}', '{"b":[]}', '{"b":true}'), (None, None, None, "n")),
            **each((text for text in NO_JSON if text[:1] == "{"), (None,) * 4),
            **each((text for text in NO_JSON if text[:1] not in ("{", "")), (None, None, None, "given")),
            **each(("null", "1", '"a"', "[1]"), (None, None, None, "given")),
            **each(("{}", '{"b":null}', '{"b":{}}'), (None,) * 4),
        },
    ),
    "project texts": Macro(
        "{{ project('cases', 'given', [('name', 'n', 'name'), ('label', 'l', 'label'), ('lines', 's', 'lines'), ('json', 'p.q.j', 'json'),"
        " ('deep', 'p.q.n', 'name')], keep=['case_number']) }}",
        {
            '{"n":"a","l":"b","s":"c","p":{"q":{"j":"d","n":"e"}}}': [("a", "b", "c", "d", "e", None)],
            '{"n":"","l":"","s":"","p":{"q":{"j":"","n":""}}}': [(None, None, "", "", None, None)],
            '{"n":" \\t\\n","l":"\\u00a0\\u2003","s":" ","p":{"q":{"j":" ","n":"\\u3000\\u200b\\ufeff"}}}': [(None, None, " ", " ", None, None)],
            '{"n":" a ","l":"\\u00a0b\\n","s":"\\tc"}': [(" a ", "\xa0b\n", "\tc", None, None, None)],
            '{"n":1,"l":-1.5,"s":1,"p":{"q":{"j":1,"n":-1}}}': [(None, "-1.5", "1", "1", None, "name, deep")],
            '{"n":true,"l":false,"s":true,"p":{"q":{"j":true,"n":false}}}': [(None, "false", "true", "true", None, "name, deep")],
            '{"n":{},"l":{"a":1},"s":{"a":1},"p":{"q":{"j":{"a":1},"n":[]}}}': [(None, None, None, '{"a":1}', None, "name, label, lines, deep")],
            '{"n":["a"],"l":[],"s":["a","b"],"p":{"q":{"j":["a"],"n":[1]}}}': [(None, None, "a\nb", '["a"]', None, "name, label, deep")],
            '{"s":["a",{"b":1}]}': [(None, None, None, None, None, "lines")],
            '{"s":[["a"]]}': [(None, None, None, None, None, "lines")],
            '{"s":[1,null,true,""]}': [(None, None, "1\ntrue\n", None, None, None)],
            '{"n":"1","l":"2","s":"[\\"a\\"]","p":{"q":{"n":"-1.5"}}}': [("1", "2", '["a"]', None, "-1.5", None)],
            '{"n":"true","l":"{}","s":"{}","p":{"q":{"n":"{\\"a\\":1}"}}}': [("true", "{}", "{}", None, '{"a":1}', None)],
            '{"n":"[QA] Bob","l":"{","s":"[1","p":{"q":{"n":"1st"}}}': [("[QA] Bob", "{", "[1", None, "1st", None)],
            '{"n":"null","p":{"q":"x"}}': [("null", None, None, None, None, "json, deep")],
            '{"p":["q"]}': [(None, None, None, None, None, "json, deep")],
            '{"p":{"q":"{\\"n\\":1}"}}': [(None, None, None, None, None, "json, deep")],
            **each(('{"p":null}', '{"p":{}}', '{"p":{"q":null}}', '{"p":{"q":{"n":null}}}', '{"q":"p"}'), (None,) * 6),
        },
    ),
    "named": expression(
        "named('given')",
        {
            **dict.fromkeys((
                "", " ", "\n", "\t \r\n", "\x0b\x0c", "\x85", "\xa0", "\u1680", "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
                "\u200b", "\u2028\u2029", "\u202f\u205f", "\u2060", "\u3000", "\ufeff", " " * 10_000,
            )),
            **{text: text for text in (
                "a", " a", "a ", "\xa0a\n", "0", ".", "\x01", "\x1c", "\u180e", "\u200d", "é", "🙂", " " * 10_000 + "x", "null", "]", "\\", "^",
            )},
        },
    ),
    "json_paths": Macro(
        "{{ json_paths('cases', 'given', keep=['case_number']) }}",
        {
            "{}": [],
            "[]": [],
            "1": [],
            '{"a":"x","b":1,"c":-1.5e3,"d":true,"e":null,"f":{},"g":[]}': [
                ("a", "text"), ("b", "number"), ("c", "number"), ("d", "boolean"), ("e", "null"), ("f", "object"), ("g", "array")
            ],
            '{"a":[null,1,"x",[null],{"b":null}]}': [
                ("a", "array"), ("a[]", "number"), ("a[]", "text"), ("a[]", "array"), ("a[]", "object"), ("a[].b", "null")
            ],
            '[{"a":null},{"a":1}]': [("[]", "object"), ("[].a", "number")],
            '[{"a":null},{"a":1},{"a":"x"}]': [("[]", "object"), ("[].a", "number"), ("[].a", "text")],
            '[{"a":{"b":null}},{"a":{"b":[{}]}}]': [
                ("[]", "object"), ("[].a", "object"), ("[].a.b", "array"), ("[].a.b[]", "object")
            ],
            '{"a1234":1,"a12345":1,"12":1,"_":1,"":1,"é":1,"a b":1,"a.b":1,"a]":1,"\\"":1,"A":1}': [
                ("a1234", "number"), ("*", "number"), ("A", "number")
            ],
            '{"1":{"a":[1]},"2":{"a":["x"]}}': [
                ("*", "object"), ("*.a", "array"), ("*.a[]", "number"), ("*.a[]", "text")
            ],
            '{"a":"' + "[{" * 100 + '","b":[{"c":"' + "{}" * 200 + '"},{"c":1}]}': [
                ("a", "text"), ("b", "array"), ("b[]", "object"), ("b[].c", "text"), ("b[].c", "number")
            ],
            '"' + "[" * 200 + '"': [],
            deep(3): [("a", "object"), ("a.a", "object"), ("a.a.a", "array"), ("a.a.a[]", "number")],
            DEEP: [
                *((".".join("a" * level), "object") for level in range(1, 200)),
                (".".join("a" * 200), "array"), (".".join("a" * 200) + "[]", "number"),
            ],
            **each(NO_JSON),
        },
    ),
}  # fmt: skip
"""What macros find in any engine."""

LISTED = {
    '{"a":1e16}': {"dev": "10000000000000000.0", "postgres": "1e16", "spark": "1.0E16"},
    '{"a":1e-6}': {"dev": "0.000001", "postgres": "1e-6", "spark": "1.0E-6"},
    '{"a":1.50}': {"dev": "1.5", "postgres": "1.50", "spark": "1.5"},
    '{"a":[1, 2]}': {"dev": "[1,2]", "postgres": "[1, 2]", "spark": "[1,2]"},
    '{"a":["\\u00e9"]}': {"dev": '["é"]', "postgres": '["\\u00e9"]', "spark": '["é"]'},
    '{"a":1,"a":2}': {"dev": "1", "postgres": "2", "spark": "2"},
    '{"a":NaN}': {"dev": "NaN", "postgres": None, "spark": None},
    '{"a":1,}': {"dev": "1", "postgres": None, "spark": None},
    '{"a":"\\u0000"}': {"dev": "\0", "postgres": None, "spark": "\0"},
}
"""Documents of which engines find different texts at the key `a`; docs/engines.md says why."""

TAKEN_FOR_JSON_BY_SPARK = ("[1] x", '["\t"]', r'["\ud800"]', "{'a':[1]}")
"""The loader lands none of these: what has landed is valid and canonical."""

_SEPARATOR = "\n-- the next macro\n"


def _outcomes(
    engine: Engine, literal: Callable[[str], str], macros: Mapping[str, Macro]
) -> dict[str, dict[str, Rows]]:
    """Return what each macro finds for each text, with the macros rendered by one dbt."""
    queries = [macro.query for macro in macros.values()]
    rendered = engine.dbt("compile", "--inline", _SEPARATOR.join(queries))
    found: dict[str, dict[str, Rows]] = {}
    for (name, macro), sql in zip(macros.items(), rendered.split(_SEPARATOR), strict=True):
        texts = list(macro.expected)
        cases = " union all ".join(
            f"select {number} as case_number, {literal(text)} as given"
            for number, text in enumerate(texts)
        )
        _, rows = engine.query(f"with cases as ({cases}), found as (\n{sql}\n) select * from found")
        found[name] = {text: [] for text in texts}
        for number, *values in rows:
            found[name][texts[number]].append(tuple(values))
    return found


def _sorted(rows: Rows) -> list[str]:
    return sorted(map(repr, rows))


def assert_macros(
    engine: Engine, literal: Callable[[str], str], besides: tuple[str, ...] = ()
) -> None:
    """Compare what is the same on all engines, and what is listed as different on this one."""
    query = "{{ project('cases', 'given', [('found', 'a', 'json')], keep=['case_number']) }}"
    listed_as = engine.target.removesuffix("_connect")
    listed = {given: [(texts[listed_as], None)] for given, texts in LISTED.items()}
    macros = {**MACROS, "listed": Macro(query, listed)}
    wrong = {
        (name, given): (rows, macros[name].expected[given])
        for name, found in _outcomes(engine, literal, macros).items()
        for given, rows in found.items()
        if given not in besides and _sorted(rows) != _sorted(macros[name].expected[given])
    }
    assert wrong == {}, wrong
