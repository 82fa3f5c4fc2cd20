import random
import re
import time

from odoo.tests import BaseCase, tagged

from ..services.safe_patterns import LONGEST_TEXT, MOST_PATTERNS, compiled

GOOD = [
    r"EMP-\d{6}",
    r"EMP-\d+",
    r"\b[A-Z]{2}\d{1,8}\b",
    r"(?i)project (falcon|heron)",
    r"customer[ _-]?(no|number)\s{0,3}[:=]?\s{0,3}\d{4,12}",
    r"(?<=id=)\w{8}",
    r"(?:\d{3}-){2}\d{4}",
    r"é+",
]
BAD = [
    (r"(", "not a regular expression"),
    (r"*", "not a regular expression"),
    (r"(a+)+$", "repeat inside a repeat"),
    (r"(\d+)*x", "repeat inside a repeat"),
    (r"([A-Za-z]+ )*secret", "repeat inside a repeat"),
    (r"(a|aa)+$", "alternatives inside a repeat"),
    (r"(?:x|xx|xxx){1,50}y", "alternatives inside a repeat"),
    (r".*.*.*=.*", "too long"),
    (r"a*a*a*b", "too long"),
    (r"\s*\S+\s*:", "too long"),
    (r"(?=.*a)(?=.*b).*c", "too long"),
    (r"(.)\1", "references"),
    (r"(a)?(?(1)b|c)x", "references"),
    (r"a*", "empty text"),
    (r"^", "empty text"),
    (r"(secret)?", "empty text"),
    ("a" * 301, "longer than"),
    ("(" * 150 + "a" + ")" * 149, "not a regular expression"),
    (r"a{99999999999}", "not a regular expression"),
]


@tagged("post_install", "-at_install")
class TestServiceSafePatterns(BaseCase):
    def test_ordinary_patterns_pass(self):
        for text in GOOD:
            with self.subTest(pattern=text):
                self.assertEqual([pattern.pattern for pattern in compiled(text)], [text])
        self.assertEqual(len(compiled("# ours\n\n  EMP-\\d{6}  \nfalcon\n")), 2)
        self.assertEqual(compiled(""), ())

    def test_others_are_refused_with_the_reason(self):
        for text, reason in BAD:
            with self.subTest(pattern=text), self.assertRaises(ValueError) as refusal:
                compiled(f"fine\n{text}")
            self.assertIn(reason, str(refusal.exception))

    def test_many_costly_patterns_are_refused_together(self):
        compiled(r"a\d+")
        with self.assertRaises(ValueError):
            compiled("\n".join(rf"a{number}\d+" for number in range(5)))
        with self.assertRaises(ValueError):
            compiled("\n".join(f"word{number}" for number in range(MOST_PATTERNS + 1)))

    def test_what_passes_is_quick_on_hostile_texts(self):
        rng = random.Random(7)
        pieces = [
            "a",
            "b",
            "[ab]",
            r"\d",
            r"\w",
            ".",
            "a?",
            "a{0,9}",
            r"\w{1,40}",
            "a+",
            ".*",
            "(ab){2,5}",
            "(a|ab)",
            "b$",
        ]
        texts = ["a" * LONGEST_TEXT, "ab" * (LONGEST_TEXT // 2), "1" * LONGEST_TEXT, "a1 " * (LONGEST_TEXT // 3)]
        tried = 0
        for _try in range(400):
            text = "".join(rng.choice(pieces) for _piece in range(rng.randint(1, 6))) + "!"
            try:
                (pattern,) = compiled(text)
            except ValueError:
                continue
            tried += 1
            for hostile in texts:
                started = time.thread_time()
                re.sub(pattern, "", hostile)
                self.assertLess(time.thread_time() - started, 1.5, text)
        self.assertGreater(tried, 30)
