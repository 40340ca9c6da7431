"""What mutmut says, read: which changes went unnoticed, and what they were."""

from tests.mutation import __main__ as mutation

RESULTS = """
    api.auth.x_audience__mutmut_1: killed
    api.auth.x_metadata__mutmut_1: survived
    api.auth.x_metadata__mutmut_2: no tests
    api.auth.x_metadata__mutmut_3: timeout
    api.auth.x_metadata__mutmut_4: not checked
"""
DIFF = """# api.auth.x_metadata__mutmut_1: survived
--- api/auth.py
+++ api/auth.py
@@ -1,3 +1,3 @@
 def presented(header):
-    scheme = header or ""
+    scheme = header or "XXXX"
"""


def test_what_was_not_noticed_or_not_tried_survives() -> None:
    found = mutation.statuses(RESULTS)
    survivors = mutation.unnoticed(found)
    assert [name[-1] for name in survivors] == ["1", "2", "4"] and len(found) == 5
    assert mutation.told(survivors, found) == "3 of 5 changes went unnoticed: 60.0%"


def test_a_change_is_told_in_one_line() -> None:
    assert mutation.one_line(DIFF) == 'scheme = header or ""  ->  scheme = header or "XXXX"'
    assert mutation.one_line("-    timeout=5,\n") == "timeout=5,  ->  nothing"
